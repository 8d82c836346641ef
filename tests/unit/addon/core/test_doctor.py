"""What the add-on makes of the doctor's answer."""

from __future__ import annotations

import json

import pytest
from extension import part_outside

doctor = part_outside("addon.core.doctor")


def answer(*findings: tuple[str, bool, bool, str]) -> str:
    names = ("name", "needed", "ok", "finding")
    ok = all(ok for _name, needed, ok, _finding in findings if needed)
    return json.dumps({"ok": ok, "findings": [dict(zip(names, item, strict=True)) for item in findings]}, indent=1)


def test_all_is_well() -> None:
    text = "Loaded the voice encoder\n" + answer(
        ("torch", True, True, "2.13.0, devices: cpu"), ("OpenGL", False, False, "x")
    )
    assert doctor.fault(text) == ""
    assert (
        doctor.praise(text)
        == "Everything that is needed works: torch 2.13.0, devices: cpu. Not there, and not needed: OpenGL."
    )


def test_the_first_fault_is_named() -> None:
    text = answer(("torch", True, True, "2"), ("weights", True, False, "content.safetensors is damaged"))
    assert doctor.fault(text) == "weights: content.safetensors is damaged"


@pytest.mark.parametrize("text", ["", "Traceback\nModuleNotFoundError: No module named 'numpy'\n", '{\n "ok": tr'])
def test_what_is_no_answer_is_a_fault(text) -> None:
    assert doctor.fault(text) == (text.strip().splitlines()[-1].strip() if text else "it says nothing")


def test_hostile_answers_are_faults() -> None:
    for text in ('{\n "ok": true, "findings": 5}', '{\n "ok"' + "[" * 5000 + "}", '{\n "ok": 1, "findings": [1, 2]}'):
        assert doctor.fault(text)
