"""Which take a new character gives: one of its own, or the one that was asked for."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from extension import part
from generated import shown
from project import ASSETS


@pytest.fixture
def settings(scene, backend):
    """The scene's settings, portrait and speech chosen and nothing else."""
    found = bpy.context.scene.makeittalk
    found.portrait, found.speech = str(ASSETS / "portrait_cartoon.png"), str(ASSETS / "speech.flac")
    return found


def made():
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    return part("addon.scene.character").active(bpy.context)


def head(character) -> np.ndarray:
    """(6, N) the head's curves on every frame of the character."""
    return np.array([values for path, values in sorted(shown(character).items()) if path.startswith("pose")])


def test_two_characters_do_not_move_in_step(settings):
    first = made()
    second = made()
    assert first != second and settings.draw_seed
    assert first.makeittalk.seed != second.makeittalk.seed and first.makeittalk.seed > 0 < second.makeittalk.seed
    assert np.abs(head(first) - head(second)).max() > 0.005

    seed, before = first.makeittalk.seed, head(first)
    bpy.context.view_layer.objects.active = first.makeittalk.rig
    first.makeittalk.lip = 1.5
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    assert first.makeittalk.seed == seed
    np.testing.assert_allclose(head(first), before, atol=1e-4)
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}  # of the same seed is the same take
    assert first.makeittalk.seed == seed
    np.testing.assert_allclose(head(first), before, atol=1e-4)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_chosen_seed_is_honoured(settings, seed):
    settings.seed = seed
    first = made()
    second = made()
    assert first.makeittalk.seed == second.makeittalk.seed == settings.seed == seed and not settings.draw_seed
    np.testing.assert_allclose(head(first), head(second), atol=1e-6)


def test_a_drawn_seed_is_one_that_no_character_has(make, monkeypatch):
    taken = [make(settings={"seed": seed}).makeittalk.seed for seed in (1, 2, 4)]
    monkeypatch.setattr(part("addon.properties.settings"), "_DRAWN", range(1, 6))
    settings = bpy.context.scene.makeittalk
    drawn = {settings.next_seed() for _ in range(100)}
    assert drawn == {3, 5} and not drawn & set(taken)
