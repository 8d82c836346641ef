"""The text of a report, and the logs it takes."""

from __future__ import annotations

import os

from extension import part_outside

report = part_outside("addon.core.report")


def test_everything_goes_through_the_scrubber():
    text = report.compose({"Versions": {"blender": "4.5", "user": "jane"}, "Log": "jane was here\n"}, str.upper)
    assert text == text.upper()
    assert text.splitlines()[:2] == ["MAKEITTALK REPORT", "=" * 17]
    assert "USER: JANE" in text and "JANE WAS HERE" in text


def test_a_tail_is_whole_lines(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %04d\n" % number for number in range(1000)))
    found = report.tail(path, 95)
    assert found.splitlines() == [f"line {number:04d}" for number in range(991, 1000)]
    assert report.tail(path, 10**6).startswith("line 0000")
    path.write_bytes(b"\xff\xfe broken\n")
    assert "broken" in report.tail(path)
    assert "cannot be read" in report.tail(tmp_path / "none.log")


def test_the_newest_logs_of_the_folders_that_there_are(tmp_path):
    for number in range(15):
        path = tmp_path / f"install-{number}.log"
        path.write_text(f"log {number}")
        os.utime(path, (number, number))
    (tmp_path / "face.png").write_text("no log")
    found = report.log_tails([tmp_path, tmp_path / "missing"])
    assert list(found)[:2] == ["Log install-14.log", "Log install-13.log"] and len(found) == 12
    assert found["Log install-14.log"] == "log 14"
