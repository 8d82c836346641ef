"""Commands of other packages: found by entry points, and missing without harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import refused
from makeittalk.cli.command import Command
from makeittalk.cli.main import main
from makeittalk.cli.registry import Registry
from project import BACKEND

OWN = {
    "animate",
    "detect",
    "predict",
    "render",
    "track",
    "visemes",
    "voice-convert",
    "weights",
    "serve",
    "doctor",
    "batch",
}
LABORATORY = {"evaluate", "prepare", "train"}


def add_package(folder: Path, code: str, **entries: str) -> None:
    """Puts a module `extras` and the metadata of a package that brings commands into a folder."""
    (folder / "extras.py").write_text(code)
    metadata = folder / "extras-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: extras\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[makeittalk.commands]", *lines, ""]))


def test_every_command_has_its_name_and_a_line() -> None:
    registry = Registry.find()
    assert registry.commands.keys() >= OWN
    assert all(name == command.name and command.help for name, command in registry.commands.items())
    assert not registry.broken


def test_the_laboratory_is_offered_where_it_is_installed() -> None:
    registry = Registry.find()
    assert registry.commands.keys() >= LABORATORY, "refresh the package's metadata: pip install --no-deps -e ."
    assert all(registry.commands[name].run.__module__ == f"makeittalk_lab.cli.{name}" for name in LABORATORY)


def test_a_package_may_add_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    code = (
        "from makeittalk.cli.command import Command\n"
        "def run(options):\n    print('hello', options.whom)\n    return 3\n"
        "GREET = Command('greet', 'say hello', run, lambda parser: parser.add_argument('whom'))\n"
        "DETECT = Command('detect', 'take over', run)\n"
    )
    add_package(tmp_path, code, greet="extras:GREET", detect="extras:DETECT")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "extras", raising=False)
    assert main(["greet", "you"]) == 3
    assert capsys.readouterr().out == "hello you\n"
    assert Registry.find().commands["detect"].help != "take over"


@pytest.mark.parametrize(
    ("value", "word"), [("extras:MISSING", "MISSING"), ("extras:TEXT", "TypeError"), ("extras.none:X", "extras.none")]
)
def test_a_broken_command_is_reported(
    value: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_package(tmp_path, "TEXT = 'no command'\n", greet=value)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "extras", raising=False)
    refused(capsys, ["greet", "--loud", "you"], "greet cannot be loaded", word)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and "greet cannot be loaded" in shown and "voice-convert" in shown


def test_a_module_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    add_package(tmp_path, "import nothing_of_this_name\n", greet="extras:GREET")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "extras", raising=False)
    refused(capsys, ["greet"], "nothing_of_this_name")


class TestWithoutTheLaboratory:
    """A Python that has this package and the standard library, nothing else."""

    @pytest.fixture(params=["no metadata", "stale metadata"])
    def folder(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        (tmp_path / "makeittalk").symlink_to(BACKEND / "makeittalk", target_is_directory=True)
        if request.param == "stale metadata":
            add_package(tmp_path, "", **{name: f"makeittalk_lab.cli.{name}:COMMAND" for name in LABORATORY})
        return tmp_path

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from makeittalk.cli.main import main; sys.exit(main())"
        command = [sys.executable, "-I", "-S", "-c", code, str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def test_its_commands_are_not_offered(self, folder: Path) -> None:
        done = self.run(folder, "--help")
        offered = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ") and line.split()}
        assert done.returncode == 0 and done.stderr == ""
        assert offered >= OWN and not offered & LABORATORY
        assert "cannot be loaded" not in done.stdout

    @pytest.mark.parametrize("name", sorted(LABORATORY))
    def test_using_one_says_where_it_belongs(self, folder: Path, name: str) -> None:
        for more in ([], ["--help"], ["one", "two", "--plot", "three"]):
            done = self.run(folder, name, *more)
            assert done.returncode == 2 and done.stdout == ""
            assert len(done.stderr.splitlines()) == 1
            assert f"The command {name} belongs to the laboratory" in done.stderr and "pip install" in done.stderr


def test_a_command_without_arguments_takes_none() -> None:
    assert Command("nothing", "does nothing", lambda options: None).add_arguments(None) is None  # type: ignore[arg-type]
