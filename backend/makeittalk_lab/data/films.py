"""Films of faces: where they lie in folders and corpora, and short ones in memory."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import silent
from makeittalk.landmarks.film import film_frames
from makeittalk.landmarks.tracking import Track

from .clips import Prepared, listed_test, split_names
from .splits import split_voices

_LONGEST = 3000  # frames of a film that are kept in memory
_SOUNDS = (".m4a", ".wav", ".flac", ".aac")

Splits = tuple[list[str], list[str], list[str]]


def read_film(path: str | Path) -> np.ndarray:
    """Every picture of a short film, (T, H, W, 3) uint8 RGB.

    Raises:
        InputError: it is no film, or longer than 3000 frames.
    """
    pictures = []
    with closing(film_frames(path)) as frames:
        for frame in frames:
            pictures.append(frame.rgb)
            if len(pictures) > _LONGEST:
                raise InputError(f"{path} is longer than {_LONGEST} frames.", "Cut the film.")
    if not pictures:
        raise InputError(f"{path} holds no frames.", "Choose a film of a face.")
    return np.stack(pictures)


def films_in(source: Path) -> list[Path]:
    """The films of a folder, or of a GRID speaker's `video` in it.

    Raises:
        InputError: there are none.
    """
    films = sorted((source / "video" if (source / "video").is_dir() else source).glob("*.mp4"))
    if not films:
        raise InputError(f"{source} holds no films (*.mp4).", "Name a folder of films of faces.")
    return films


def read_face(path: Path, track: Track) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (T, H, W, 3) and landmarks (T, 68, 3) px of a short film.

    Raises:
        InputError: it is no film, is too long, or its face is not seen in every frame.
    """
    pictures = read_film(path)
    landmarks, _, _ = track(path, silent)
    if not np.isfinite(landmarks).all() or len(landmarks) != len(pictures):
        raise InputError(f"{path} has frames without a face.")
    return pictures, landmarks


def face_films(source: Path, rendered: str, like: Path | None = None) -> tuple[dict[str, Path], Splits]:
    """Films or rendered clips by name, and which of them are to train, to validate and to test.

    Args:
        source: a folder of films; one of a GRID speaker (`video/*.mp4`, `test.txt`); VoxCeleb2; films in `train/` and
            `test/` (the crops of Siarohin et al. 2019); or a folder that was prepared as `rendered`.
        like: prepared clips of such films, of which those are taken, and as they are split.

    Raises:
        InputError: there are none.
    """
    if (source / "prepared.json").is_file():
        made = Prepared.load(source)
        if made.kind != rendered:
            raise InputError(f"{source} holds no {rendered}.", f"Make them with `makeittalk prepare {rendered}`.")
        parts = (made.train, made.validation, made.test)
        return {name: source / f"{name}.npz" for part in parts for name in part}, parts
    speakers = voxceleb2_films(source)
    if speakers:
        films = {name: film for clips in speakers.values() for name, film in clips}
        splits = split_voices(films)
    elif (source / "train").is_dir():
        learned, tested = ({path.stem: path for path in films_in(source / part)} for part in ("train", "test"))
        films, splits = learned | tested, split_names([*learned, *tested], set(tested))
    else:
        films = {path.stem: path for path in films_in(source)}
        splits = split_names(list(films), listed_test(source))
    if like is None:
        return films, splits
    index = Prepared.load(like)
    train, validation, test = ([n for n in p if n in films] for p in (index.train, index.validation, index.test))
    if not train:
        raise InputError(f"{source} holds none of the films that {like} was made of.", "Name the corpus it came from.")
    return films, (train, validation, test)


def voxceleb2_films(source: Path) -> dict[str, list[tuple[str, Path]]]:
    """VoxCeleb2's clips by speaker, each with the name SPEAKER-VIDEO-CLIP that it gets here and its film."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for root in (source / "dev" / "mp4", source / "mp4", source / "test" / "mp4"):
        for film in sorted(root.glob("*/*/*.mp4")):
            video, speaker = film.parent.name, film.parent.parent.name
            found.setdefault(speaker, []).append((f"{speaker}-{video}-{film.stem}", film))
    return found


def sound_of(film: Path) -> Path:
    """The file that holds a film's sound: one beside it, one in VoxCeleb2's `aac` tree, else the film."""
    speaker, video = film.parent.parent, film.parent.name
    aac = speaker.parent.parent / "aac" / speaker.name / video / film.name
    for path in (film, aac):
        for suffix in _SOUNDS:
            if (sound := path.with_suffix(suffix)).is_file():
                return sound
    return film
