"""A small, complete job as the backend writes it: a grid with 68 landmark vertices, four keys, a nodding head."""

from __future__ import annotations

import json
import struct
import wave
import zlib
from pathlib import Path

import numpy as np

WIDTH, HEIGHT = 120, 160
KEYS = ("jawOpen", "mouthPucker", "eyeBlinkLeft", "residual01")
RANGES = ((-1.0, 2.0), (-1.0, 2.0), (-1.0, 2.0), (-10.0, 10.0))
LANDMARKS = 68


def portrait() -> np.ndarray:
    """(H, W, 4) uint8: smooth colours with a different one in each corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = [x * 200 // WIDTH + 30, y * 180 // HEIGHT + 40, (x + y) * 150 // (WIDTH + HEIGHT) + 60]
    return np.dstack([*channels, np.full_like(x, 255)]).astype(np.uint8)


def mesh_arrays(columns: int = 13, rows: int = 17, names: tuple[str, ...] = KEYS) -> dict[str, np.ndarray]:
    """The arrays of a mesh.npz over a regular grid; the last two triangles show the mouth's texture."""
    x, y = np.meshgrid(np.linspace(0, WIDTH, columns), np.linspace(0, HEIGHT, rows))
    spread = np.hypot(x / WIDTH - 0.5, y / HEIGHT - 0.5)
    z = -20.0 * np.clip(1.0 - 2.0 * spread, 0.0, 1.0)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    # Pixels run down, so the order that is counter-clockwise for the viewer is clockwise in numbers.
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    uv = np.stack([x / WIDTH, 1.0 - y / HEIGHT], axis=-1).reshape(-1, 2)
    count = len(vertices)
    rng = np.random.default_rng(7)
    inner = np.flatnonzero((spread < 0.42).reshape(-1))
    landmarks = inner[np.linspace(0, len(inner) - 1, LANDMARKS).round().astype(int)]
    weights = np.zeros((count, LANDMARKS))
    distance = np.linalg.norm(vertices[:, None, :2] - vertices[landmarks][None, :, :2], axis=-1)
    weights = np.exp(-distance / 12.0)
    key_landmarks = rng.normal(0.0, 4.0, (len(names), LANDMARKS, 3))
    keys = np.einsum("vl,klc->kvc", weights / weights.sum(1, keepdims=True), key_landmarks)
    material = np.zeros(len(triangles), np.int32)
    material[-2:] = 1
    mouth = np.zeros((8, 8, 4), np.uint8)
    mouth[..., 0], mouth[:4, ..., 1], mouth[..., 3] = 90, 200, 255
    return {
        "format": np.int64(1),
        "vertices": vertices.astype(np.float32),
        "triangles": triangles.astype(np.int32),
        "uv": uv.astype(np.float32),
        "material": material,
        "W": weights.astype(np.float32),
        "head_weights": np.clip(1.6 - 3.0 * spread, 0.0, 1.0).reshape(-1).astype(np.float32),
        "landmark_vertices": landmarks.astype(np.int32),
        "key_names": np.array(names),
        "keys": keys.astype(np.float32),
        "key_landmarks": key_landmarks.astype(np.float32),
        "key_range": ranges(names),
        "neck_pivot": np.array([WIDTH / 2 + 3.0, HEIGHT * 0.8, 6.0], np.float32),
        "image_size": np.array([WIDTH, HEIGHT], np.int32),
        "mouth_image": mouth,
    }


def bake_arrays(frames: int = 60, fps: float = 24.0, keys: tuple[str, ...] = KEYS) -> dict[str, np.ndarray]:
    """The arrays of a bake.npz: smooth curves, the first key shut (exactly 0) on frames 20 to 25."""
    time = np.arange(frames)[:, None] / fps
    speed = np.linspace(2.0, 5.0, len(keys))[None, :]
    values = 0.5 + 0.4 * np.sin(2 * np.pi * speed * time)
    values[20:26, 0] = 0.0
    swing = np.sin(2 * np.pi * 0.7 * time + np.arange(3)[None, :])
    return {
        "format": np.int64(1),
        "fps": np.float64(fps),
        "key_names": np.array(keys),
        "key_range": ranges(keys),
        "rest_values": np.zeros(len(keys), np.float32),
        "lip_values": values.astype(np.float32),
        "expression_values": np.zeros_like(values, np.float32),
        "blink_values": np.zeros_like(values, np.float32),
        "head_rotation": (0.15 * swing).astype(np.float32),
        "head_location": (0.02 * swing[:, ::-1]).astype(np.float32),
        "residual": np.full(frames, 0.1, np.float32),
    }


def ranges(names: tuple[str, ...]) -> np.ndarray:
    """(K, 2) slider limits."""
    return np.array([RANGES[i % len(RANGES)] for i in range(len(names))], np.float32)


def write_job(
    folder: Path,
    frames: int = 60,
    fps: float = 24.0,
    grid: tuple[int, int] = (13, 17),
    names: tuple[str, ...] = KEYS,
) -> Path:
    """Writes a whole job's folder, speech included, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_png(folder / "portrait.png", portrait())
    mesh = mesh_arrays(*grid, names)
    points = mesh["vertices"][mesh["landmark_vertices"]]
    face = {
        "format": 1,
        "image": {"path": "portrait.png", "width": WIDTH, "height": HEIGHT},
        "landmarks": points.tolist(),
        "detector": "hand",
        "confidence": 1.0,
    }
    (folder / "face.json").write_text(json.dumps(face), encoding="utf-8")
    np.savez_compressed(folder / "mesh.npz", **mesh)
    np.savez_compressed(folder / "bake.npz", **bake_arrays(frames, fps, names))
    motion = np.repeat(points[None], 5, axis=0).astype(np.float32)
    np.savez_compressed(folder / "motion.npz", format=1, fps=62.5, landmarks=motion, neutral=points)
    write_tone(folder / "speech.wav", frames / fps)
    return folder


def write_tone(path: Path, seconds: float, rate: int = 16_000) -> None:
    """A sine as a 16-bit WAV."""
    samples = 8000 * np.sin(2 * np.pi * 220.0 * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())


def write_png(path: Path, rgba: np.ndarray) -> None:
    """An (H, W, 4) uint8 picture as PNG, without any library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = rgba.shape[:2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rgba.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes()))
        + chunk(b"IEND", b"")
    )


def spoil_array(path, name, change) -> None:
    with np.load(path) as arrays:
        values = dict(arrays)
    values[name] = change(values[name])
    np.savez_compressed(path, **values)
