"""The program itself: how it is started, how fast it answers, what it says when it fails."""

from __future__ import annotations

import errno

import pytest
from command_line import python, refused
from makeittalk.cli import main as cli
from makeittalk.cli.command import Command
from makeittalk.cli.registry import Registry
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.exchange.version import VERSION

HEAVY = {"torch", "numpy", "scipy", "mediapipe", "librosa", "cv2", "av", "PIL", "moderngl", "tqdm", "matplotlib"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in Registry.find().commands)]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom makeittalk.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = python("-c", code, *arguments)
    assert done.returncode == 0 and ("usage: makeittalk" in done.stdout or VERSION in done.stdout), done.stderr
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "makeittalk" in loaded and not loaded & HEAVY


def test_the_package_runs_as_a_module() -> None:
    done = python("-m", "makeittalk", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"makeittalk {VERSION}\n", "")
    done = python("-m", "makeittalk", "detect", "nothing.png", "-o", "nothing.txt")
    assert done.returncode == 2 and done.stderr.startswith("makeittalk: nothing.txt has a suffix")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["detect"], ["detect", "a.png", "-o", "a.json", "--dance"]])
def test_wrong_arguments_are_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, arguments, "--help")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InputError("It is wrong.", "Mend it."), 2, "It is wrong; mend it."),
        (Cancelled(), 130, "Interrupted."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (MemoryError(), 1, "The machine ran out of memory."),
        (
            ModuleNotFoundError("No module", name="skimage.io"),
            2,
            "This Python lacks the package skimage. Install it; `make env-lab` in a checkout installs all that trains "
            "and measures.",
        ),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300),
            2,
            f"{'a' * 120}… cannot be used: File name too long; check it, or name another.",
        ),
        (
            OSError(errno.ENOENT, "No such file", "own.npz"),
            1,
            "Internal error: FileNotFoundError: [Errno 2] No such file: 'own.npz' (MAKEITTALK_DEBUG=1 shows where).",
        ),
        (ValueError("two\nlines"), 1, "Internal error: ValueError: two lines (MAKEITTALK_DEBUG=1 shows where)."),
    ],
)
def test_every_end_has_its_status(
    error: BaseException,
    status: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_options: object) -> None:
        raise error

    registry = Registry({"fail": Command("fail", "fails", fail)})
    monkeypatch.setattr(Registry, "find", classmethod(lambda _cls: registry))
    monkeypatch.delenv("MAKEITTALK_DEBUG", raising=False)
    assert cli.main(["fail"]) == status
    assert capsys.readouterr().err == f"makeittalk: {sentence}\n"
