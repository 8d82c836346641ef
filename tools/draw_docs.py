"""Renders the README's picture from a finished demo: `.venv/bin/python tools/draw_docs.py demo.blend docs/demo.png`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

SIDE = 480  # px of one frame in the strip
COUNT = 4


def telling_frames(character: bpy.types.Object, start: int, end: int) -> list[int]:
    """Open-eyed frames as unlike each other as can be: the widest mouth first, then always the farthest, in order."""
    frames = np.arange(start, end + 1)
    keys = character.data.shape_keys.key_blocks
    values = np.zeros((len(frames), len(keys)))
    for i, frame in enumerate(frames):
        bpy.context.scene.frame_set(int(frame))
        values[i] = [key.value for key in keys]
    names = [key.name for key in keys]
    blinking = values[:, names.index("eyeBlinkLeft")] > 0.15
    values[:, [name.startswith(("eye", "residual")) for name in names]] = 0.0
    chosen = [int(np.where(blinking, -1.0, values[:, names.index("jawOpen")]).argmax())]
    while len(chosen) < COUNT:
        distance = np.linalg.norm(values[:, None] - values[chosen], axis=2).min(axis=1)
        chosen.append(int(np.where(blinking, -1.0, distance).argmax()))
    return sorted(int(frames[i]) for i in chosen)


def main(blend: str, target: str) -> None:
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    character = next(item for item in scene.objects if item.type == "MESH" and item.data.shape_keys)
    render = scene.render
    scale = SIDE / min(render.resolution_x, render.resolution_y)
    render.resolution_x, render.resolution_y = round(render.resolution_x * scale), round(render.resolution_y * scale)
    render.resolution_percentage = 100
    render.image_settings.file_format = "PNG"
    render.engine, scene.cycles.samples = "CYCLES", 16  # quicker than Eevee where there is no graphics card
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        for frame in telling_frames(character, scene.frame_start, scene.frame_end):
            scene.frame_set(frame)
            render.filepath = str(Path(folder) / f"{frame}.png")
            bpy.ops.render.render(write_still=True)
            # The plane's antialiased rim would draw lines between the frames.
            pictures.append(np.asarray(Image.open(render.filepath).convert("RGB"))[2:-2, 2:-2])
    Image.fromarray(np.concatenate(pictures, axis=1)).save(target, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python tools/draw_docs.py DEMO.blend OUT.png")
    main(sys.argv[1], sys.argv[2])
