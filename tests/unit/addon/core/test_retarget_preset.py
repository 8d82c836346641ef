"""Presets of Retarget: what is saved is loaded; whatever a stranger's file says is one sentence."""

from __future__ import annotations

import json

import pytest
from extension import part_outside

preset = part_outside("addon.core.retarget_preset")
AddonError = part_outside("addon.core.errors").AddonError


def some() -> object:
    rows = [preset.Row("A", "jawOpen", 0.5, -0.1, False), preset.Row('Fcl "quoted" Ü', "", 2.0)]
    return preset.Preset(rows, preset.Head("J_Bip_C_Head", 0.8, 0.5, "-Z", "Y"))


def written(tmp_path, change=None, **changes):
    """A file of a valid preset, with something changed."""
    value = {"format": 1, "kind": preset.KIND, "rows": [{"target": "A", "meaning": "jawOpen"}], **changes}
    if change is not None:
        change(value)
    path = tmp_path / "shared.json"
    path.write_text(json.dumps(value))
    return path


def test_what_is_saved_is_loaded(tmp_path):
    preset.save(tmp_path / "a.json", some())
    assert preset.load(tmp_path / "a.json") == some()
    assert json.loads((tmp_path / "a.json").read_text())["format"] == 1


def test_what_is_left_out_is_usual(tmp_path):
    assert preset.load(written(tmp_path)) == preset.Preset([preset.Row("A", "jawOpen")])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "other"}, "no preset"),
        ({"format": 2}, "newer version"),
        ({"format": True}, "newer version"),
        ({"rows": {}}, "no list"),
        ({"rows": [3]}, "no object"),
        ({"rows": [{"meaning": "jawOpen"}]}, "target is missing"),
        ({"rows": [{"target": "A"}]}, "meaning is missing"),
        ({"rows": [{"target": "", "meaning": "jawOpen"}]}, "names no target"),
        ({"rows": [{"target": "A" * 300, "meaning": "jawOpen"}]}, "no name"),
        ({"rows": [{"target": "A\n", "meaning": "jawOpen"}]}, "no name"),
        ({"rows": [{"target": ["A"], "meaning": "jawOpen"}]}, "no name"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "gain": 1e9}]}, "no number"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "gain": True}]}, "no number"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "offset": "1"}]}, "no number"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "offset": float("nan")}]}, "no number"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "gain": float("inf")}]}, "no number"),
        ({"rows": [{"target": "A", "meaning": "jawOpen", "on": 1}]}, "neither true nor false"),
        ({"rows": [{"target": "A", "meaning": "jawOpen"}] * 2001}, "no list of at most"),
        ({"head": []}, "no object"),
        ({"head": {"up": "W"}}, "no axis"),
        ({"head": {"turn": 1e300}}, "no number"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, changes, told):
    with pytest.raises(AddonError, match=told) as caught:
        preset.load(written(tmp_path, **changes))
    assert caught.value.message.startswith("shared.json") and caught.value.hint and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe", b"[" * 100_000, b"x" * (2**20 + 1), b"1" * 5000])
def test_what_is_no_json_is_told(tmp_path, content):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(AddonError, match=r"odd\.json"):
        preset.load(path)
    with pytest.raises(AddonError, match="cannot be read"):
        preset.load(tmp_path)
    with pytest.raises(AddonError, match="cannot be read"):
        preset.load(tmp_path / "none.json")
