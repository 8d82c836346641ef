"""Rendered heads → a data set of speaking faces of many people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..synthetic.face_renders import SIZE, render_clip
from ..synthetic.head_model import HeadModel
from ..synthetic.head_scene import HeadScene
from ..synthetic.landmark_head import HEAD_FILE

KIND = "renders"
COUNT = 600
# Each clip is another person's. Which split it is in follows from its number alone: more clips move none.
_TEST, _VALIDATION = 10, 20  # one clip in so many
_INDEX = 20  # clips after which the index is written again, so that an interrupted run leaves a usable folder


def prepare_renders(
    source: str | Path, dest: str | Path, progress: Progress = silent, count: int = COUNT, seed: int = 0
) -> Prepared:
    """Renders clips; those that are there are kept.

    Args:
        source: `ict_facekit.npz`, or a folder that holds it. dest: folder to write, made where missing.
        progress: told after every clip. count: clips. seed: another number gives other people.

    Returns:
        The prepared folder; one clip in ten is for the test, one in twenty to validate.

    Raises:
        InputError: the head is missing or damaged. MissingError: there is no OpenGL.
    """
    source, dest = Path(source), Path(dest)
    model = HeadModel.load(source / HEAD_FILE if source.is_dir() else source)
    dest.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    with HeadScene(model, SIZE) as head:
        for number in range(count):
            progress(number / count, "Rendering heads")
            name = f"take_{seed}_{number:05d}"
            if not (dest / f"{name}.npz").is_file():
                # Drawn by the clip's number: rendering again gives the same clips.
                render_clip(head, np.random.default_rng([seed, number])).save(dest / f"{name}.npz")
            names.append(name)
            if len(names) % _INDEX == 0:
                split_renders(dest, names).save()
    prepared = split_renders(dest, names)
    prepared.save()
    progress(1.0, "Rendering heads")
    return prepared


def split_renders(dest: Path, names: list[str]) -> Prepared:
    """The index of clips in the order of their numbers."""
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for number, name in enumerate(names, 1):
        parts["test" if number % _TEST == 0 else "validation" if number % _VALIDATION == 5 else "train"].append(name)
    return Prepared(dest, KIND, **parts, skipped={})
