"""Photographs and paintings are told from drawings, in whatever state they come."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from makeittalk.images.style import choose_style, is_photograph, photograph_odds, resolve_style
from makeittalk.landmarks.detector import detect_landmarks
from PIL import Image
from project import ROOT

TOOLS = ROOT / "tools"
FRAME = "bbaz6p"


def load(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def scaled(rgb: np.ndarray, side: int) -> np.ndarray:
    share = side / max(rgb.shape[:2])
    way = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return cv2.resize(rgb, None, fx=share, fy=share, interpolation=way)


def compressed(rgb: np.ndarray) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=30)
    return np.asarray(Image.open(data))


def noisy(rgb: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 6, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


CONDITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda rgb: rgb,
    "compressed": compressed,
    "noisy": lambda rgb: noisy(scaled(rgb, 600)),
    "128 px": lambda rgb: scaled(rgb, 128),
    "2000 px": lambda rgb: scaled(rgb, 2000),
    "blurred": lambda rgb: cv2.GaussianBlur(scaled(rgb, 500), (0, 0), 2),
    "grey": lambda rgb: np.dstack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3),
    "pale": lambda rgb: (rgb * 0.5 + 100).astype(np.uint8),
    "dark": lambda rgb: (rgb * 0.45).astype(np.uint8),
}


def styles(rgb: np.ndarray, points: np.ndarray) -> dict[str, str]:
    """The style chosen in every condition."""
    found = {}
    for name, change in CONDITIONS.items():
        changed = change(rgb)
        found[name] = choose_style(changed, points * (changed.shape[1] / rgb.shape[1]))[0]
    return found


def all_of(style: str) -> dict[str, str]:
    return dict.fromkeys(CONDITIONS, style)


def drawings() -> dict[str, np.ndarray]:
    """The embedded drawing as its tool can also draw it, at a third of its sharpness."""
    spec = importlib.util.spec_from_file_location("draw_portrait", TOOLS / "draw_portrait.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)
    tool.SCALE = 1
    found = {"soft": np.asarray(tool.draw())}
    skins = {
        "dark": ((120, 76, 52), (150, 98, 70), (92, 56, 38), (66, 38, 28)),
        "blue": ((110, 160, 220), (150, 190, 240), (70, 110, 180), (50, 70, 140)),
    }
    for name, colours in skins.items():
        tool.SKIN, tool.SKIN_LIGHT, tool.SKIN_SHADE, tool.SKIN_DEEP = colours
        found[name] = np.asarray(tool.draw())
    edges = cv2.morphologyEx(cv2.cvtColor(found["soft"], cv2.COLOR_RGB2GRAY), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    inked = cv2.bilateralFilter(found["soft"], 9, 60, 9)
    inked[cv2.dilate(edges, np.ones((3, 3))) > 40] = (20, 16, 20)
    found["inked"] = inked
    found["lines"] = np.dstack([np.where(edges > 24, 40, 250).astype(np.uint8)] * 3)
    return found


def test_the_embedded_photograph(astronaut: Path) -> None:
    rgb = load(astronaut)
    points = detect_landmarks(rgb).landmarks[:, :2]
    assert styles(rgb, points) == all_of("photo")
    style, reason = choose_style(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), points)
    assert style == "photo" and "photograph" in reason and reason.endswith(".")


def test_drawings(cartoon: Path) -> None:
    points = detect_landmarks(load(cartoon)).landmarks[:, :2]  # all are of the same face
    for name, rgb in ({"embedded": load(cartoon)} | drawings()).items():
        assert styles(rgb, points) == all_of("cartoon"), name
    assert "drawing" in choose_style(load(cartoon), points)[1]


@pytest.mark.data
@pytest.mark.parametrize("name", ["mona_lisa.jpg", "van_gogh.jpg", FRAME])
def test_paintings_and_films_count_as_photographs(name: str, data_dir: Path) -> None:
    if name == FRAME:
        with av.open(str(data_dir / "grid_s1" / "video" / f"{name}.mp4")) as film:
            rgb = next(film.decode(video=0)).to_ndarray(format="rgb24")
    else:
        rgb = load(data_dir / "portraits" / name)
    assert styles(rgb, detect_landmarks(rgb).landmarks[:, :2]) == all_of("photo")


def test_the_rule_is_sure_of_the_embedded_portraits(astronaut: Path, cartoon: Path) -> None:
    odds = [photograph_odds(load(path), detect_landmarks(load(path)).landmarks) for path in (cartoon, astronaut)]
    assert odds[0] < -2 and odds[1] > 2


def test_size_has_no_say(astronaut: Path) -> None:
    rgb = load(astronaut)
    points = detect_landmarks(rgb).landmarks[:, :2]
    found = [photograph_odds(scaled(rgb, side), points * (side / rgb.shape[1])) for side in (400, 960, 3840)]
    assert np.ptp(found) < 2 and min(found) > 2


def test_what_lies_around_the_face_has_no_say(astronaut: Path) -> None:
    rgb = load(astronaut)
    points = detect_landmarks(rgb).landmarks[:, :2]
    outline = cv2.convexHull(np.rint(points).astype(np.int32))
    face = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, outline, 1)
    face = cv2.dilate(face, np.ones((25, 25), np.uint8))
    around = np.where(face[..., None] > 0, rgb, np.array([240, 30, 30], np.uint8))  # a flat hood
    assert is_photograph(around, points)
    assert abs(photograph_odds(around, points) - photograph_odds(rgb, points)) < 0.5


def test_the_picture_decides_only_where_it_is_asked(cartoon: Path) -> None:
    rgb = load(cartoon)
    landmarks = detect_landmarks(rgb).landmarks
    assert resolve_style("auto", rgb, landmarks) == choose_style(rgb, landmarks)
    assert resolve_style("photo", rgb, landmarks) == ("photo", "")


def test_a_face_out_of_the_picture_is_no_error() -> None:
    rgb = np.full((64, 64, 3), 120, np.uint8)
    points = np.random.default_rng(0).uniform(-900, -500, (68, 2)).astype(np.float32)
    assert choose_style(rgb, points)[0] in ("photo", "cartoon")
