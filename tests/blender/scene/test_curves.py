"""Fewest keys within a tolerance, and the care for curves that were edited."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part


def motion(frames: int = 600, curves: int = 12) -> np.ndarray:
    """Smooth random curves with rests at exactly 0."""
    rng = np.random.default_rng(3)
    kernel = np.hanning(13) / np.hanning(13).sum()
    noise = rng.normal(0.0, 1.0, (frames, curves))
    values = np.stack([np.convolve(column, kernel, "same") for column in noise.T], axis=1)
    values[100:130] = 0.0
    values[400] = 0.0
    return values


def hermite(keys, count: int) -> np.ndarray:
    """A second implementation of the curve: numerical Bézier through the handles."""
    left, right = part("addon.core.curve_fit").handles(keys)
    out = np.empty(count)
    frame = np.arange(count, dtype=float)
    for i in range(len(keys.frames) - 1):
        a, d = keys.frames[i], keys.frames[i + 1]
        inside = (frame >= a) & (frame <= d)
        t = np.linspace(0, 1, 4001)
        bezier = lambda p0, p1, p2, p3, t=t: (  # noqa: E731
            (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3
        )
        x = bezier(a, right[i, 0], left[i + 1, 0], d)
        y = bezier(keys.values[i], right[i, 1], left[i + 1, 1], keys.values[i + 1])
        out[inside] = np.interp(frame[inside], x, y)
    return out


@pytest.mark.parametrize("tolerance", [0.2, 0.05, 0.005])
def test_every_sample_is_met_within_the_tolerance(tolerance):
    values = motion()
    fitted = part("addon.core.curve_fit").fit_keys(values, np.full(12, tolerance))
    for column, keys in zip(values.T, fitted, strict=True):
        played = hermite(keys, len(column))
        assert np.abs(played - column).max() <= tolerance + 1e-4
        assert np.abs(played[100:130]).max() < 1e-5 and abs(played[400]) < 1e-5


def test_looser_means_fewer_keys_and_a_rest_needs_two():
    fit = part("addon.core.curve_fit").fit_keys
    counts = [sum(len(k.frames) for k in fit(motion(), np.full(12, t))) for t in (0.3, 0.05, 0.001)]
    assert counts[0] < counts[1] < counts[2] <= 600 * 12
    (rest,) = fit(np.zeros((500, 1)), np.array([0.01]))
    assert rest.frames.tolist() == [0, 499]
    (line,) = fit(np.linspace(0, 3, 200)[:, None], np.array([0.01]))
    assert len(line.frames) <= 4


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_motion(frames):
    (keys,) = part("addon.core.curve_fit").fit_keys(np.arange(1.0, frames + 1.0)[:, None], np.array([0.01]))
    assert keys.values[-1] == frames


def test_every_frame_keys_every_frame(make):
    character = make(every_frame=True)
    curves = part("addon.compat").assigned_curves(character.makeittalk.body.data.shape_keys).fcurves
    assert {len(curve.keyframe_points) for curve in curves} == {60}


def other_bake(job):
    values = samples.bake_arrays()
    values["key_values"] = values["key_values"] * np.float32(0.5)
    np.savez_compressed(job / "again.npz", **values)
    return job / "again.npz"


def curve_of(character, name: str):
    keys = character.makeittalk.body.data.shape_keys
    return part("addon.compat").assigned_curves(keys).fcurves.find(f'key_blocks["{name}"].value')


def test_rebake_replaces_what_nobody_has_edited(make, job):
    scenes = part("addon.scene.character")
    character = make()
    before = curve_of(character, "mouthPucker").evaluate(30)
    assert scenes.rebake(character, other_bake(job)) == []
    assert curve_of(character, "mouthPucker").evaluate(30) == pytest.approx(before / 2, abs=0.01)
    assert scenes.edited_curves(character) == []


def change_value(curve):
    curve.keyframe_points[3].co.y += 0.1
    curve.update()


def change_handle(curve):
    point = curve.keyframe_points[3]
    point.handle_right_type = point.handle_left_type = "FREE"
    point.handle_right.y += 0.05


def add_key(curve):
    curve.keyframe_points.insert(15.5, 0.7)


def add_modifier(curve):
    curve.modifiers.new("NOISE")


@pytest.mark.parametrize("edit", [change_value, change_handle, add_key, add_modifier])
def test_an_edited_curve_is_kept_and_named(make, job, edit):
    scenes = part("addon.scene.character")
    character = make()
    edit(curve_of(character, "jawOpen"))
    points = [tuple(p.co) for p in curve_of(character, "jawOpen").keyframe_points]
    assert scenes.edited_curves(character) == ['key_blocks["jawOpen"].value[0]']
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']
    assert [tuple(p.co) for p in curve_of(character, "jawOpen").keyframe_points] == points
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']  # and not forgotten
    assert scenes.rebake(character, other_bake(job), overwrite=True) == []
    assert scenes.edited_curves(character) == []


def test_a_removed_curve_stays_removed(make, job):
    scenes = part("addon.scene.character")
    character = make()
    keys = character.makeittalk.body.data.shape_keys
    part("addon.compat").assigned_curves(keys).fcurves.remove(curve_of(character, "jawOpen"))
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']
    assert curve_of(character, "jawOpen") is None


def test_touching_a_curve_is_no_edit(make):
    character = make()
    for name in samples.KEYS:
        curve = curve_of(character, name)
        for _ in range(5):
            curve.update()
        curve.keyframe_points.handles_recalc()
        curve.keyframe_points[0].select_control_point = True
    assert part("addon.scene.character").edited_curves(character) == []


def test_bake_of_another_character_is_refused(make, job):
    character = make()
    values = samples.bake_arrays(keys=("a", "b"))
    np.savez_compressed(job / "again.npz", **values)
    before = curve_of(character, "jawOpen").evaluate(30)
    with pytest.raises(part("addon.core.errors").AddonError):
        part("addon.scene.character").rebake(character, job / "again.npz")
    assert curve_of(character, "jawOpen").evaluate(30) == before


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(24.0, (24, 1.0)), (29.97, (30, 1.001)), (30000 / 1001, (30, 1.001)), (23.976, (24, 1.001)), (59.94, (60, 1.001))],
)
def test_rates(rate, expected):
    assert part("addon.core.rates").fps_and_base(rate) == expected


def test_odd_rate_is_exact():
    fps, base = part("addon.core.rates").fps_and_base(12.5)
    assert fps / base == pytest.approx(12.5)
    assert bpy.context is not None
