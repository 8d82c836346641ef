"""Frames a second of a warped film, drawing to MP4, against drawing and encoding it as plainly as one can, in one run.

    .venv/bin/python tests/bench/bench_film.py [--frames N] [--rounds N]

The plain way draws every pixel with four samples, and one frame after the other is drawn, resolved, read back, copied
to RGB, converted and encoded. Both ways take turns, so that whatever else the machine does meets them alike; each
figure is the median of the rounds. Beside what was waited for stands the processor's time of all threads, and the rate
at which two cores with nothing else to do could go through it. Below: what the steps of a frame take, and how far the
pictures and the decoded films are apart. The last line is `ratio X`: processor's time of the plain way ÷ ours.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "backend"))

from makeittalk.exchange import formats  # noqa: E402
from makeittalk.jobs.animate import find_face  # noqa: E402
from makeittalk.landmarks.pose import compose_pose  # noqa: E402
from makeittalk.mesh.build import build_mesh  # noqa: E402
from makeittalk.rendering import gl, video  # noqa: E402
from makeittalk.rendering.warp import Warper  # noqa: E402

CARTOON = ROOT / "backend" / "makeittalk" / "assets" / "portrait_cartoon.png"
FPS = 25


class PlainRenderer(gl.GlRenderer):
    """Draws every pixel with four samples."""

    def _build(self, mesh: formats.Mesh, textures: tuple[np.ndarray, ...], width: int, height: int) -> None:
        super()._build(mesh, textures, width, height)
        context, size = self._context, (width, height)
        self._many = context.framebuffer(
            context.renderbuffer(size, 4, samples=4), context.depth_renderbuffer(size, samples=4)
        )

    def draw(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray:
        self._write("head", head)
        self._positions.write(np.ascontiguousarray(positions, np.float32))
        self._paint(self._many)
        self._context.copy_framebuffer(self._canvas, self._many)
        pixels = np.empty((*self._size[::-1], 4), np.uint8)
        self._canvas.read_into(pixels, components=4, alignment=1)
        return pixels


def plain_mp4(path: Path, frames: Iterator[np.ndarray], size: tuple[int, int]) -> None:
    """One step after the other, with copies between them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[..., :3]), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=1, src_color_range=2, dst_color_range=1)
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


class Character:
    """The cartoon and a motion of it."""

    def __init__(self, frames: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            portrait = find_face(CARTOON, folder)
        self.rgba = portrait.rgba
        self.mesh = build_mesh(portrait.face, portrait.rgba)
        keys = dict(zip(self.mesh.key_names.tolist(), self.mesh.key_landmarks, strict=True))
        now = np.arange(frames)[:, None] / FPS
        speaking = (0.5 - 0.5 * np.cos(25.0 * now))[..., None] * keys["jawOpen"]
        blinking = (np.sin(2.0 * now) > 0.97)[..., None] * (keys["eyeBlinkLeft"] + keys["eyeBlinkRight"])
        expression = (speaking + blinking).astype(np.float32)
        turned = (0.1 * np.sin(1.7 * now + np.arange(3))).astype(np.float32)
        still = np.zeros((frames, 3), np.float32)
        neutral = portrait.face.landmarks
        posed = compose_pose(neutral, expression, turned, still, self.mesh.neck_pivot)
        self.motion = formats.Motion(float(FPS), posed, neutral, expression, turned, still, self.mesh.neck_pivot)


def opened(character: Character, plain: bool) -> Warper:
    """Who draws it, in the plain way or in ours."""
    ours = gl.GlRenderer
    try:
        if plain:
            gl.GlRenderer = PlainRenderer
        return Warper(character.mesh, character.rgba, backend="gl")
    finally:
        gl.GlRenderer = ours


def film(character: Character, plain: bool, path: Path) -> tuple[float, float]:
    """Makes the film: seconds waited for, seconds of processor."""
    with opened(character, plain) as warper:
        frames, size = warper.frames(character.motion), (warper.width, warper.height)
        begun = time.perf_counter(), time.process_time()
        if plain:
            plain_mp4(path, frames, size)
        else:
            video.write_mp4(path, frames, FPS, size, total=character.motion.frames)
        return time.perf_counter() - begun[0], time.process_time() - begun[1]


def steps(character: Character, plain: bool) -> dict[str, float]:
    """Processor's time of each step of a frame, one finished before the next begins, ms, means."""
    taken: dict[str, float] = {}

    def watched(owner: Any, name: str, step: str, finish: Callable[[], None]) -> None:
        work: Callable = getattr(owner, name)

        def wrapper(*arguments: object, **options: object) -> object:
            begun = time.process_time()
            result = work(*arguments, **options)
            finish()
            taken[step] = taken.get(step, 0.0) + time.process_time() - begun
            return result

        setattr(owner, name, wrapper)

    with opened(character, plain) as warper:
        renderer: Any = warper._renderer
        finish = renderer._context.finish
        watched(renderer, "draw", "whole frame", finish)
        if not plain:
            watched(renderer, "_smooth", "smooth edges", finish)
            watched(renderer._silhouette, "rectangles", "find edges", finish)
        pictures = [picture.copy() for picture in warper.frames(character.motion)]
    converter = VideoReformatter()
    begun = time.process_time()
    for picture in pictures:
        if plain:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., :3]), format="rgb24")
            frame.reformat(format="yuv420p", dst_colorspace=1, src_color_range=2, dst_color_range=1)
        else:
            video._converted(video._opaque(picture, *picture.shape[1::-1]), converter)
    taken["convert"] = time.process_time() - begun
    return {step: 1e3 * seconds / len(pictures) for step, seconds in taken.items()}


def decoded(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            yield frame.to_ndarray(format="rgb24").astype(np.int16)


def apart(one: Iterator[np.ndarray], other: Iterator[np.ndarray]) -> float:
    """Mean difference of pictures, levels of 255."""
    return float(np.mean([np.abs(a.astype(np.int16) - b).mean() for a, b in zip(one, other, strict=True)]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, default=100)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    character = Character(chosen.frames)
    height, width = character.rgba.shape[:2]
    print(f"{width} × {height} px, {chosen.frames} frames, medians of {chosen.rounds} rounds; {gl.describe_gl()}")
    ways = {"plain": True, "ours": False}
    with tempfile.TemporaryDirectory() as folder:
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(chosen.rounds + 1):  # the first warms up
            for name, plain in ways.items():
                taken[name].append(film(character, plain, Path(folder) / f"{name}.mp4"))
        used = {}
        for name, rounds in taken.items():
            waited, used[name] = (
                1e3 * statistics.median(part[1:]) / chosen.frames for part in zip(*rounds, strict=True)
            )
            print(
                f"    {name:<6}{1e3 / waited:7.1f} frames/s: {waited:5.1f} ms waited for, {used[name]:5.1f} ms of "
                f"processor; two idle cores: up to {2e3 / used[name]:.1f} frames/s"
            )
        difference = apart(*(decoded(Path(folder) / f"{name}.mp4") for name in ways))
    for name, plain in ways.items():
        parts = ", ".join(f"{step} {ms:.1f}" for step, ms in steps(character, plain).items())
        print(f"    {name}, ms of processor: {parts}")
    with opened(character, True) as warper:
        before = [frame.copy() for frame in warper.frames(character.motion)]
    with opened(character, False) as warper:
        pictures = apart(warper.frames(character.motion), iter(before))
    print(f"    mean difference: pictures {pictures:.4f}, decoded films {difference:.3f} levels of 255")
    print(f"ratio {used['plain'] / used['ours']:.2f}")


if __name__ == "__main__":
    main()
