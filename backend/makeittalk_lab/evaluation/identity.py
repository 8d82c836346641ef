"""How far a picture's face is from another's: whether they show one person.

    python -m makeittalk_lab.evaluation.identity PORTRAIT FRAMES…

The distance is that of dlib's face recognition network (King; 99.38 % on LFW; CC0): 128 numbers a face, of which two
of one person lie within 0.6 of each other. It is a tool of development (`requirements/lab.txt`), not of the product.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.images.picture import on_grey
from makeittalk.images.portrait import read_picture
from makeittalk.landmarks.detector import detect_landmarks

from ..tool import exit_status

SAME_PERSON = 0.6  # largest distance of two pictures of one person, by dlib's documentation
_CHIP, _PADDING = 150, 0.25  # the network's picture of a face: its size, px, and the room around the face
_SHAKES = 10  # slightly moved copies whose mean describes the portrait
_MODEL = "dlib_face_recognition_resnet_model_v1.dat"
_HINT = "Run `make env-lab`, or: pip install --no-deps dlib-bin face_recognition_models."


def describe_face(rgb: np.ndarray, landmarks: np.ndarray | None = None, shakes: int = 0) -> np.ndarray:
    """What says who it is: (128,) float64.

    Args:
        rgb: (H, W, 3 or 4) uint8; what is transparent counts as grey.
        landmarks: (68, ≥2) px, detected if None. shakes: slightly moved copies to average over, 0 for none.

    Raises:
        InputError: there is no face. MissingError: dlib or its network is not installed.
    """
    dlib, network = _recogniser()
    if landmarks is None:
        landmarks = detect_landmarks(rgb).landmarks
    low, high = (np.rint(edge).astype(int) for edge in (landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)))
    box = dlib.rectangle(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    shape = dlib.full_object_detection(box, [dlib.point(int(x), int(y)) for x, y in np.rint(landmarks[:, :2])])
    chip = dlib.get_face_chip(on_grey(rgb), shape, _CHIP, _PADDING)
    return np.array(network.compute_face_descriptor(chip, shakes) if shakes else network.compute_face_descriptor(chip))


def identity_distances(
    portrait: np.ndarray, frames: Sequence[np.ndarray], landmarks: np.ndarray | None = None
) -> np.ndarray:
    """Distances (N,) of frames' faces from a portrait's; at most `SAME_PERSON` is the same person.

    Args:
        portrait: (H, W, 3 or 4) uint8. frames: pictures likewise. landmarks: (68, ≥2) px of the portrait.

    Raises:
        InputError: one shows no face. MissingError: dlib or its network is not installed.
    """
    own = describe_face(portrait, landmarks, _SHAKES)
    return np.array([float(np.linalg.norm(describe_face(frame) - own)) for frame in frames])


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the mean and the largest distance."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.identity", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("portrait", type=Path, help="a picture of the person")
    parser.add_argument("frames", type=Path, nargs="+", help="pictures, or folders of them (*.png)")
    options = parser.parse_args(arguments)

    def work() -> None:
        portrait, *frames = (
            np.asarray(read_picture(path)[0]) for path in _pictures([options.portrait, *options.frames])
        )
        distances = identity_distances(portrait, frames)
        same = int((distances <= SAME_PERSON).sum())
        print(
            f"mean {distances.mean():.3f}  max {distances.max():.3f}  {same} of {len(distances)} within {SAME_PERSON}"
        )

    return exit_status(work)


def _pictures(named: Sequence[Path]) -> list[Path]:
    """The files named, folders as the pictures in them.

    Raises:
        InputError: a folder holds none.
    """
    found: list[Path] = []
    for path in named:
        inside = sorted(path.glob("*.png")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path} holds no pictures (*.png).", "Name a folder of frames.")
        found += inside
    return found


@lru_cache(maxsize=1)
def _recogniser() -> tuple[Any, Any]:
    """dlib and its network.

    Raises:
        MissingError: one is not installed.
    """
    try:
        import dlib
    except ImportError as error:
        raise MissingError("dlib is not installed.", _HINT) from error
    # Found without importing: that package wants a setuptools of old only to say where its files lie.
    package = importlib.util.find_spec("face_recognition_models")
    folders = list(package.submodule_search_locations or []) if package else []
    models = [Path(folder) / "models" / _MODEL for folder in folders]
    for model in models:
        if model.is_file():
            return dlib, dlib.face_recognition_model_v1(str(model))
    raise MissingError("The network that recognises faces is not installed.", _HINT)


if __name__ == "__main__":
    sys.exit(main())
