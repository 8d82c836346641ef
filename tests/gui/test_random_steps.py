"""Random steps in a real Blender window: nothing that was keyed is lost, lips and sound stay in step."""

from __future__ import annotations

import sys

import pytest
import samples
from project import ASSETS, ROOT
from window_run import drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(600)]

_STEPS = 300
_SECONDS = 240  # after which no further step is begun
_FEWEST = 40  # steps that a busy machine does in that time


def test_random_steps(tmp_path):
    archive, other = build_extension.build(tmp_path), tmp_path / "other.wav"
    samples.write_tone(other, 1.5)
    given = (str(archive), inside(ASSETS), str(other), "3", str(_STEPS), str(_SECONDS))
    seen = drive("random_steps.py", tmp_path, *given)
    print(seen["summary"])
    assert seen["steps"] >= _FEWEST and seen["edits"] and seen["undone"]
