"""Runs cases of hostile .blend files in processes of their own, and sees a Blender that dies or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import wave
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from project import ROOT

SCRIPT = Path(__file__).with_name("hostile_blend_run.py")
SECONDS = 30.0  # of the processor's, for one step


@dataclass
class Found:
    """What a campaign found.

    Attributes:
        steps: how many by outcome. faults: "case, step: what", crashes and hangs among them.
        ended: cases that were tried to the end. refused: by case, the steps that ended in a sentence.
    """

    steps: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Campaign:
    """A campaign in a folder of its own.

    Args:
        root: an empty folder that the test has made.
    """

    def __init__(self, root: Path, backend: str) -> None:
        self.root = root
        (root / "campaign").write_text("everything in this folder may be written to\n")
        for name in ("cases", "said", "tmp", "home", "outside", "outside/frames"):
            (root / name).mkdir()
        (root / "outside" / "secret.txt").write_text("secret\n" * 100)
        (root / "outside" / "frames" / "photoreal_00001.png").write_bytes(b"somebody's")
        self.environment = os.environ | {
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "MAKEITTALK_HOME": str(root / "home" / "makeittalk"),
            "MAKEITTALK_PYTHON": backend,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.environment.pop("PYTHONPATH", None)

    def make(self, portrait: Path, speech: Path) -> None:
        """Builds the character that is spoilt; half a second of the recording is what it may be given anew.

        A list has one made of the same portrait.
        """
        with wave.open(str(speech)) as whole, wave.open(str(self.root / "speech.wav"), "wb") as short:
            short.setparams(whole.getparams())
            short.writeframes(whole.readframes(whole.getframerate() // 2))
        (self.root / "shots.csv").write_text(f"portrait,audio\n{portrait},speech.wav\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(self.root), "make", str(portrait), str(speech)],
            **self._process(),
            timeout=240,
        )
        assert done.returncode == 0 and (self.root / "base.blend").is_file(), self.log()

    def run(self, names: list[str], how: str, seconds: float = SECONDS) -> Found:
        """Runs cases; a process that dies or hangs is followed by one for what is left.

        Args:
            how: "QUICK" for what takes little time, "ALONE" for that without the backend, "ALL" for everything.
        """
        found, left = Found(), list(names)
        while left:
            progress = self.root / "progress.jsonl"
            begin = progress.stat().st_size if progress.exists() else 0
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.root), "run", how, *left],
                **self._process(),
            )
            hung = self._wait(process, progress, seconds)
            told = progress.read_bytes()[begin:] if progress.exists() else b""
            lines = [json.loads(line) for line in told.decode().splitlines()]
            self._take(lines, found)
            if not hung and process.returncode == 0:
                break
            last = lines[-1] if lines else {"case": left[0], "step": "start"}
            what = f"hung for {seconds:g} s" if hung else f"ended with {process.returncode}"
            found.faults.append(f"{last['case']}, {last['step']}: {self.log()[-1500:]}\n{what}")
            print(found.faults[-1], flush=True)
            left = left[left.index(last["case"]) + 1 :]
        assert not list(self.root.glob("outside/ran")), "code of a .blend was run"
        return found

    def log(self) -> str:
        return (self.root / "log.txt").read_text(errors="replace")

    def _wait(self, process: subprocess.Popen, progress: Path, seconds: float) -> bool:
        """Waits for a process; True where it was killed, having worked on one step for too long.

        What counts is the processor's time: others may keep this machine busy, and a backend that starts takes its own.
        """
        began, before, size = time.monotonic(), 0.0, -1
        while process.poll() is None:
            time.sleep(0.05)
            now = progress.stat().st_size if progress.exists() else 0
            if now != size:
                size, began, before = now, time.monotonic(), _worked(process.pid)
            elif _worked(process.pid) - before > seconds or time.monotonic() - began > 10 * seconds:
                process.kill()
                process.wait()
                return True
        return False

    @staticmethod
    def _take(lines: list[dict], found: Found) -> None:
        for line in lines:
            kind = line.get("kind")
            if kind == "end":
                found.ended.append(line["case"])
            elif kind is not None:
                found.steps[kind] += 1
                if kind == "refused":
                    found.refused[line["case"]].append(line["step"])
                if kind == "fault":
                    found.faults.append(f"{line['case']}, {line['step']}: {line['told']}")

    def _process(self) -> dict:
        log = open(self.root / "log.txt", "w")  # noqa: SIM115 - the process's own
        return {
            "env": self.environment,
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": subprocess.STDOUT,
            "cwd": ROOT,
        }


def _worked(pid: int) -> float:
    """The seconds of the processor's that a process has had; where nobody tells, those since the beginning of time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
