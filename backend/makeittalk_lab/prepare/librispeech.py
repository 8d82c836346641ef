"""LibriSpeech voices (Panayotov et al. 2015) with the mouth that a filmed speaker makes for the same phones.

LibriSpeech has no films. A small network learns from GRID which motion goes with which sequence of phones; phones
know nothing of a voice, so it can move the same mouth to the phones that PocketSphinx hears in any other voice. The
content branch then learns from many voices instead of one.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent

from ..data.clips import Prepared
from ..data.phone_files import cached_phones
from ..data.phones import Aligner
from ..data.splits import split_voices
from ..synthetic.phone_motion import TRAINING_STEPS
from .grid_phones import learn_grid_motion

_SECONDS = 10.0  # used of each recording


def prepare_librispeech(
    source: str | Path,
    dest: str | Path,
    grid: str | Path,
    films: str | Path,
    progress: Progress = silent,
    steps: int = TRAINING_STEPS,
) -> Prepared:
    """Writes one clip a recording of the training and validation voices; `split_voices` says which those are.

    Phones that were recognised once are kept in `dest/phones`. Test voices are not even listened to.

    Args:
        source: folder with `*.flac`. dest: folder to write, made where missing.
        grid: prepared GRID folder. films: the GRID folder it was made from, with `align/` and `audio/`.
        progress: told after every recording. steps: of training the mouth.

    Raises:
        InputError: there are no recordings, or GRID is not where it was named. MissingError: PocketSphinx or
            Resemblyzer is not installed.
    """
    source, dest, films = Path(source), Path(dest), Path(films)
    recordings = {path.stem: path for path in sorted(source.glob("*.flac"))}
    if not recordings:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac files.")
    prepared = Prepared.load(grid)
    phones = dest / "phones"
    phones.mkdir(parents=True, exist_ok=True)
    aligner = lru_cache(Aligner)  # made for the first recording whose phones are not known yet
    mouth = learn_grid_motion(prepared, films, phones, part(progress, 0.0, 0.4), steps, aligner)
    train, validation, _ = split_voices(recordings)
    chosen = sorted(train + validation)
    skipped: dict[str, str] = {}
    for number, name in enumerate(chosen):
        progress(0.4 + 0.6 * number / len(chosen), "Recognising phones")
        samples = load_audio(recordings[name]).samples[: int(_SECONDS * SAMPLE_RATE)]
        heard = cached_phones(phones / f"{name}.json", partial(lambda s: aligner().recognise(s), samples))
        if not heard:
            skipped[name] = f"No words were understood in {recordings[name]}."
            continue
        samples = normalise_loudness(samples)
        mouth.clip(name, mel_spectrogram(samples), samples, heard).save(dest)
    train, validation = ([name for name in names if name not in skipped] for names in (train, validation))
    result = Prepared(dest, "librispeech", train, validation, [], skipped)
    result.save()
    progress(1.0, "Recognising phones")
    return result
