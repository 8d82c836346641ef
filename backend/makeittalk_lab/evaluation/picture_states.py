"""The states portraits come in: compressed, small, enlarged, blurred, grey … and faces with glasses and hats."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

#: Changes a picture (H, W, 3) uint8, its size perhaps; landmarks scale with it.
State = Callable[[np.ndarray], np.ndarray]


def scaled(rgb: np.ndarray, side: int) -> np.ndarray:
    """The picture with `side` px at its longer side."""
    share = side / max(rgb.shape[:2])
    return np.asarray(
        cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
    )


def compressed(rgb: np.ndarray, quality: int = 30) -> np.ndarray:
    """The picture after JPEG."""
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=quality)
    with Image.open(data) as picture:
        return np.asarray(picture)


def noisy(rgb: np.ndarray) -> np.ndarray:
    """The picture with the noise of a camera in a dark room, 6 levels."""
    small = scaled(rgb, 600)
    noise = np.random.default_rng(0).normal(0, 6, small.shape)
    return np.clip(small + noise, 0, 255).astype(np.uint8)


def blurred(rgb: np.ndarray) -> np.ndarray:
    """The picture out of focus: 2 px of 500."""
    return np.asarray(cv2.GaussianBlur(scaled(rgb, 500), (0, 0), 2))


def grey(rgb: np.ndarray) -> np.ndarray:
    """The picture in black and white."""
    return np.dstack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3)


def sharpened(rgb: np.ndarray) -> np.ndarray:
    """The picture with its edges raised, as telephones do."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 2).astype(np.float32)
    return np.clip(rgb + 1.2 * (rgb - soft), 0, 255).astype(np.uint8)


STATES: dict[str, State] = {
    "as it is": lambda rgb: rgb,
    "compressed": compressed,
    "noisy": noisy,
    "128 px": lambda rgb: scaled(rgb, 128),
    "2000 px": lambda rgb: scaled(rgb, 2000),
    "blurred": blurred,
    "blurred more": lambda rgb: np.asarray(cv2.GaussianBlur(scaled(rgb, 500), (0, 0), 3.5)),
    "sharpened": sharpened,
    "grey": grey,
    "pale": lambda rgb: (rgb * 0.5 + 100).astype(np.uint8),
    "dark": lambda rgb: (rgb * 0.45).astype(np.uint8),
    "180 px, compressed": lambda rgb: compressed(scaled(rgb, 180), 55),
    "110 px, compressed, enlarged": lambda rgb: scaled(compressed(scaled(rgb, 110), 70), 700),
    "grey, soft": lambda rgb: np.asarray(cv2.GaussianBlur(grey(scaled(rgb, 400)), (0, 0), 1.2)),
}


def with_glasses(rgb: np.ndarray, landmarks: np.ndarray, dark: bool) -> np.ndarray:
    """The picture with painted glasses on its face, `dark` ones hide the eyes.

    Args:
        rgb: (H, W, 3) uint8. landmarks: (68, ≥2) px.
    """
    worn = rgb.copy()
    width = float(np.linalg.norm(landmarks[16, :2] - landmarks[0, :2]))
    thick = max(1, round(0.025 * width))
    radii = (round(0.17 * width), round(0.13 * width))
    centres = [landmarks[eye, :2].mean(0) for eye in (slice(36, 42), slice(42, 48))]
    for centre in centres:
        place = (round(float(centre[0])), round(float(centre[1])))
        if dark:
            cv2.ellipse(worn, place, radii, 0, 0, 360, (22, 22, 26), -1, cv2.LINE_AA)
        cv2.ellipse(worn, place, radii, 0, 0, 360, (40, 28, 28), thick, cv2.LINE_AA)
    along = (centres[1] - centres[0]) / max(float(np.linalg.norm(centres[1] - centres[0])), 1e-6)
    ends = [np.rint(centre + way * radii[0] * along).astype(int) for centre, way in zip(centres, (1, -1), strict=True)]
    cv2.line(worn, (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]), (40, 28, 28), thick, cv2.LINE_AA)
    return worn


def with_hat(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The picture with a hat of one red down to the brows."""
    worn = rgb.copy()
    rim = landmarks[17:27, 1].min() - 0.03 * float(landmarks[8, 1] - landmarks[27, 1])
    worn[: max(0, int(rim))] = (190, 40, 45)
    return worn


#: Changes a picture (H, W, 3) uint8 and keeps its size, by landmarks (68, ≥2) px.
Worn = Callable[[np.ndarray, np.ndarray], np.ndarray]

WORN: dict[str, Worn] = {
    "glasses": lambda rgb, landmarks: with_glasses(rgb, landmarks, dark=False),
    "sunglasses": lambda rgb, landmarks: with_glasses(rgb, landmarks, dark=True),
    "hat": with_hat,
}
