"""Seconds of the backend process for 60 s of speech: cold start, first job, job once it is up.

    .venv/bin/python tests/bench/bench_backend.py

A job is everything from the files to the baked curves: portrait, detection, mesh, landmarks, baking. `landmarks` is the
part from the end of the mesh to the predicted motion.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "backend"))

from makeittalk.exchange import protocol  # noqa: E402

ASSETS = ROOT / "backend" / "makeittalk" / "assets"
SECONDS = 60.0


def long_speech(path: Path) -> None:
    """The demo's recording again and again, for a minute."""
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    soundfile.write(path, np.resize(samples, int(SECONDS * rate)), rate)


def job(process: subprocess.Popen, number: int, request: protocol.Animate) -> dict[str, float]:
    """Sends a request and waits: seconds until each stage was first named, and until the end."""
    begun = time.perf_counter()
    process.stdin.write(protocol.encode_request(number, request))
    process.stdin.flush()
    stages: dict[str, float] = {}
    while True:
        reply = protocol.decode_reply(process.stdout.readline())
        now = time.perf_counter() - begun
        if reply.kind == "error":
            raise SystemExit(f"{reply.message} {reply.hint}")
        if reply.kind == "progress":
            stages.setdefault(reply.stage, now)
        if reply.kind == "done":
            return stages | {"total": now}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long_speech(folder / "minute.wav")
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-I", str(ROOT / "backend" / "serve.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        process.stdin.write(protocol.encode_request(1, protocol.Hello()))
        process.stdin.flush()
        while protocol.decode_reply(process.stdout.readline()).kind != "done":
            pass
        print(f"cold start until hello is answered  {time.perf_counter() - begun:6.2f} s")
        request = protocol.Animate(
            portrait=str(ASSETS / "portrait_cartoon.png"), audio=str(folder / "minute.wav"), folder=name, fps=25.0
        )
        for number, title in ((2, "first job"), (3, "job once it is up")):
            stages = job(process, number, request)
            landmarks = stages["Saving"] - stages["Listening"]
            print(f"{title:<20} landmarks {landmarks:6.2f} s, whole {stages['total']:6.2f} s")
            for stage, seconds in stages.items():
                print(f"    {seconds:6.2f} s  {stage}")
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
