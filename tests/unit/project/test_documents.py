"""What the documents promise exists: commands, options, targets, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from makeittalk.cli import main as cli
from makeittalk.cli.registry import Registry
from project import ROOT

DOCUMENTS = [
    ROOT / name
    for name in (
        *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
        *("docs/sources.md", "docs/releasing.md", "docs/scripting.md", "docs/batch.md", "docs/scale.md"),
        "docs/determinism.md",
        "docs/security.md",
    )
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/makeittalk (.*?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    options = cli.parser().parse_args(shlex.split(line))
    assert options.command == line.split()[0]


def test_the_readme_shows_the_commands() -> None:
    shown = {line.split()[0] for line in COMMANDS}
    for name in Registry.find().commands:
        assert name in shown or f"`{name}`" in README, name
    assert ["doctor", "--json"] in [line.split() for line in COMMANDS]


def test_the_demo_is_understood_and_its_files_are_there() -> None:
    variables = dict(re.findall(r"^(\w+) :?\??= (\S+)$", MAKEFILE, re.MULTILINE))
    command = re.findall(r"^\.venv/bin/makeittalk (.*) \$\$\(printf", MAKEFILE, re.MULTILINE)[0]
    demos = re.findall(r"^\t@\$\(call animate,(\S+),(\S+)\)$", MAKEFILE, re.MULTILINE)
    assert [name for _, name in demos] == ["demo", "demo-photo"]
    for picture, name in demos:
        line = command.replace("$(ASSETS)", variables["ASSETS"]).replace("$(1)", picture)
        options = cli.parser().parse_args(shlex.split(f"{line} -o {name}.blend -o {name}.mp4"))
        assert (ROOT / options.portrait).is_file() and (ROOT / options.audio).is_file()
        assert [path.suffix for path in options.output] == [".blend", ".mp4"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_named_in_a_document_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    named = re.findall(r"(?:^|`)make ((?:[a-z-]+ ?)+)(?:`|\s{2,}#)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert {target for names in named for target in names.split()} <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).is_file(), link


def test_every_module_promised_by_the_licences_is_locked() -> None:
    folders = (ROOT / "requirements", ROOT / "backend" / "makeittalk" / "locks")
    locked = "".join(path.read_text() for folder in folders for path in folder.glob("*.txt"))
    models = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8").partition("Models that are installed")[2]
    for name in re.findall(r"\| `([a-z-]+)` \|", models):
        assert f"\n{name}==" in locked, name
