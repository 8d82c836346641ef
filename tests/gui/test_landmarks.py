"""Landmarks by hand in a real Blender window: seven clicks on a drawing that nobody finds, and a correction later."""

from __future__ import annotations

import json
import sys

import drawn_face
import numpy as np
import pytest
from project import ASSETS, ROOT
from window_run import drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("landmarks")
    drawing = str(drawn_face.write(folder / "drawn.png"))
    clicks = json.dumps(drawn_face.CLICKS)
    archive = str(build_extension.build(folder))
    return drive("landmarks.py", folder, archive, drawing, inside(ASSETS / "speech.flac"), clicks)


def test_no_face_leads_to_the_landmarks(seen):
    assert seen["no face"]["characters"] == 0 and "No face was found" in seen["no face"]["message"]
    assert "Edit Landmarks" in seen["no face"]["hint"]
    assert "Place by Clicks" in seen["begun"]["message"] and seen["begun"]["mode"] == "EDIT_MESH"


def test_seven_clicks_place_a_face_and_escape_places_none(seen):
    assert seen["escaped"]["same"] and "No point" in seen["escaped"]["message"]
    placed = np.array(seen["placed"])
    for members, wanted in zip(
        (range(36, 42), range(42, 48), [30], [48], [54], [62, 66], [8]), drawn_face.CLICKS, strict=True
    ):
        np.testing.assert_allclose(placed[list(members)].mean(axis=0), wanted, atol=1.5)  # a pixel of the screen


def test_blenders_own_tools_move_them_and_undo_takes_it_back(seen):
    placed, dragged = np.array(seen["placed"]), np.array(seen["dragged"])
    shift = dragged - placed
    assert shift[:, 0].min() > 5 and np.ptp(shift, axis=0).max() < 0.1
    np.testing.assert_allclose(seen["undone"], placed, atol=0.05)


def test_the_drawing_talks_and_is_corrected_in_place(seen):
    assert seen["applied"] == {"gone": True, "placed": True} and seen["made"] == "drawn"
    reshaped = seen["reshaped"]
    assert "corrected face" in reshaped["message"] and reshaped["action"] and reshaped["points"]
    assert reshaped["mouth"] == pytest.approx(reshaped["wanted"], abs=2.0)
