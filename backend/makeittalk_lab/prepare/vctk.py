"""VCTK (Veaux, Yamagishi, MacDonald 2019) → recordings for voice conversion (paper, section 4.1: 109 speakers).

    SOURCE/wav48_silence_trimmed/p225/p225_001_mic1.flac     (version 0.92; the second microphone where the first lacks)
    SOURCE/wav48/p225/p225_001.wav                           (versions before)
    SOURCE/txt/p225/p225_001.txt                             (for phones only)
    SOURCE/speaker-info.txt

SOURCE may be the folder that holds `VCTK-Corpus-0.92`, too. Speakers are split 60/20/20.
"""

from __future__ import annotations

from pathlib import Path

from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent

from ..data.clips import Prepared
from ..data.splits import split_voices
from .campaign import Campaign, Job, left_out
from .speakers import choose_speakers
from .voices import KeepRecording

KIND = "voices"
INFO = "speaker-info.txt"
SPEAKERS = "speakers.json"
_SOUNDS = ("wav48_silence_trimmed", "wav48")
_MICROPHONES = ("_mic1", "_mic2", "")  # in the order in which they are taken
_HEARD = 3  # recordings of a speaker by which it is known


def prepare_vctk(
    source: str | Path,
    dest: str | Path,
    phones: str | Path | None = None,
    progress: Progress = silent,
    speakers: int = 0,
    workers: int = 1,
) -> Prepared:
    """Writes one file a recording; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: see above. dest: folder to write, made where missing; `speakers.json` in it says who they are.
        phones: folder for the phones of the recordings, a JSON each, which are aligned to the corpus' texts where they
            are missing; without it, none are known. Recordings whose words do not fit are kept without.
        progress: told after every recording.
        speakers: how many, by Poisson disk sampling of their voices; 0 for all.
        workers: processes, 0 for as many as there are cores.

    Raises:
        InputError: the source is not VCTK, or nothing in it can be used. MissingError: Resemblyzer is not installed, or
            PocketSphinx where phones are wanted.
    """
    root, sounds = find_vctk(Path(source))
    dest = Path(dest)
    people = find_speakers(sounds)
    if not people:
        raise InputError(f"{sounds} holds no SPEAKER/SPEAKER_NUMBER recordings.", "Name the folder of VCTK.")
    chosen = sorted(people)
    if speakers:
        sounds_of = {who: tuple(said.values())[:_HEARD] for who, said in people.items()}
        chosen = choose_speakers(sounds_of, speakers, dest, part(progress, 0.0, 0.1), workers)
    jobs = {}
    for who in chosen:
        for name, path in people[who].items():
            text = root / "txt" / who / f"{name.replace('-', '_')}.txt"
            labels = () if phones is None else (text, Path(phones) / f"{path.stem}.json")
            jobs[name] = Job((path, who), (path, *labels))
    settings = {"kind": "vctk", "phones": phones is not None}
    work = KeepRecording(dest, Path(phones) if phones else None, root, needed=False)
    results = Campaign(dest, settings, "Listening to voices", workers).run(work, jobs, part(progress, 0.1, 1.0))
    skipped = left_out(results, sounds)
    prepared = Prepared(dest, KIND, *split_voices(name for name in jobs if name not in skipped), skipped)
    storage.write_json(dest / SPEAKERS, {who: told for who, told in read_info(root / INFO).items() if who in chosen})
    prepared.save()
    return prepared


def find_vctk(source: Path) -> tuple[Path, Path]:
    """The corpus' own folder, and the one with its recordings.

    Raises:
        InputError: there is none.
    """
    for root in (source, *sorted(source.glob("VCTK-Corpus*"))):
        for name in _SOUNDS:
            if (root / name).is_dir():
                return root, root / name
    raise InputError(f"{source} holds no {' and no '.join(_SOUNDS)}.", "Name the folder of VCTK.")


def find_speakers(sounds: Path) -> dict[str, dict[str, Path]]:
    """Recordings by speaker, each with the name SPEAKER-NUMBER that it gets here, one microphone of each."""
    found: dict[str, dict[str, Path]] = {}
    for folder in sorted(path for path in sounds.iterdir() if path.is_dir()):
        files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".flac", ".wav")}
        for stem in files:
            said = stem.removesuffix("_mic1").removesuffix("_mic2")
            best = next(files[said + mic] for mic in _MICROPHONES if said + mic in files)
            number = said.removeprefix(folder.name).strip("_").replace("-", "_")
            found.setdefault(folder.name.replace("-", "_"), {})[f"{folder.name.replace('-', '_')}-{number}"] = best
    return found


def read_info(path: Path) -> dict[str, dict[str, str]]:
    """Age, gender, accent and region of the speakers by `speaker-info.txt`, which the versions write differently."""
    if not path.is_file():
        return {}
    rows = storage.read_bytes(path, 1 << 20).decode("utf-8", "replace").splitlines()
    people = {}
    for row in rows[1:]:
        cells = row.partition("(")[0].split()  # remarks stand in brackets
        if len(cells) < 3:
            continue
        who = cells[0] if cells[0][0].isalpha() else f"p{cells[0]}"  # the first version leaves the p out
        region = " ".join(cells[4:])
        accent = cells[3] if len(cells) > 3 else ""
        people[who] = {"age": cells[1], "gender": cells[2], "accent": accent, "region": region}
    return people
