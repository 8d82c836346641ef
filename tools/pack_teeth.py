"""Packs what `tools/blender/render_teeth.py` rendered into the asset: `python tools/pack_teeth.py FOLDER`.

One picture, layers below each other: upper and lower row of each set, then the tongue; colour × alpha.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "backend" / "makeittalk" / "assets" / "teeth.webp"
_QUALITY = 92


def pack(folder: Path, target: Path = TARGET) -> int:
    """Writes the asset and returns its size in bytes."""
    count = len(list(folder.glob("upper?.png")))
    names = [f"{side}{number}" for number in range(count) for side in ("upper", "lower")] + ["tongue"]
    layers = [cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in names]
    sheet = np.concatenate(layers).astype(np.float64) / 65535
    sheet[..., :3] = sheet[..., 2::-1] * sheet[..., 3:]
    pixels = np.rint(sheet * 255).astype(np.uint8)
    Image.fromarray(pixels, "RGBA").save(target, quality=_QUALITY, alpha_quality=95, method=6, exact=True)
    return target.stat().st_size


if __name__ == "__main__":
    print(TARGET, pack(Path(sys.argv[1])), "bytes")
