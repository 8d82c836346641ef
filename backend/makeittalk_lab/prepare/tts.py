"""GRID's sentences in the voices of speech synthesisers, with the filmed speaker's own motion.

One filmed speaker is one voice. A synthesiser says the same sentence in any number of them, and PocketSphinx finds the
same phones in both, so the filmed motion can be brought to the synthetic sound phone by phone. Unlike a motion
learned from phones (prepare.librispeech) it stays real motion, and the words are the corpus' own.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from ..data.augment import interpolate_frames
from ..data.clips import Clip, Prepared
from ..data.phone_files import FOLDER, cached_phones
from ..data.phones import Aligner, Phone
from ..data.transcripts import aligned_words
from ..synthetic.speech_synthesis import Synthesiser, pad_silence, spell_letters

VERSIONS = 3  # voices that say each sentence
_RATIO = (0.55, 1.6)  # how much longer the synthetic sentence may be
_SOFTEN = 9  # frames over which the pace passes from one phone to the next


def prepare_tts(source: str | Path, dest: str | Path, grid: str | Path, progress: Progress = silent) -> Prepared:
    """Writes up to `VERSIONS` clips for each sentence of a prepared GRID folder's training clips.

    Args:
        source: the GRID folder, with `align/` and `audio/`. dest: folder to write, made where missing; clips that are
            there are kept.
        grid: prepared GRID folder.
        progress: told after every sentence.

    Returns:
        The prepared folder. Sentences that come out with other phones than the film's are skipped.

    Raises:
        InputError: the folder was not prepared, or no sentence could be used.
        MissingError: no synthesiser, or PocketSphinx is not installed.
    """
    source, dest, prepared = Path(source), Path(dest), Prepared.load(grid)
    synthesiser, aligner = Synthesiser.find(), Aligner()
    dest.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    skipped: dict[str, str] = {}
    for number, name in enumerate(prepared.train):
        progress(number / len(prepared.train), "Speaking sentences")
        words, filmed = aligned_words(source / "align" / f"{name}.align"), None
        for version in range(VERSIONS):
            target = dest / f"{name}_{version}.npz"
            if not target.is_file():
                # A clip's place in the list draws its voice: preparing again gives the same clips.
                rng = np.random.default_rng([number, version])
                sound = pad_silence(synthesiser.synthesise(spell_letters(words), rng), rng)
                if filmed is None:
                    samples = load_audio(source / "audio" / f"{name}.flac").samples
                    kept = dest / FOLDER / f"{name}.json"
                    filmed = cached_phones(kept, partial(aligner.align, samples, words))
                clip = spoken_clip(prepared.clip(name), target.stem, sound, aligner.align(sound, words), filmed)
                if clip is None:
                    skipped[target.stem] = "Its phones are not those of the film."
                    continue
                clip.save(dest)
            names.append(target.stem)
    if not names:
        raise InputError(f"No sentence of {source} could be spoken.", "Check the synthesiser and the corpus.")
    result = Prepared(dest, "tts", names, [], [], skipped)
    result.save()
    progress(1.0, "Speaking sentences")
    return result


def spoken_clip(clip: Clip, name: str, sound: np.ndarray, spoken: list[Phone], filmed: list[Phone]) -> Clip | None:
    """The filmed clip with another sound, its motion brought to that sound's phones; None where they differ."""
    first, second = ([phone for phone in phones if phone[2] != "SIL"] for phones in (spoken, filmed))
    if not first or [phone[2] for phone in first] != [phone[2] for phone in second]:
        return None
    here, there = (np.array([edge for phone in phones for edge in phone[:2]]) for phones in (first, second))
    if not _RATIO[0] < (here[-1] - here[0]) / (there[-1] - there[0]) < _RATIO[1]:
        return None
    sound = normalise_loudness(sound)
    mel = mel_spectrogram(sound)
    landmarks = interpolate_frames(clip.landmarks, time_map(here, there, len(mel)))
    voice = speaker_embedding(sound)
    return Clip(name, mel, landmarks, clip.neutral, landmarks, embedding=voice, samples=sound)


def time_map(here: np.ndarray, there: np.ndarray, frames: int) -> np.ndarray:
    """Which frame of the film is shown at each frame of the sound, from edges of phones in both (s); (frames,)."""
    rising = np.concatenate([[True], np.diff(here) > 1e-6])
    here, there = here[rising], there[rising]
    # Before and behind the sentence both run at the same pace.
    edges = np.concatenate([[here[0] - 3.0], here, [here[-1] + 3.0]])
    shown = np.concatenate([[there[0] - 3.0], there, [there[-1] + 3.0]])
    positions = np.interp(np.arange(frames) / FRAME_RATE, edges, shown) * FRAME_RATE
    window = np.hanning(_SOFTEN + 2)[1:-1]
    return np.convolve(np.pad(positions, _SOFTEN // 2, mode="edge"), window / window.sum(), "valid")
