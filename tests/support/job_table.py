"""Every command and job that writes: how it is run, what it writes, and what of that two runs have in common."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import tiny_wheels
from extension import part_outside
from PIL import Image
from project import ASSETS, SUPPORT

SIDE = 224  # px of the portraits: small is quick
SECONDS = 0.6  # of the recording
BOOK = "done.jsonl"


@dataclass(frozen=True)
class Job:
    """A command or a job.

    Attributes:
        name: what the tables call it.
        arguments: of `python -m makeittalk`, or of `job_drivers.py` where `driver` says so; given the folders of what
            it reads and of what it writes.
        resumes: whether it keeps what is finished when it is interrupted, and goes on from there.
        state: patterns of files by which it goes on or locks, or that say how long it took; they need not be equal.
        together: whether its files appear all at once.
        steps: how much is done, by what is in the folder that it writes to; the number of files where it is None.
        blender: it needs Blender.
        quick: it is in the short sample.
        sentences: how many it may say when it fails: a batch says one for each shot.
    """

    name: str
    arguments: Callable[[Path, Path], list[object]]
    resumes: bool = False
    state: tuple[str, ...] = ()
    together: bool = False
    steps: Callable[[Path], int] | None = None
    driver: bool = False
    blender: bool = False
    quick: bool = False
    sentences: int = 1

    def command(self, inputs: Path, out: Path) -> list[str]:
        """What is run."""
        begin = [str(SUPPORT / "job_drivers.py")] if self.driver else ["-m", "makeittalk"]
        return [sys.executable, *begin, *map(str, self.arguments(inputs, out))]

    def contents(self, out: Path) -> dict[str, bytes]:
        """What two runs have in common: of every file its bytes, or for large ones their sum."""
        found = {}
        for path in sorted(path for path in out.rglob("*") if path.is_file() and not path.is_symlink()):
            name = path.relative_to(out).as_posix()
            if not self.is_state(name):
                found[name] = _content(path)
        return found

    def done(self, out: Path, tmp: Path) -> int:
        """How much is done: steps, or the files and folders that it has made by now."""
        if self.steps is not None:
            return self.steps(out)
        return sum(1 for folder in (out, tmp) for _ in folder.rglob("*"))

    def is_state(self, name: str) -> bool:
        """Whether a file is one by which the job goes on."""
        return any(Path(name).match(pattern) or name.startswith(pattern.rstrip("*")) for pattern in self.state)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".blend" and data.startswith(b"\x28\xb5\x2f\xfd"):
        from blend_blocks import digest

        return digest(path)
    if path.name == "log.jsonl":
        lines = [json.loads(line) for line in data.splitlines()]
        return json.dumps([{k: v for k, v in line.items() if k != "seconds"} for line in lines]).encode()
    if path.name == BOOK:
        rows = [json.loads(line) for line in data.splitlines() if line.endswith(b"}")]
        known = {row.get("name", ""): {k: v for k, v in row.items() if k != "stamp"} for row in rows}
        return json.dumps([known[name] for name in sorted(known)]).encode()
    return data if len(data) < 4096 else hashlib.sha256(data).hexdigest().encode()


@lru_cache(maxsize=1)
def _speech() -> tuple[np.ndarray, int]:
    return soundfile.read(ASSETS / "speech.flac")


def write_inputs(folder: Path) -> None:
    """What the commands read: two small portraits, two recordings; see `write_more` for what some need besides."""
    for name, source in (("drawing.png", "portrait_cartoon.png"), ("photo.png", "portrait_photo.jpg")):
        with Image.open(ASSETS / source) as picture:
            picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(folder / name)
    samples, rate = _speech()
    for name, begin in (("speech.wav", 0.3), ("other.wav", 1.1)):
        first = int(begin * rate)
        soundfile.write(folder / name, samples[first : first + int(SECONDS * rate)], rate)


def write_more(job: Job, inputs: Path) -> None:
    """What one job reads besides, made by the project itself."""
    from makeittalk.cli.main import main

    def run(*arguments: object) -> None:
        assert main([str(argument) for argument in arguments]) == 0

    drawing, speech = inputs / "drawing.png", inputs / "speech.wav"
    needs_face = job.name in ("predict", "serve photoreal")
    if needs_face:
        run("detect", inputs / ("photo.png" if job.driver else "drawing.png"), "-o", inputs / "face.json")
    if job.name.startswith("render"):
        run("animate", drawing, speech, "-o", inputs / "motion.npz")
    if job.name == "track":
        run("animate", inputs / "photo.png", speech, "-o", inputs / "film.mp4", "--style", "cartoon")
    if job.name == "serve photoreal":
        _photoreal(inputs)
    if job.name == "serve animate":
        _request(inputs, "animate", portrait=str(drawing), audio=str(speech))
    if job.name == "batch":
        lines = [
            f"drawing.png,{name}.wav,../work/out/{name}.npz;../work/out/{name}.csv,cartoon"
            for name in ("speech", "other")
        ]
        (inputs / "shots.csv").write_text("\n".join(["portrait,audio,output,style", *lines, ""]))
    if job.name == "train":
        from made_clips import write_clips, write_config

        (inputs / "data").mkdir()
        config = write_config(inputs, write_clips(inputs / "data"), 60, more="")
        out = inputs.parent / "work" / "out"
        config.write_text(config.read_text().replace((inputs / "out").as_posix(), out.as_posix()))
    if job.name == "prepare":
        from made_corpora import TalkingPhoto, write_obama

        (inputs / "films").mkdir()
        write_obama(inputs / "films", TalkingPhoto(inputs), films=3, seconds=2.3)
    if job.name == "weights import":
        import released_clone
        from job_drivers import WIDTH

        released_clone.write_clone(inputs / "clone", released_clone.small_layout(WIDTH), optimizer=False)
    if job.name == "install":
        _wheels(inputs)


def _wheels(inputs: Path) -> None:
    locks = part_outside("backend.makeittalk.exchange.locks")
    wheels = inputs / "wheels"
    made = [tiny_wheels.write_wheel(wheels, name, "1.0", ballast=300_000) for name in ("alpha", "beta")]
    tiny_wheels.write_wheel(wheels, "torch", f"{locks.TORCH}+cpu")
    tiny_wheels.fetch_pip(wheels)
    tiny_wheels.write_lock(inputs / "locks", made, locks.platform_name())
    (inputs / "backend").mkdir()
    (inputs / "backend" / "serve.py").write_text(tiny_wheels.SERVE)


def _request(inputs: Path, method: str, **fields: object) -> None:
    out = str(inputs.parent / "work" / "out")
    place = "folder" if method == "animate" else "output"
    text = json.dumps({"method": method, "params": {**fields, place: out}})
    (inputs / "request.json").write_text(text)


def _photoreal(inputs: Path) -> None:
    """A small photograph, its mesh, the moves of a nodding head, and a network that has learned nothing."""
    from makeittalk.exchange.formats import Face, Mesh, Moves
    from makeittalk.images.portrait import read_picture
    from makeittalk.mesh.build import build_mesh
    from makeittalk.mesh.deform import deform
    from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
    from makeittalk.networks.image_inference import save_image

    face = Face.load(inputs / "face.json")
    rgba = np.asarray(read_picture(face.image)[0])
    mesh: Mesh = build_mesh(face, rgba)
    mesh.save(inputs / "mesh.npz")
    time = np.arange(10)[:, None]
    jaw = mesh.key_landmarks[mesh.key_names.tolist().index("jawOpen")]
    turn = 0.1 * np.sin(0.7 * time + np.arange(3))
    Moves(deform(mesh, (0.5 + 0.5 * np.sin(time))[..., None] * jaw, turn, np.zeros((10, 3)))).save(inputs / "moves.npz")
    save_image(inputs / "net.safetensors", CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
    values = {name: str(inputs / f"{name}.npz") for name in ("mesh", "moves")}
    film = str(inputs.parent / "work" / "out" / "film.mp4")
    _request(
        inputs, "photoreal", portrait=str(face.image), film=film, weights=str(inputs / "net.safetensors"), **values
    )


def _lines(name: str) -> Callable[[Path], int]:
    def count(out: Path) -> int:
        path = out / name
        return path.read_bytes().count(b"\n") if path.is_file() else 0

    return count


def _animate(*outputs: str, portrait: str = "drawing.png", style: str = "cartoon") -> Callable[..., list[object]]:
    def arguments(inputs: Path, out: Path) -> list[object]:
        asked = [part for output in outputs for part in ("-o", out / output)]
        return ["animate", inputs / portrait, inputs / "speech.wav", *asked, "--style", style]

    return arguments


JOBS = (
    Job(
        "detect",
        lambda read, out: ["detect", read / "photo.png", "-o", out / "face.json", "--overlay", out / "seen.png"],
    ),
    Job(
        "predict",
        lambda read, out: ["predict", read / "speech.wav", "--face", read / "face.json", "-o", out / "motion.npz"],
    ),
    Job("animate npz, tables", _animate("shot.npz", "shot.csv", "shot.json"), quick=True),
    Job("animate mp4", _animate("shot.mp4")),
    Job("animate mp4 photoreal", _animate("shot.mp4", portrait="photo.png", style="photo")),
    Job("animate blend", _animate("shot.blend"), blender=True),
    Job(
        "render mp4",
        lambda read, out: [
            *("render", read / "drawing.png", read / "motion.npz", "-o", out / "shot.mp4"),
            *("--audio", read / "speech.wav"),
        ],
    ),
    Job(
        "render pictures",
        lambda read, out: ["render", read / "drawing.png", read / "motion.npz", "-o", out / "frames"],
    ),
    Job("track", lambda read, out: ["track", read / "film.mp4", "-o", out / "motion.npz"]),
    Job(
        "visemes",
        lambda read, out: [
            *("visemes", read / "speech.wav"),
            *(part for suffix in ("tsv", "xml", "json", "dat") for part in ("-o", out / f"cues.{suffix}")),
        ],
    ),
    Job(
        "voice-convert",
        lambda read, out: ["voice-convert", read / "speech.wav", "--to", read / "other.wav", "-o", out / "said.wav"],
        quick=True,
    ),
    Job("serve animate", lambda read, out: ["serve", read / "request.json"], driver=True),
    Job(
        "serve photoreal",
        lambda read, out: ["serve", read / "request.json"],
        driver=True,
        resumes=True,
        state=("frames.jsonl",),
        steps=_lines("frames.jsonl"),
    ),
    Job(
        "batch",
        lambda read, out: ["batch", read / "shots.csv", "--report", out / "report", "--workers", "1"],
        resumes=True,
        state=("report/*",),
        sentences=2,
        steps=lambda out: len([*out.glob("report/shots/*.json")]),
    ),
    Job(
        "train",
        lambda read, out: ["train", "content", read / "config.toml", "--device", "cpu"],
        resumes=True,
        state=("checkpoint*",),
        steps=_lines("log.jsonl"),
    ),
    Job(
        "prepare",
        lambda read, out: ["prepare", "obama", read / "films", out, "--workers", "2"],
        resumes=True,
        steps=_lines(BOOK),
    ),
    Job(
        "weights import",
        lambda read, out: ["import", read / "clone"],
        driver=True,
        state=("weights/.lock",),
        together=True,
    ),
    Job(
        "install",
        lambda read, out: ["install", read, out],
        driver=True,
        state=("install.l*", "cache/*", "*.pyc", "installed.json"),
        together=True,
    ),
)


def reset(out: Path, old: dict[str, bytes]) -> None:
    """Empties a folder of the harness's own, and puts former files there."""
    for path in out.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, data in old.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
