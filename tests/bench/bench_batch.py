"""What many shots cost: seconds of a core and memory a minute of speech and a frame, with one worker and with two."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "support")]

from project import ASSETS  # noqa: E402
from shot_lists import run_batch  # noqa: E402

SECONDS = float(os.environ.get("MAKEITTALK_BENCH_SECONDS", "30"))
SHOTS = 4
KINDS = (
    ("motion, .npz", "portrait_cartoon.png", "cartoon", ".npz"),
    (".blend", "portrait_cartoon.png", "cartoon", ".blend"),
    ("film, a drawing", "portrait_cartoon.png", "cartoon", ".mp4"),
    ("film, photoreal", "portrait_photo.jpg", "photo", ".mp4"),
)


def write(folder: Path, portrait: str, style: str, suffix: str, shots: int, seconds: float) -> Path:
    """A list of so many shots that say different pieces of the embedded recording, again and again."""
    shutil.copy(ASSETS / portrait, folder / portrait)
    samples, rate = soundfile.read(ASSETS / "speech.flac")
    lines = ["portrait,audio,output,style,seed"]
    for number in range(shots):
        said = np.resize(np.roll(samples, number * rate // 3), int(seconds * rate))
        soundfile.write(folder / f"voice{number}.wav", said, rate)
        lines.append(f"{portrait},voice{number}.wav,out{number}{suffix},{style},{number}")
    path = folder / "shots.csv"
    path.write_text("\n".join(lines))
    return path


def cost(portrait: str, style: str, suffix: str, workers: int, shots: int, seconds: float) -> tuple[float, float, int]:
    """Seconds by the clock, seconds of a core, and most MB of a worker."""
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), portrait, style, suffix, shots, seconds)
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = run_batch(path, "--workers", workers, "--threads", 1, timeout=3600.0)
        assert done.returncode == 0, done.stderr
        took, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        with (Path(name) / "shots.batch" / "report.csv").open(newline="") as stream:
            memory = max(int(row["memory_mb"]) for row in csv.DictReader(stream))
        core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return took, core, memory


def main() -> None:
    print(f"{SHOTS} shots of {SECONDS:g} s, photoreal ones of a quarter; load at the start: {os.getloadavg()[0]:.1f}")
    for label, portrait, style, suffix in KINDS:
        seconds = SECONDS / 4 if "photoreal" in label else SECONDS
        minutes = SHOTS * seconds / 60
        for workers in (1, 2):
            # What shots of no length take: starting, loading, finding the face, building the mesh.
            _, fixed, _ = cost(portrait, style, suffix, workers, SHOTS, 0.5)
            took, core, memory = cost(portrait, style, suffix, workers, SHOTS, seconds)
            frames = minutes * 60 * 25
            print(
                f"{label:<16} {workers} workers: {took / minutes:6.1f} s a minute of speech by the clock, "
                f"{core / minutes:6.1f} s of a core ({(core - fixed) / minutes:.1f} without what a shot costs once, "
                f"{fixed / SHOTS:.1f} a shot), {1000 * (core - fixed) / frames:.1f} ms a frame, {memory} MB a worker",
                flush=True,
            )


if __name__ == "__main__":
    main()
