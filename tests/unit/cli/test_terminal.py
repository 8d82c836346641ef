"""How far the work is: a bar on a terminal, elsewhere a line now and then, nothing for what is quick."""

from __future__ import annotations

import io
import sys

import pytest
from makeittalk.cli import terminal


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(terminal, "time", made)
    return made


def test_long_work_says_a_line_every_few_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress_bar() as progress:
        for second in range(13):
            clock.now = 100.0 + second
            progress(second / 20, "Drawing")
    assert capsys.readouterr().err.splitlines() == ["Drawing: 25 %", "Drawing: 50 %"]


def test_quick_work_says_none(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress_bar() as progress:
        for step in range(1000):
            clock.now += 0.004
            progress(step / 1000, "Drawing")
    assert capsys.readouterr().err == ""


def test_work_with_a_log_of_its_own_says_none(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress_bar(lines=False) as progress:
        clock.now += 3600.0
        progress(0.5, "Training")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal.progress_bar() as progress:
        progress(0.25, "Drawing")
    assert "Drawing" in screen.getvalue() and "25%|" in screen.getvalue()


def test_without_a_standard_error_there_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with terminal.progress_bar() as progress:
        progress(0.25, "Drawing")
