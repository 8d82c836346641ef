"""Films of faces → takes for the image network: portraits, and other moments as filmed and as the mesh shows them."""

from __future__ import annotations

import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.exchange.formats import Face, Mesh, Motion
from makeittalk.exchange.progress import Progress, silent
from makeittalk.images.face_crop import FaceCrop
from makeittalk.landmarks.film import film_frames
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.tracking import Track, track_video
from makeittalk.mesh.build import build_mesh
from makeittalk.rendering.photo import motion_vertices
from makeittalk.rendering.warp import Warper

from ..data.clips import Prepared, listed_test, split_names
from ..data.image_clips import Take

FRAMES = 12  # of a take
_LONGEST = 3000  # frames of a film that are kept in memory

Splits = tuple[list[str], list[str], list[str]]


def prepare_frames(
    source: str | Path, dest: str | Path, progress: Progress = silent, track: Track = track_video, count: int = 0
) -> Prepared:
    """Makes one take of each film; a second run goes on where the first one stopped.

    Args:
        source: a folder of films, or of a GRID speaker (`video/*.mp4`, `test.txt`), or of rendered heads
            (`prepare renders`). dest: folder to write, made where missing.
        progress: told after every film. track: finds landmarks in a film.
        count: most takes to make, 0 for all; those to train on come first.

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
            make_take(name, pictures, landmarks).save(dest)
        except MakeItTalkError as error:
            skipped[name] = error.message
    made = set(wanted) - set(skipped)
    train, validation, test = ([name for name in part if name in made] for part in splits)
    prepared = Prepared(dest, "frames", train, validation, test, skipped)
    prepared.save()
    progress(1.0, "Preparing frames")
    return prepared


def make_take(name: str, pictures: np.ndarray, landmarks: np.ndarray, frames: int = FRAMES) -> Take:
    """A take of a film; its name, not the clock, chooses the portrait and the moments.

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
    return warp_take(name, pictures, landmarks, first, np.sort(np.concatenate([half, rest])))


def warp_take(name: str, pictures: np.ndarray, landmarks: np.ndarray, first: int, moments: np.ndarray) -> Take:
    """The take of a film's frame `first` as the portrait and the frames `moments` (N,) as targets.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px.

    Raises:
        InputError: the face cannot be meshed.
    """
    mesh, rgba, motion = film_character(pictures, landmarks, first, moments)
    vertices = np.stack(list(motion_vertices(mesh, motion)))
    crop = FaceCrop.of(motion.neutral)
    with Warper(mesh, rgba) as warper:
        warps = np.stack([crop.take(warper.draw(moved)[..., :3]) for moved in vertices])
    return Take(
        name,
        crop.take(pictures[first]),
        warps,
        np.stack([crop.take(pictures[moment]) for moment in moments]),
        crop.place(motion.neutral[:, :2]),
        crop.place(vertices[:, mesh.landmark_vertices, :2]),
    )


def film_character(
    pictures: np.ndarray, landmarks: np.ndarray, first: int, moments: np.ndarray
) -> tuple[Mesh, np.ndarray, Motion]:
    """A film's frame `first` as a character, and its frames `moments` (N,) as the motion of it.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px.

    Returns:
        the mesh, the portrait (H, W, 4) uint8, and the motion of N frames.

    Raises:
        InputError: the face cannot be meshed.
    """
    height, width = pictures.shape[1:3]
    neutral = landmarks[first].astype(np.float32)
    rgba = np.dstack([pictures[first], np.full((height, width), 255, np.uint8)])
    mesh = build_mesh(Face(Path("portrait.png"), width, height, neutral), rgba)
    return mesh, rgba, motion_of_landmarks(landmarks[moments].astype(np.float32), neutral, 25.0)


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


def _films(source: Path) -> tuple[dict[str, Path], Splits]:
    """Films or rendered takes by name, and which of them are to train, to validate and to test.

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
    """Pictures (T, H, W, 3) and landmarks (T, 68, 3) of a film or of a rendered take."""
    if path.suffix == ".npz":
        from ..synthetic.face_renders import Take as Rendered  # brings OpenGL

        rendered = Rendered.load(path)
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
