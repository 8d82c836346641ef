"""Photoreal heads are seen to turn as far as they are asked to, by the detector that looks at their frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from makeittalk.jobs.animate import find_face
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.depth_restore import DEFAULT_RELIEF
from makeittalk.rendering.seen_turns import fitting_relief
from makeittalk_lab.evaluation.head_turns import head_turns
from project import ASSETS

PORTRAITS = (ASSETS / "portrait_photo.jpg", Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg")
MEAN, WORST = 1.5, 2.5  # degrees


@pytest.mark.parametrize("path", PORTRAITS, ids=lambda path: path.stem)
def test_ten_degrees_are_seen_as_ten(path: Path, tmp_path: Path) -> None:
    portrait = find_face(path, tmp_path)
    mesh = build_mesh(portrait.face, portrait.rgba)
    turns = head_turns(mesh, portrait.rgba, restored=True, axes=("pitch", "yaw"), angles=(-10.0, 10.0))
    assert turns.mean <= MEAN and turns.worst <= WORST, turns.errors


def test_a_portrait_whose_face_nobody_sees_has_the_usual_share(tmp_path: Path) -> None:
    portrait = find_face(PORTRAITS[0], tmp_path)
    mesh = build_mesh(portrait.face, portrait.rgba)
    assert fitting_relief(mesh, np.full_like(portrait.rgba, 255)) == DEFAULT_RELIEF
    assert fitting_relief(replace(mesh, lost_depth=None), portrait.rgba) == DEFAULT_RELIEF
