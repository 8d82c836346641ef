"""Any English text in the voices of speech synthesisers, with the mouth that a filmed speaker makes for its phones.

What a synthesiser says is known word for word, so its phones are right where those of a recording without a
transcript are a recogniser's guess; and a text holds sounds in company that GRID's fifty words never keep. The mouth
is learned as in `prepare.librispeech`, the voices are those of `synthetic.speech_synthesis`.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.audio.loading import normalise_loudness, write_wav
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange import storage
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent

from ..data.clips import Prepared
from ..data.phone_files import FOLDER, cached_phones
from ..data.phones import Aligner
from ..synthetic.phone_motion import TRAINING_STEPS
from ..synthetic.speech_synthesis import Synthesiser, pad_silence
from .grid_phones import learn_grid_motion

SOUNDS = "sounds"  # beside the clips: what `prepare voices` reads, with the phones
_WORDS = 8  # of a sentence at most
_LEAST = 3
_MAX_TEXT = 4 << 20  # bytes


def prepare_spoken(
    source: str | Path,
    dest: str | Path,
    grid: str | Path,
    films: str | Path,
    progress: Progress = silent,
    versions: int = 2,
    steps: int = TRAINING_STEPS,
) -> Prepared:
    """Writes clips for the sentences of a text, each said by `versions` voices.

    The sound goes to `dest/sounds` and the phones to `dest/phones`, so that
    `makeittalk prepare voices DEST/sounds OTHER --phones DEST/phones` makes of them what the phone network and
    voice conversion learn from. A second run goes on where the first one stopped.

    Args:
        source: UTF-8 text file. dest: folder to write, made where missing.
        grid: prepared GRID folder. films: the GRID folder it was made from, with `align/` and `audio/`.
        progress: told after every sentence. versions: voices that say a sentence. steps: of training the mouth.

    Returns:
        The prepared folder. Sentences whose words do not fit their sound are skipped.

    Raises:
        InputError: the text or the folders cannot be used. MissingError: no synthesiser, or PocketSphinx is missing.
    """
    dest = Path(dest)
    sentences = split_text(storage.read_bytes(source, _MAX_TEXT).decode("utf-8", "replace"))
    if not sentences:
        raise InputError(f"{source} holds no sentences.", "Name a text file in English.")
    synthesiser, aligner = Synthesiser.find(), Aligner()
    for folder in (dest / SOUNDS, dest / FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    mouth = learn_grid_motion(Prepared.load(grid), Path(films), dest / FOLDER, part(progress, 0.0, 0.3), steps)
    names: list[str] = []
    skipped: dict[str, str] = {}
    for number, words in enumerate(sentences):
        progress(0.3 + 0.7 * number / len(sentences), "Speaking sentences")
        for version in range(versions):
            # Each version is a voice of its own: what stands before the dash is the speaker (splits.split_voices).
            name = f"voice{number}_{version}-{number}"
            if not (dest / f"{name}.npz").is_file():
                # A sentence's place in the text draws its voice: preparing again gives the same clips.
                rng = np.random.default_rng([number, version, 1])
                sound = pad_silence(synthesiser.synthesise(words, rng), rng)
                phones = cached_phones(dest / FOLDER / f"{name}.json", partial(aligner.align, sound, words.split()))
                if not phones:
                    skipped[name] = f"The words {words!r} do not fit the sound."
                    break
                write_wav(dest / SOUNDS / f"{name}.wav", sound, SAMPLE_RATE)
                sound = normalise_loudness(sound)
                mouth.clip(name, mel_spectrogram(sound), sound, phones).save(dest)
            names.append(name)
    if not names:
        raise InputError(f"No sentence of {source} could be spoken.", "Name a text file in English.")
    result = Prepared(dest, "spoken", names, [], [], skipped)
    result.save()
    progress(1.0, "Speaking sentences")
    return result


def split_text(text: str) -> list[str]:
    """Runs of up to eight plain words, lower case, that no punctuation or figure interrupts."""
    sentences: list[str] = []
    for run in re.split(r"[^a-z'\s]+", text.lower()):
        words = [word.strip("'") for word in run.split() if word.strip("'")]
        for start in range(0, len(words), _WORDS):
            chunk = words[start : start + _WORDS]
            if len(chunk) >= _LEAST:
                sentences.append(" ".join(chunk))
    return list(dict.fromkeys(sentences))
