"""Frames a second and peak memory of the image networks at 256 × 256, ours against the released one, in one run.

    .venv/bin/python tests/bench/bench_image.py [--threads N] [--rounds N]

The released UNet (ngf 64, float32, random weights, run plainly) and its twin of half the width get tensors that are
ready; ours goes from uint8 pictures and landmarks to uint8 pictures, the landmarks drawn on the way. Whole frames are
what a user waits for: the warp at full size, ours, and the paste. Without shipped image weights a fresh network of the
same sizes stands in. All take turns, round by round, so that whatever else the machine does meets them alike; each
figure is the median of the rounds. Memory is that of a process of its own, at its peak. The last line is `ratio X`:
ours ÷ the released UNet at the better of its batches, on the CPU.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "support")]

from makeittalk.images.face_crop import SIZE, FaceCrop  # noqa: E402
from makeittalk.images.landmark_image import draw_landmarks, fill_mouth  # noqa: E402
from makeittalk.jobs.animate import find_face  # noqa: E402
from makeittalk.landmarks.mean_face import MEAN_FACE  # noqa: E402
from makeittalk.mesh.build import build_mesh  # noqa: E402
from makeittalk.mesh.deform import deform  # noqa: E402
from makeittalk.networks.correction import CorrectionNet  # noqa: E402
from makeittalk.networks.device import available_devices  # noqa: E402
from makeittalk.networks.image import INPUTS, ImageConfig, PaperUNet  # noqa: E402
from makeittalk.networks.image_inference import DEFAULT_IMAGE, ImageModel, load_image  # noqa: E402
from makeittalk.rendering.photo import PhotoRenderer  # noqa: E402
from makeittalk.weights.files import list_weights  # noqa: E402
from memory import peak_memory  # noqa: E402

PHOTO = ROOT / "backend" / "makeittalk" / "assets" / "portrait_photo.jpg"
FRAMES = 16  # of ours in a round on the CPU
GPU_FRAMES = 512
GPU_BATCH = 16  # of the released UNet


@dataclass(frozen=True)
class Variant:
    """Something that makes frames: what it is, how many at a time, and the work."""

    name: str
    frames: int
    work: Callable[[], object]


def plain(ngf: int, batch: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Variant:
    """The UNet of the paper as anyone would run it."""
    torch.manual_seed(0)
    network = PaperUNet(ImageConfig(ngf=ngf)).to(device, dtype).eval()
    x = torch.rand(batch, INPUTS, SIZE, SIZE, device=device, dtype=dtype)

    def work() -> None:
        with torch.inference_mode():
            network(x).cpu()

    numbers = str(dtype).removeprefix("torch.")
    return Variant(f"{'released UNet' if ngf == 64 else 'its twin'}, ngf {ngf}, {numbers}, batch {batch}", batch, work)


def default(device: str) -> tuple[ImageModel, str]:
    """The network that photoreal frames are made with, and what it is."""
    shipped = any(file.name == DEFAULT_IMAGE for file in list_weights())
    torch.manual_seed(0)
    model = load_image(device=device) if shipped else ImageModel(CorrectionNet(), "correction", device)
    numbers = str(model.dtype).removeprefix("torch.")
    return model, f"{'shipped' if shipped else 'fresh'} {model.variant} network, {numbers}"


def ours(frames: int, device: str = "cpu") -> Variant:
    """The default from pictures and landmarks to pictures."""
    model, which = default(device)
    rng = np.random.default_rng(0)
    portrait = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    warps, landmarks = np.repeat(portrait[None], frames, axis=0), nodding(frames)
    return Variant(f"ours, {which}, end to end", frames, lambda: model.translate(portrait, warps, landmarks))


def whole(frames: int, device: str = "cpu") -> Variant:
    """Photoreal frames of the embedded photograph at its full size, from the moved mesh."""
    model, _ = default(device)
    with tempfile.TemporaryDirectory() as folder:
        portrait = find_face(PHOTO, folder)
    mesh = build_mesh(portrait.face, portrait.rgba)
    time = np.arange(frames)[:, None]
    jaw = mesh.key_landmarks[mesh.key_names.tolist().index("jawOpen")]
    speaking = (0.5 + 0.5 * np.sin(time))[..., None] * jaw
    moves = deform(mesh, speaking, 0.1 * np.sin(0.7 * time + np.arange(3)), np.zeros((frames, 3)))
    renderer = PhotoRenderer(mesh, portrait.rgba, model)
    name = f"whole frames of {renderer.width} × {renderer.height}: warp, ours, paste"

    def work() -> None:
        for _ in renderer.frames(moves):
            pass

    return Variant(name, frames, work)


def nodding(frames: int) -> np.ndarray:
    """Landmarks (frames, 68, 2) px of a face that nods."""
    points = 1000.0 * MEAN_FACE[:, :2]
    nod = 4.0 * np.sin(0.3 * np.arange(frames))
    return FaceCrop.of(points).place(points) + np.stack([np.zeros(frames), nod], axis=1)[:, None]


CPU: dict[str, Callable[[], Variant]] = {
    "released": lambda: plain(64, 1),
    "released in batches": lambda: plain(64, 4),
    "twin": lambda: plain(32, 1),
    "twin in batches": lambda: plain(32, 4),
    "ours": lambda: ours(FRAMES),
    "whole": lambda: whole(FRAMES),
}


def median_rates(variants: dict[str, Variant], rounds: int) -> dict[str, float]:
    """Frames a second of each, all taking turns; a first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds + 1):
        for name, variant in variants.items():
            begun = time.perf_counter()
            variant.work()
            taken[name].append(time.perf_counter() - begun)
    return {name: variants[name].frames / statistics.median(seconds[1:]) for name, seconds in taken.items()}


def memory_of(name: str, threads: int) -> float:
    """Peak memory of a process that makes frames in one way, MB."""
    command = [sys.executable, __file__, "--threads", str(threads), "--memory", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def on_cpu(rounds: int, threads: int) -> float:
    """Prints what each makes on the CPU and gives ours ÷ the released UNet."""
    print(f"CPU, {threads} thread(s), medians of {rounds} rounds; memory with Python and the libraries in it")
    variants = {name: make() for name, make in CPU.items()}
    rates = median_rates(variants, rounds)
    for name, variant in variants.items():
        line(variant.name, rates[name], memory_of(name, threads))
    landmarks = nodding(64)
    begun = time.perf_counter()
    for points in landmarks:
        draw_landmarks(points), fill_mouth(points)
    print(f"    of which drawing the landmarks of a frame: {1e3 * (time.perf_counter() - begun) / 64:.2f} ms")
    return rates["ours"] / max(rates["released"], rates["released in batches"])


def on_gpu(device: str, rounds: int) -> None:
    """Prints what each makes on a GPU."""
    print(f"{torch.cuda.get_device_name() if device == 'cuda' else device}, medians of {rounds} rounds")
    for make in (
        lambda: plain(64, 1, device),
        lambda: plain(64, GPU_BATCH, device),
        lambda: plain(64, GPU_BATCH, device, torch.float16),
        lambda: ours(GPU_FRAMES, device),
        lambda: whole(GPU_FRAMES, device),
    ):
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        variant = make()
        rate = median_rates({"": variant}, rounds)[""]
        line(variant.name, rate, torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else None)


def line(what: str, rate: float, memory: float | None) -> None:
    print(f"    {rate:8.2f} frames/s  {'       ' if memory is None else f'{memory:6.0f} MB'}  {what}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch (default: all cores)")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--memory", choices=CPU, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.memory:
        CPU[chosen.memory]().work()
        print(peak_memory() / 1e6)
        return
    ratio = on_cpu(chosen.rounds, chosen.threads)
    if (device := available_devices()[0]) != "cpu":
        on_gpu(device, chosen.rounds)
    print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
