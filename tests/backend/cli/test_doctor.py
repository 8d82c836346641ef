"""`makeittalk doctor` and `weights`: what works here, as lines and as JSON."""

from __future__ import annotations

import json

import pytest
from makeittalk.cli import doctor
from makeittalk.cli.main import main
from makeittalk.exchange.errors import MissingError


def test_the_doctor_and_the_weights_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.startswith("FAIL") for line in lines)
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert [entry["name"] for entry in found["findings"]] == [line[5:20].strip() for line in lines]
    assert [line.startswith("ok") for line in lines] == [entry["ok"] for entry in found["findings"]]
    assert main(["weights", "verify"]) == 0
    listed = capsys.readouterr().out
    assert all(
        name in listed
        for name in ("whisper", "content", "content_autovc", "voice", "speaker", "phones", "basis", "face_landmarker")
    )


def test_both_ways_say_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def chatty() -> str:
        print("Loaded the library!")
        return "version 1"

    def missing() -> str:
        raise MissingError("It is missing.", "Install it.")

    checks = (("library", True, chatty), ("driver", False, missing))
    monkeypatch.setattr(doctor, "_CHECKS", checks)
    assert main(["doctor", "--json"]) == 0  # what is not needed may be missing
    driver = {"name": "driver", "needed": False, "ok": False, "finding": "It is missing; install it."}
    library = {"name": "library", "needed": True, "ok": True, "finding": "version 1"}
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": [library, driver]}
    monkeypatch.setattr(doctor, "_CHECKS", (*checks, ("network", True, missing)))
    assert main(["doctor", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False and found["findings"][-1]["needed"] is True
    assert main(["doctor"]) == 2
    assert "FAIL network        It is missing; install it." in capsys.readouterr().out
