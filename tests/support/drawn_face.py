"""A drawing that no detector takes for a face, and where its features lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import samples

#: Where the drawing has what is clicked to place a face, px, in the order of `constants.CLICKS`.
CLICKS = ((120, 150), (280, 150), (200, 260), (110, 380), (290, 380), (200, 380), (200, 470))


def write(path: Path) -> Path:
    """Writes the drawing, two bars for eyes and one for the mouth on yellow, as a PNG of 400 × 500 px."""
    y, x = np.mgrid[0:500, 0:400].astype(float)
    picture = np.full((500, 400, 4), 255, np.uint8)
    picture[..., :3] = (240, 200, 40)
    for centre in (120, 280):
        picture[(np.abs(x - centre) < 30) & (np.abs(y - 150) < 8), :3] = 0
    picture[(np.abs(y - 380) < 8) & (np.abs(x - 200) < 90), :3] = 0
    samples.write_png(path, picture)
    return path
