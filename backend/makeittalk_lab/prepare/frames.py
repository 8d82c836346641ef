"""Films of faces → clips for the image network: portraits, and other moments as filmed and as the mesh shows them."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.tracking import Track, track_video

from ..data.clips import Prepared, listed_test, split_names
from ..data.films import films_in, read_film
from ..data.image_clips import ImageClip
from ..data.rendered_clips import RenderedClip
from ..synthetic.film_characters import warp_clip

FRAMES = 12  # of a clip

Splits = tuple[list[str], list[str], list[str]]


def prepare_frames(
    source: str | Path, dest: str | Path, progress: Progress = silent, track: Track = track_video, count: int = 0
) -> Prepared:
    """Makes one clip of each film; a second run goes on where the first one stopped.

    Args:
        source: a folder of films, or of a GRID speaker (`video/*.mp4`, `test.txt`), or of rendered heads
            (`prepare renders`). dest: folder to write, made where missing.
        progress: told after every film. track: finds landmarks in a film.
        count: most clips to make, 0 for all; those to train on come first.

    Returns:
        The prepared folder. Films without a face in every frame are skipped with their reason.

    Raises:
        InputError: the source holds no films.
    """
    source, dest = Path(source), Path(dest)
    films, splits = _films(source)
    dest.mkdir(parents=True, exist_ok=True)
    wanted = _spread(splits, count)
    skipped: dict[str, str] = {}
    for index, name in enumerate(wanted):
        progress(index / len(wanted), "Preparing frames")
        if (dest / f"{name}.npy").is_file():
            continue
        try:
            pictures, landmarks = _moments(films[name], track)
            make_image_clip(name, pictures, landmarks).save(dest)
        except MakeItTalkError as error:
            skipped[name] = error.message
    made = set(wanted) - set(skipped)
    train, validation, test = ([name for name in part if name in made] for part in splits)
    prepared = Prepared(dest, "frames", train, validation, test, skipped)
    prepared.save()
    progress(1.0, "Preparing frames")
    return prepared


def make_image_clip(name: str, pictures: np.ndarray, landmarks: np.ndarray, frames: int = FRAMES) -> ImageClip:
    """A clip of a film; its name, not the clock, chooses the portrait and the moments.

    Half of the portraits are the frame with the least open mouth, half any frame; half of the moments are drawn from
    the film's most open third.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px.

    Raises:
        InputError: the face cannot be meshed.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    gap = opening(landmarks)
    first = int(gap.argmin() if rng.random() < 0.5 else rng.integers(len(pictures)))
    others = np.setdiff1d(np.arange(len(pictures)), [first])
    wide = others[np.argsort(gap[others])][-max(1, len(others) // 3) :]
    half = rng.permutation(wide)[: frames // 2]
    rest = rng.permutation(np.setdiff1d(others, half))[: frames - len(half)]
    return warp_clip(name, pictures, landmarks, first, np.sort(np.concatenate([half, rest])))


def _films(source: Path) -> tuple[dict[str, Path], Splits]:
    """Films or rendered clips by name, and which of them are to train, to validate and to test.

    Raises:
        InputError: there are none.
    """
    if (source / "prepared.json").is_file():
        renders = Prepared.load(source)
        if renders.kind != "renders":
            raise InputError(f"{source} holds no rendered heads.", "Make them with `makeittalk prepare renders`.")
        splits = (renders.train, renders.validation, renders.test)
        return {name: source / f"{name}.npz" for part in splits for name in part}, splits
    films = {path.stem: path for path in films_in(source)}
    return films, split_names(list(films), listed_test(source))


def _moments(path: Path, track: Track) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (T, H, W, 3) and landmarks (T, 68, 3) of a film or of a rendered clip."""
    if path.suffix == ".npz":
        rendered = RenderedClip.load(path)
        return rendered.pictures, rendered.landmarks
    pictures = read_film(path)
    landmarks, _, _ = track(path, silent)
    if not np.isfinite(landmarks).all() or len(landmarks) != len(pictures):
        raise InputError(f"{path} has frames without a face.")
    if len(pictures) < 2:
        raise InputError(f"{path} holds one frame only.")
    return pictures, landmarks


def _spread(splits: Splits, count: int) -> list[str]:
    """Names in the order they are prepared: all, or `count` of them spread over each split."""
    total = sum(map(len, splits))
    chosen = []
    for part in splits:
        share = len(part) if not count else min(len(part), max(1, round(count / total * len(part))))
        chosen += [part[int(index)] for index in np.linspace(0, len(part) - 1, share)] if part else []
    return chosen
