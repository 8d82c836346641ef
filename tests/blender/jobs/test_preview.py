"""Preview without a window, the backend real: what is kept is what Make It Talk makes, what is stopped is nothing."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import bpy
import drawn_face
import numpy as np
import pytest
from extension import part
from generated import shown
from project import ASSETS


@pytest.fixture
def settings(scene, backend, tmp_path, monkeypatch):
    """The scene's settings, portrait and speech chosen; temporary folders of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = bpy.context.scene.makeittalk
    found.portrait, found.speech = str(ASSETS / "portrait_cartoon.png"), str(ASSETS / "speech.flac")
    found.seed = 7
    return found


@pytest.fixture
def preview(settings):
    """A preview that has begun."""
    job = part("addon.jobs.preview").Preview(bpy.context, viewport())
    yield job
    job.close()


def viewport() -> bpy.types.Area:
    return next(area for area in bpy.context.window.screen.areas if area.type == "VIEW_3D")


def until(job, condition, seconds: float = 120.0) -> None:
    """Polls a preview, as its operator does, until something is so; fails where the preview ends before."""
    end = time.monotonic() + seconds
    while not condition():
        ended = job.poll()
        assert time.monotonic() < end and (condition() or not ended), bpy.context.window_manager.makeittalk.stage
        time.sleep(0.005)


def folders() -> list[str]:
    mine = part("backend.makeittalk.exchange.owner").mine()
    return sorted(path.name for path in Path(tempfile.gettempdir()).glob(f"makeittalk-{mine}-*"))


def data() -> dict[str, list[str]]:
    """The datablocks of the file."""
    kinds = ("objects", "meshes", "images", "actions", "sounds", "materials", "collections", "armatures", "scenes")
    return {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}


def test_what_is_kept_is_what_make_it_talk_makes(preview, settings):
    before = data()
    until(preview, lambda: preview.overlay.motion is not None)
    assert preview.playback.until == 0.0  # the face first, then its speech
    until(preview, lambda: preview.playback.until > 0.0)
    assert 0.0 < preview.playback.until < preview.playback.seconds
    preview.keep()
    assert not preview.whole  # it is kept as soon as all is predicted
    settings.lip = 1.4
    until(preview, lambda: preview.whole)
    assert preview.poll() and data() == before
    assert "speaks from frame 1 " in preview.finish(bpy.context)
    kept = part("addon.scene.character").active(bpy.context)
    assert (kept.makeittalk.lip, kept.makeittalk.seed) == (pytest.approx(1.4), 7)
    assert not folders() and part("addon.jobs.long_job").current_job() is None
    found = shown(kept)
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    other = shown(part("addon.scene.character").active(bpy.context))
    assert found.keys() == other.keys()
    for path, values in found.items():
        np.testing.assert_allclose(values, other[path], atol=1e-5)


def test_what_is_stopped_leaves_nothing(preview, settings):
    before = data()
    until(preview, lambda: preview.playback.until > 0.0)
    assert folders() and data() == before
    preview.cancel()
    end = time.monotonic() + 20.0
    while not preview.poll():
        assert time.monotonic() < end
    preview.close()
    session = bpy.context.window_manager.makeittalk
    assert not folders() and data() == before and not session.running and not session.previewing
    assert part("addon.jobs.long_job").current_job() is None
    assert settings.seed == 7 and not settings.draw_seed


def test_seed_and_smoothing_act_while_it_runs(preview, settings):
    until(preview, lambda: preview.whole)
    first = preview.overlay.motion.pose(60, part("backend.makeittalk.exchange.amounts").Amounts())
    settings.seed = 12
    until(preview, lambda: not preview.whole)
    assert preview.overlay.motion is not None  # the old one plays on
    until(preview, lambda: preview.whole)
    amounts = part("backend.makeittalk.exchange.amounts").Amounts()
    second = preview.overlay.motion.pose(60, amounts)
    assert np.abs(second.head - first.head).max() > 0.01
    settings.smooth = 3.0
    until(preview, lambda: not preview.whole)
    until(preview, lambda: preview.whole)
    smoothed = preview.overlay.motion.pose(60, amounts)
    assert np.abs(smoothed.head - second.head).max() > 1e-4
    assert len(folders()) == 2  # the prediction's, and that of its other bake
    preview.keep()
    assert preview.poll()
    preview.finish(bpy.context)
    kept = part("addon.scene.character").active(bpy.context)
    bake = part("addon.scene.bakes").baked(kept.makeittalk.current)
    assert (kept.makeittalk.seed, kept.makeittalk.smooth) == (12, 3.0) and not folders()
    motion = part("addon.core.preview_motion").PreviewMotion(part("addon.scene.bakes").mesh_of(kept), bake)
    np.testing.assert_allclose(motion.pose(60, amounts).head, smoothed.head, atol=1e-6)


def test_another_recording_begins_anew(preview, settings, tmp_path):
    import samples

    until(preview, lambda: preview.playback.until > 0.0)
    settings.portrait = str(ASSETS / "portrait_photo.jpg")
    until(preview, lambda: preview.overlay.motion is None)
    assert preview.playback.until == 0.0
    until(preview, lambda: preview.whole)
    assert preview.overlay.motion is not None and len(folders()) == 1
    samples.write_tone(tmp_path / "tone.wav", 1.5)
    settings.speech = str(tmp_path / "tone.wav")
    until(preview, lambda: not preview.whole)
    until(preview, lambda: preview.whole)
    assert preview.playback.seconds == pytest.approx(1.5, abs=0.1)
    settings.speech = str(tmp_path / "gone.wav")
    until(preview, lambda: preview._error is not None)
    assert preview.poll()
    with pytest.raises(part("addon.core.errors").AddonError, match=r"gone\.wav does not exist"):
        preview.finish(bpy.context)
    assert not folders() and not bpy.context.window_manager.makeittalk.running


def test_landmarks_that_were_placed_by_hand_count(settings, tmp_path):
    settings.portrait = str(drawn_face.write(tmp_path / "drawn.png"))
    assert bpy.ops.makeittalk.edit_landmarks() == {"FINISHED"}
    clicks = [value for place in drawn_face.CLICKS for value in place]
    assert bpy.ops.makeittalk.place_landmarks(clicks=clicks) == {"FINISHED"}
    landmark_mesh = part("addon.scene.landmark_mesh")
    placed = landmark_mesh.read(landmark_mesh.active(bpy.context))
    job = part("addon.jobs.preview").Preview(bpy.context, viewport())
    try:
        until(job, lambda: job.overlay.motion is not None)
        job.keep()
        until(job, lambda: job.whole)
        assert landmark_mesh.active(bpy.context) is not None and not settings.is_placed  # nothing was changed
        job.finish(bpy.context)
    finally:
        job.close()
    kept = part("addon.scene.character").active(bpy.context)
    mesh = part("addon.scene.bakes").mesh_of(kept)
    apart = np.linalg.norm(mesh.vertices[mesh.landmark_vertices, :2] - placed[:, :2], axis=1)
    assert kept.makeittalk.placed and settings.is_placed and np.median(apart) < 1.0
    assert landmark_mesh.active(bpy.context) is None and not folders()


def test_scripts_are_told_that_it_needs_a_window(settings):
    with pytest.raises(RuntimeError, match="needs a 3D viewport"):
        bpy.ops.makeittalk.preview()
    with pytest.raises(RuntimeError, match="No preview is running"):
        bpy.ops.makeittalk.keep_preview()
    assert not bpy.context.window_manager.makeittalk.running and not folders()


def test_the_scene_that_is_removed_ends_it(preview):
    other = bpy.data.scenes.new("Other")
    gone = bpy.context.scene
    bpy.context.window.scene = other
    bpy.data.scenes.remove(gone)
    until(preview, lambda: preview._error is not None)
    with pytest.raises(part("addon.core.errors").AddonError, match="scene was removed"):
        preview.finish(bpy.context)
    assert not folders()
