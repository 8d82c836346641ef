"""Clips of mouths up close whose teeth can be exchanged: pictures, and where the mesh shows which place of its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

from .image_clips import ImageClip
from .mapped_npz import map_array


@dataclass
class MouthFrames:
    """One portrait's mouth and N moments of it.

    Attributes:
        clip: in the mouth's square. cards: (N, 256, 256, 3) uint8, column and row of the card that each pixel shows
            (255 for its last), and how far it shows the card. light: (3,) of the face, that the card is lit by.
        scale: size of the face's teeth, see `mouth_texture.teeth_scale`.
        size: (2,) px, width and height that the card's texture is shown at.
        own: whether the card shows the portrait's own open mouth, so that no other teeth fit.
    """

    clip: ImageClip
    cards: np.ndarray
    light: np.ndarray
    scale: float
    size: np.ndarray
    own: bool

    def save(self, folder: Path) -> None:
        """Writes the clip, and beside it `NAME.card.npy` and `NAME.card.npz`.

        Raises:
            OutputError: they cannot be written.
        """
        name = self.clip.name
        storage.write_npz(
            folder / f"{name}.card.npz",
            {
                "light": self.light.astype(np.float32),
                "scale": self.scale,
                "size": self.size.astype(np.int32),
                "own": self.own,
            },
        )
        with storage.replacing(folder / f"{name}.card.npy") as temporary:
            np.save(temporary, self.cards)
        self.clip.save(folder)

    @classmethod
    def load(cls, folder: Path, name: str) -> MouthFrames:
        """Maps a clip's pictures into memory.

        Raises:
            InputError: it is missing or damaged.
        """
        clip = ImageClip.load(folder, name)
        path = folder / f"{name}.card.npy"
        values = storage.read_npz(folder / f"{name}.card.npz")
        try:
            cards = map_array(path)
            light, size, own = np.asarray(values["light"], np.float64), values["size"], bool(values["own"])
            scale = float(values["scale"])
            if cards.shape != clip.warps.shape or cards.dtype != np.uint8 or light.shape != (3,) or size.shape != (2,):
                raise ValueError("other shapes")
        except (KeyError, TypeError, ValueError, OverflowError, OSError, EOFError) as error:
            raise InputError(f"{path} is damaged.", "Prepare the mouths again.") from error
        return cls(clip, cards, light, scale, size, own)

    def warp(self, moment: int, texture: np.ndarray | None) -> np.ndarray:
        """A moment as the mesh shows it, (256, 256, 3) uint8, its card drawn with another texture.

        Args:
            texture: (h, w, ≥3) uint8, None for the one it was prepared with.
        """
        shown = self.clip.warps[moment]
        if texture is None or self.own:
            return np.asarray(shown)
        texture = self.fitting(texture)
        card = self.cards[moment]
        rows, columns = np.nonzero(card[..., 2])
        if not len(rows):
            return np.asarray(shown)
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        cut = card[part].astype(np.float32)
        cover = cut[..., 2:] / 255.0
        # Column and row were drawn over black, so that pixels which show the card in part say less of both.
        place = cut[..., :2] / np.maximum(cover, 1e-3) * (np.array([texture.shape[1], texture.shape[0]]) / 255.0) - 0.5
        place = place.astype(np.float32)
        teeth = cv2.remap(texture, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        result = np.array(shown)
        around = _lips(result[part].astype(np.float32), cover)
        result[part] = np.rint(np.clip(around + cover * (teeth - around), 0, 255))
        return result

    def fitting(self, texture: np.ndarray) -> np.ndarray:
        """A texture (h, w, ≥3) uint8 as large as the mesh's, (height, width, 3)."""
        if texture.shape == (self.size[1], self.size[0], 3):
            return texture
        return np.asarray(cv2.resize(texture[..., :3], self.size.tolist(), interpolation=cv2.INTER_AREA))


def _lips(shown: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """The colours (h, w, 3) of what lies around the card, continued over pixels that show it in part."""
    bare = (cover < 1 / 255).astype(np.float32)
    known = cv2.GaussianBlur(bare[..., 0], (0, 0), 2.0)[..., None]
    spread = cv2.GaussianBlur(shown * bare, (0, 0), 2.0) / np.maximum(known, 1e-3)
    return np.where(bare > 0, shown, spread)
