"""Seconds until a preview moves, against the whole of `animate`, for 20 s of speech and a portrait of 1024 px.

    .venv/bin/python tests/bench/bench_preview.py

A new portrait and a new recording each round, and the same ones once more with another seed. `ratio X` is the last
line: seconds of `animate` ÷ seconds until the first frames of a preview of something new, the median over the rounds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "support")]

from backend_process import Backend  # noqa: E402
from makeittalk.exchange import protocol  # noqa: E402
from makeittalk.exchange.formats import Bake  # noqa: E402

ASSETS = ROOT / "backend" / "makeittalk" / "assets"
SECONDS, SIDE, FPS = 20.0, 1024, 24.0
ROUNDS = 7
_WARM = 10.0  # s in which a backend that nobody asks loads everything
_STEPS = ("picture and mesh", "first frames", "the whole", "done")


def materials(folder: Path, number: int) -> tuple[Path, Path]:
    """A portrait and a recording that nobody has seen yet: a pixel and the first sample differ."""
    picture = np.array(Image.open(ASSETS / "portrait_cartoon.png").convert("RGB").resize((SIDE, SIDE)))
    picture[0, 0] = number
    portrait, sound = folder / f"{number}.png", folder / f"{number}.wav"
    Image.fromarray(picture).save(portrait)
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    soundfile.write(sound, np.roll(np.resize(samples, int(SECONDS * rate)), number * rate // 4), rate)
    return portrait, sound


def ask(backend: Backend, request: protocol.Animate) -> dict[str, float]:
    """Sends a request: seconds until each of its steps; of `animate` only until it is done."""
    begun = time.perf_counter()
    number = backend.send(request)
    times: list[tuple[float, protocol.Reply]] = []
    seen = 0
    while not times or times[-1][1].kind != "done":
        with backend.changed:
            backend.changed.wait(1.0)
        now = time.perf_counter() - begun
        fresh = list(backend.replies)[seen:]
        seen += len(fresh)
        times += [(now, reply) for reply in fresh if reply.id == number]
    failed = [reply.message for _, reply in times if reply.kind == "error"]
    if failed:
        raise SystemExit(failed[0])
    steps = {"done": times[-1][0]}
    for moment, reply in times:
        if reply.kind == "part":
            part = protocol.PreviewPart.from_dict(reply.data)
            step = "the whole" if part.final else "first frames" if part.bake else "picture and mesh"
            steps.setdefault(step, moment)
            if step == "first frames":
                assert Bake.load(part.bake).frames >= FPS  # at least a second
    return steps


def main() -> None:
    taken: dict[str, list[dict[str, float]]] = {"animate": [], "preview": [], "preview, another seed": []}
    with tempfile.TemporaryDirectory() as name:
        backend = Backend()
        backend.wait(backend.send(protocol.Hello()))
        time.sleep(_WARM)
        for number in range(ROUNDS):
            portrait, sound = materials(Path(name), number)
            given = {"portrait": str(portrait), "audio": str(sound), "folder": name, "fps": FPS}
            taken["preview"].append(ask(backend, protocol.Preview(**given)))
            taken["preview, another seed"].append(ask(backend, protocol.Preview(**given, seed=1)))
            taken["animate"].append(ask(backend, protocol.Animate(**given)))
        backend.process.stdin.close()
        backend.process.wait()
    for title, rounds in taken.items():
        steps = [step for step in _STEPS if step in rounds[0]]
        said = ", ".join(f"{step} {np.median([item[step] for item in rounds]):.2f} s" for step in steps)
        print(f"{title:<22} {said}  (slowest: done {max(item['done'] for item in rounds):.2f} s)")
    firsts = np.array([item["first frames"] for item in taken["preview"]])
    known = np.array([item["the whole"] for item in taken["preview, another seed"]])
    wholes = np.array([item["done"] for item in taken["animate"]])
    print(f"first frames: slowest {firsts.max():.2f} s, {np.median(firsts / wholes):.2f} of animate")
    print(f"known picture and recording, another seed, all of it: {np.median(known / wholes):.2f} of animate")
    print(f"ratio {np.median(wholes / firsts):.2f}")


if __name__ == "__main__":
    main()
