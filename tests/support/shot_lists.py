"""Lists of very short shots for the tests of batches, and batches as processes of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import soundfile
from killing import heed_interrupts
from project import ASSETS, BACKEND

SPEECH, CARTOON, PHOTO = ASSETS / "speech.flac", ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg"


def write_voices(folder: Path, count: int, seconds: float = 0.5) -> list[str]:
    """Writes so many pieces of the embedded recording, each another one, and returns their names."""
    samples, rate = soundfile.read(SPEECH)
    names = []
    for number in range(count):
        begin = int((0.3 + 0.11 * number) % 2.5 * rate)
        names.append(f"voice{number}.wav")
        soundfile.write(folder / names[-1], samples[begin : begin + int(seconds * rate)], rate)
    return names


def write_list(folder: Path, count: int, outputs: str = ".npz .csv", seconds: float = 0.5, bad: bool = False) -> Path:
    """Writes `shots.csv` of so many shots of the embedded drawing, with seeds and amounts of their own.

    Args:
        outputs: suffixes of each. bad: a line between them names a recording that is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(CARTOON, folder / "ada.png")
    lines = ["portrait,audio,output,seed,lip,style"]
    for number, voice in enumerate(write_voices(folder, count, seconds)):
        names = ";".join(f"out{number}{suffix}" for suffix in outputs.split())
        lines.append(f"ada.png,{voice},{names},{number},{1 + number % 3 / 4},cartoon")
    if bad:
        lines.insert(2, "ada.png,gone.wav,gone.npz,1,1,")
    path = folder / "shots.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of everything that the shots of a list have written, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("out*"))}


def start_batch(*arguments: object, python: str = sys.executable) -> subprocess.Popen[str]:
    """Starts `makeittalk batch` in a process group of its own."""
    return subprocess.Popen(
        [python, "-m", "makeittalk", "batch", *map(str, arguments)],
        env=dict(os.environ, PYTHONPATH=str(BACKEND)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts if os.name == "posix" else None,
    )


def run_batch(
    *arguments: object, python: str = sys.executable, timeout: float = 280.0
) -> subprocess.CompletedProcess[str]:
    """Runs `makeittalk batch` to its end."""
    process = start_batch(*arguments, python=python)
    try:
        told, complaints = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, told, complaints)


def leftovers(folder: Path) -> list[str]:
    """What nobody asked for: files that were about to be renamed, and files under way."""
    return [path.name for path in folder.rglob("*") if path.name.startswith(".mit-") or "under_way" in path.parts]
