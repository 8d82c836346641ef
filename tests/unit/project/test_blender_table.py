"""The README's table of Blender versions is what pytest's own files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import blender_table

TESTS = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def described(record_testsuite_property):
    for name, value in {about}.items():
        record_testsuite_property(name, value)

@pytest.mark.parametrize("number", range({passing}))
def test_passes(number):
    pass

def test_is_skipped():
    pytest.skip("there is no sound")

def test_last():
    assert {last}
"""


def run(folder: Path, name: str, passing: int = 2, last: bool = True, **about: str) -> None:
    """Lets pytest run some tests and leave NAME.xml in the folder."""
    tests = folder / f"test_{name.replace('.', '_')}.py"
    tests.write_text(TESTS.format(about=about, passing=passing, last=last))
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), f"--junitxml={name}.xml"]
    subprocess.run([sys.executable, *command, tests.name], cwd=folder, capture_output=True)
    assert (folder / f"{name}.xml").is_file()


WHEEL = {"python": "3.13.0", "kind": "wheel", "system": "Debian, x86_64"}


def test_versions_are_in_order_and_reasons_are_told_once(tmp_path):
    run(tmp_path, "new", blender="5.3.0", **WHEEL)
    run(tmp_path, "old", passing=9, blender="4.2.23 LTS", **WHEEL)
    run(tmp_path, "window", blender="4.2.3", **{**WHEEL, "kind": "window"})
    rows = blender_table.table([blender_table.read(path) for path in sorted(tmp_path.glob("*.xml"))]).splitlines()
    assert rows[2:5] == [
        "| 4.2.3 | 3.13.0 | window | Debian, x86_64 | 3 | 1 (1) |",
        "| 4.2.23 LTS | 3.13.0 | `bpy` wheel | Debian, x86_64 | 10 | 1 (1) |",
        "| 5.3.0 | 3.13.0 | `bpy` wheel | Debian, x86_64 | 3 | 1 (1) |",
    ]
    assert rows[-1] == "Skipped: (1) there is no sound."


@pytest.mark.parametrize(
    ("about", "last", "message"),
    [({"blender": "5.3.0", **WHEEL}, False, "1 failed tests, the first test_last"), ({}, True, "which Blender")],
)
def test_failures_and_other_results_make_no_table(tmp_path, about, last, message):
    run(tmp_path, "results", last=last, **about)
    with pytest.raises(blender_table.ResultsError, match=message):
        blender_table.read(tmp_path / "results.xml")


def test_what_is_no_file_of_results_is_refused(tmp_path):
    path = tmp_path / "broken.xml"
    path.write_text("<testsuites>")
    with pytest.raises(blender_table.ResultsError, match=r"broken\.xml"):
        blender_table.read(path)


def test_only_what_is_between_the_marks_changes():
    readme = f"before\n{blender_table.BEGIN}\nold\n{blender_table.END}\nafter\n"
    once = blender_table.put(readme, "| new |")
    assert once == f"before\n{blender_table.BEGIN}\n\n| new |\n\n{blender_table.END}\nafter\n"
    assert blender_table.put(once, "| new |") == once
    with pytest.raises(blender_table.ResultsError, match="lacks"):
        blender_table.put("nothing", "")


def test_the_readme_has_a_table():
    text = blender_table.README.read_text(encoding="utf-8")
    rows = text.partition(blender_table.BEGIN)[2].partition(blender_table.END)[0]
    assert "| Blender | its Python |" in rows and rows.count("`bpy` wheel") >= 2
