"""LibriSpeech voices (Panayotov et al. 2015) with the mouth that a filmed speaker makes for the same phones.

LibriSpeech has no films. A small network learns from GRID which motion goes with which sequence of phones; phones
know nothing of a voice, so it can move the same mouth to the phones that any other voice says: those of its
transcripts, or what PocketSphinx hears where there are none. The content branch then learns from many voices instead
of one.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent

from ..data.clips import Prepared
from ..data.phone_files import cached_phones
from ..data.phone_source import PhoneSource, Unaligned
from ..data.phones import Aligner
from ..data.splits import split_voices
from ..synthetic.phone_motion import TRAINING_STEPS
from .grid_phones import learn_grid_motion


def prepare_librispeech(
    source: str | Path,
    dest: str | Path,
    grid: str | Path,
    films: str | Path,
    progress: Progress = silent,
    steps: int = TRAINING_STEPS,
) -> Prepared:
    """Writes one clip a recording of the training and validation voices; `split_voices` says which those are.

    Phones that were found once are kept in `dest/phones`. Test voices are not even listened to. Recordings whose phones
    nobody can tell are skipped with their reason.

    Args:
        source: folder with `*.flac`, and `transcripts.tsv` where it is known what they say.
        dest: folder to write, made where missing.
        grid: prepared GRID folder. films: the GRID folder it was made from, with `align/` and `audio/`.
        progress: told after every recording. steps: of training the mouth.

    Raises:
        InputError: there are no recordings, or GRID is not where it was named. MissingError: PocketSphinx or
            Resemblyzer is not installed, or what says unknown words.
    """
    source, dest, films = Path(source), Path(dest), Path(films)
    recordings = {path.stem: path for path in sorted(source.glob("*.flac"))}
    if not recordings:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac files.")
    prepared = Prepared.load(grid)
    phones = dest / "phones"
    phones.mkdir(parents=True, exist_ok=True)
    aligner = lru_cache(Aligner)  # made for the first recording whose phones are not known yet
    spoken = PhoneSource(source, aligner)
    mouth = learn_grid_motion(prepared, films, phones, part(progress, 0.0, 0.4), steps, aligner)
    train, validation, _ = split_voices(recordings)
    chosen = sorted(train + validation)
    skipped: dict[str, str] = {}
    for number, name in enumerate(chosen):
        progress(0.4 + 0.6 * number / len(chosen), "Aligning words")
        samples = load_audio(recordings[name]).samples
        try:
            heard = cached_phones(phones / f"{name}.json", partial(spoken.phones, name, samples))
        except Unaligned as error:
            skipped[name] = error.message
            continue
        samples = normalise_loudness(samples)
        mouth.clip(name, mel_spectrogram(samples), samples, heard).save(dest)
    train, validation = ([name for name in names if name not in skipped] for names in (train, validation))
    result = Prepared(dest, "librispeech", train, validation, [], skipped)
    result.save()
    progress(1.0, "Aligning words")
    return result
