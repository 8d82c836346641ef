"""Try the Example, with the real backend."""

from __future__ import annotations

import bpy
import pytest
from extension import part
from sounding import SOUND


@pytest.mark.parametrize("kind", ["cartoon", "photo"])
def test_one_call_makes_the_example_talk(scene, backend, kind):
    assert bpy.ops.makeittalk.try_example(portrait=kind) == {"FINISHED"}
    (character,) = part("addon.scene.character").characters(scene)
    settings = character.makeittalk
    assert settings.style == kind and settings.frames > 50
    assert scene.makeittalk.portrait.endswith(("portrait_cartoon.png", "portrait_photo.jpg"))
    if SOUND:
        strip = part("addon.scene.speech").strip_of(scene, character.makeittalk.current)
        assert part("addon.compat").strip_span(strip)[0] == settings.start


def test_a_backend_that_fails_leaves_the_fields_as_they_were(scene, extension, monkeypatch, tmp_path):
    connection = part("addon.jobs.connection")
    connection.close()
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setenv("MAKEITTALK_PYTHON", str(python))
    with pytest.raises(RuntimeError, match=r"backend"):
        bpy.ops.makeittalk.try_example()
    connection.close()
    assert scene.makeittalk.portrait == "" and scene.makeittalk.speech == ""
    assert part("addon.scene.character").characters(scene) == []
    assert bpy.context.window_manager.makeittalk.is_error


def test_without_a_backend_it_is_grey_and_says_why(scene, extension, monkeypatch):
    part("addon.jobs.connection").close()
    monkeypatch.delenv("MAKEITTALK_PYTHON", raising=False)
    assert not bpy.ops.makeittalk.try_example.poll()
