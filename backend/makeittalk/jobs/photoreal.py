"""Photoreal frames of a character as it moves in Blender: only those that are missing or have changed are drawn."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..audio.mix import film_sound
from ..exchange import storage
from ..exchange.constants import MAX_NPZ_BYTES
from ..exchange.errors import InputError
from ..exchange.formats import Mesh, Moves
from ..exchange.progress import Progress, part, silent
from ..exchange.protocol import Sound
from ..exchange.rates import exact_rate
from ..images.picture import fingerprint
from ..images.portrait import read_picture
from ..mesh.depth_restore import restore_depth
from ..rendering.beside import beside
from ..rendering.frame_store import FrameStore, Shown, encode
from ..rendering.video import write_mp4

_VERSION = 2  # of the drawing: frames of another one are drawn again
_ENCODERS = 4  # threads
_TURNED = 64  # frames at a time
_WAITING = 512 * 2**20  # bytes of pictures that may wait for their encoding

PathLike = str | os.PathLike[str]


@dataclass
class Rendered:
    """What a run left in its folder.

    Attributes:
        folder: where. first, last: the finished frames that follow one another there, this run's and those around.
        drawn: how many this run drew. film: the MP4, if one was asked for. notices: for the user.
    """

    folder: Path
    first: int
    last: int
    drawn: int
    film: Path | None = None
    notices: tuple[str, ...] = ()


def render_frames(
    portrait: PathLike,
    mesh_file: PathLike,
    moves_file: PathLike,
    folder: PathLike,
    *,
    first: int = 1,
    fps: float = 24.0,
    film: PathLike = "",
    sounds: Sequence[Sound] = (),
    device: str = "auto",
    weights: str | None = None,
    progress: Progress = silent,
) -> Rendered:
    """Draws the frames of a moving character into a folder, and from them a film.

    Frames that are finished there and show the same vertices, portrait, mesh and weights stay as they are, so a run
    goes on where another one was stopped or killed, and after an edit only what has changed is drawn.

    Args:
        portrait: the picture that the character was made from. mesh_file: its `mesh.npz`.
        moves_file: a `Moves` with the vertices of every frame, the head's motion included.
        folder: where the frames go. first: number of the first, 0 or more.
        fps: frames/s of the film. film: an .mp4 to write from the frames, none if empty. sounds: what is heard in it.
        device: "auto", "cpu", "cuda" or "mps". weights: see `load_image_network`.

    Raises:
        InputError: the portrait is not the character's, or an input cannot be used.
        OutputError: the folder cannot be written, or the disk is full; what is finished stays.
        MissingError: there are no such weights.
        Cancelled: `progress` said so; what is finished stays.
    """
    progress(0.0, "Reading the character")
    rate = exact_rate(fps)
    mesh, moves = Mesh.load(mesh_file), Moves.load(moves_file).vertices
    rgba = np.asarray(read_picture(portrait)[0])
    mark = fingerprint(rgba)
    _check_portrait(rgba, mark, mesh)
    if moves.shape[1] != len(mesh.vertices):
        raise InputError(
            f"The moving mesh has {moves.shape[1]} vertices, the character {len(mesh.vertices)}.",
            "Remove modifiers that change their number.",
        )
    if first < 0:
        raise InputError(f"Frame {first} cannot be numbered.", "Begin at frame 0 or later.")
    character = _character(mark, mesh_file, weights)
    shown = [Shown(character, _hash(vertices)) for vertices in moves]
    with FrameStore(folder) as store:
        missing = [index for index in range(len(moves)) if not store.has(first + index, shown[index])]
        finished = len(moves) - len(missing)
        share = part(progress, 0.0, 0.9) if film else progress
        if missing:
            share(0.0, "Loading the network")
        for index, png in _drawn(mesh, rgba, moves, missing, device, weights):
            store.put(first + index, png, shown[index])
            finished += 1
            share(1.0 - (len(moves) - finished) / len(missing), f"Frame {finished} of {len(moves)}")
        last = first + len(moves) - 1
        if film:
            size = (rgba.shape[1], rgba.shape[0])
            pictures = (_checked(store, number, size) for number in range(first, last + 1))
            speech = film_sound(sounds, len(moves) / float(rate)) if sounds else None
            write_mp4(film, pictures, rate, size, speech, part(progress, 0.9, 1.0), total=len(moves))
        low, high = store.stretch(first, last, character)
        store.hold(low)
    progress(1.0, "Finishing")
    return Rendered(Path(folder), low, high, len(missing), Path(film) if film else None, tuple(store.notices))


def _drawn(
    mesh: Mesh, rgba: np.ndarray, moves: np.ndarray, missing: list[int], device: str, weights: str | None
) -> Iterator[tuple[int, bytes]]:
    """Index and PNG of each missing frame, in order; encoding goes on beside the drawing."""
    if not missing:
        return
    from ..rendering.photo import PhotoRenderer
    from ..rendering.seen_turns import fitting_relief
    from ..weights.released import load_image_network

    model = load_image_network(weights, device)
    shares = fitting_relief(mesh, rgba)
    room = max(1, min(4 * _ENCODERS, _WAITING // rgba.nbytes))
    with PhotoRenderer(mesh, rgba, model) as renderer:
        pictures = renderer.frames(_turned(mesh, moves, missing, shares))
        with contextlib.closing(beside(encode, pictures, _ENCODERS, room)) as encoded:
            yield from zip(missing, encoded, strict=True)


def _turned(mesh: Mesh, moves: np.ndarray, missing: list[int], shares: tuple[float, float]) -> Iterator[np.ndarray]:
    """The vertices (V, 3) px of the missing frames, with the head's whole relief."""
    for first in range(0, len(missing), _TURNED):
        yield from restore_depth(mesh, moves[missing[first : first + _TURNED]], shares)


def _check_portrait(rgba: np.ndarray, mark: np.ndarray, mesh: Mesh) -> None:
    """Sees to it that a picture (H, W, 4) uint8 with this fingerprint is the one that the mesh was built from.

    Raises:
        InputError: it is another one.
    """
    hint = "Put the old picture back, or run Make It Talk with the new one."
    width, height = (int(side) for side in mesh.image_size)
    if (rgba.shape[1], rgba.shape[0]) != (width, height):
        raise InputError(
            f"The portrait has {rgba.shape[1]} × {rgba.shape[0]} px, the character was made from one of "
            f"{width} × {height} px.",
            hint,
        )
    if mesh.picture is not None and not np.array_equal(mesh.picture, mark):
        raise InputError("The portrait is no longer the picture that the character was made from.", hint)


def _character(mark: np.ndarray, mesh_file: PathLike, weights: str | None) -> str:
    """A hash of what all frames of a character share."""
    from ..networks.image_inference import DEFAULT_IMAGE
    from ..weights.files import fingerprint_of
    from ..weights.released_folder import IMAGE, released_fingerprint, released_folder

    folder = released_folder(weights)
    network = released_fingerprint(folder, IMAGE) if folder else fingerprint_of(weights or DEFAULT_IMAGE)
    digest = hashlib.blake2b(f"{_VERSION} {network}".encode(), digest_size=16)
    digest.update(mark.data)
    digest.update(storage.read_bytes(mesh_file, MAX_NPZ_BYTES))
    return digest.hexdigest()


def _hash(vertices: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(vertices, "<f4").data, digest_size=16).hexdigest()


def _checked(store: FrameStore, number: int, size: tuple[int, int]) -> np.ndarray:
    picture = store.read(number)
    if (picture.shape[1], picture.shape[0]) != size:
        raise InputError(f"{store.path(number)} has another size than the portrait.", "Delete it and run again.")
    return picture
