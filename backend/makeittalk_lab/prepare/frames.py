"""Films of faces → clips for the image network: portraits, and other moments as filmed and as the mesh shows them."""

from __future__ import annotations

import zlib
from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.tracking import Track, track_video

from ..data.clips import Prepared
from ..data.films import Splits, face_films, read_face
from ..data.image_clips import ImageClip
from ..data.rendered_clips import RenderedClip
from ..synthetic.film_characters import warp_clip
from .campaign import Campaign, Job, left_out

FRAMES = 12  # of a clip


def prepare_frames(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    track: Track = track_video,
    count: int = 0,
    like: Path | None = None,
    workers: int = 1,
) -> Prepared:
    """Makes one clip of each film; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: films in one of the layouts of `face_films`, or rendered heads (`prepare renders`).
        dest: folder to write, made where missing. progress: told after every film. track: finds landmarks in a film.
        count: most clips to make, 0 for all; those to train on come first.
        like: prepared clips, of whose films the frames are taken, split as those.
        workers: processes, 0 for as many as there are cores.

    Returns:
        The prepared folder. Films without a face in every frame are skipped with their reason.

    Raises:
        InputError: the source holds no films, or none that can be used.
    """
    source, dest = Path(source), Path(dest)
    films, splits = face_films(source, "renders", like)
    wanted = _spread(splits, count)
    jobs = {name: Job(films[name], (films[name],)) for name in wanted}
    campaign = Campaign(dest, {"kind": "frames"}, "Preparing frames", workers)
    skipped = left_out(campaign.run(partial(_keep_clip, dest=dest, track=track), jobs, progress), source)
    made = set(wanted) - set(skipped)
    train, validation, test = ([name for name in part if name in made] for part in splits)
    prepared = Prepared(dest, "frames", train, validation, test, skipped)
    prepared.save()
    return prepared


def _keep_clip(name: str, path: Path, dest: Path, track: Track) -> None:
    """Writes the clip of a film or of a rendered clip."""
    if path.suffix == ".npz":
        rendered = RenderedClip.load(path)
        pictures, landmarks = rendered.pictures, rendered.landmarks
    else:
        pictures, landmarks = read_face(path, track)
    if len(pictures) < 2:
        raise InputError(f"{path} holds one frame only.")
    make_image_clip(name, pictures, landmarks).save(dest)


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


def _spread(splits: Splits, count: int) -> list[str]:
    """Names in the order they are prepared: all, or `count` of them spread over each split."""
    total = sum(map(len, splits))
    chosen = []
    for part in splits:
        share = len(part) if not count else min(len(part), max(1, round(count / total * len(part))))
        chosen += [part[int(index)] for index in np.linspace(0, len(part) - 1, share)] if part else []
    return chosen
