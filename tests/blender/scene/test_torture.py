"""Random things that an animator does, in any order: nothing that was keyed is lost, lips and sound stay in step."""

from __future__ import annotations

import bpy
import pytest
import samples
from extension import part
from project import ASSETS
from torture import Torture


@pytest.fixture
def torture(scene, backend, tmp_path):
    """A character of the embedded portrait, and what is done to it from a seed."""
    settings = scene.makeittalk
    settings.portrait, settings.speech = str(ASSETS / "portrait_cartoon.png"), str(ASSETS / "speech.flac")
    settings.seed = 0
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    other = tmp_path / "other.wav"
    samples.write_tone(other, 1.5)
    return lambda seed: Torture(part, seed, tmp_path, [ASSETS / "speech.flac", other])


def run(torture, seed: int, steps: int) -> None:
    made = torture(seed)
    made.run(steps)
    print(f"seed {seed}: {made.summary}")


@pytest.mark.timeout(600)
def test_sixty_steps(torture):
    run(torture, 13, 60)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", [1, 2])
def test_three_hundred_steps(torture, seed):
    run(torture, seed, 300)
