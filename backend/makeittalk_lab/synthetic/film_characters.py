"""Moves a frame of a film by its mesh, as the film's other frames move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange.formats import Face, Mesh, Motion
from makeittalk.images.face_crop import FaceCrop
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.mesh.build import build_mesh
from makeittalk.rendering.photo import motion_vertices
from makeittalk.rendering.warp import Warper

from ..data.image_clips import ImageClip


def warp_clip(name: str, pictures: np.ndarray, landmarks: np.ndarray, first: int, moments: np.ndarray) -> ImageClip:
    """The clip of a film's frame `first` as the portrait and the frames `moments` (N,) as targets.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px.

    Raises:
        InputError: the face cannot be meshed.
    """
    mesh, rgba, motion = film_character(pictures, landmarks, first, moments)
    vertices = np.stack(list(motion_vertices(mesh, motion)))
    crop = FaceCrop.of(motion.neutral)
    with Warper(mesh, rgba) as warper:
        warps = np.stack([crop.take(warper.draw(moved)[..., :3]) for moved in vertices])
    return ImageClip(
        name,
        crop.take(pictures[first]),
        warps,
        np.stack([crop.take(pictures[moment]) for moment in moments]),
        crop.place(motion.neutral[:, :2]),
        crop.place(vertices[:, mesh.landmark_vertices, :2]),
    )


def film_character(
    pictures: np.ndarray, landmarks: np.ndarray, first: int, moments: np.ndarray
) -> tuple[Mesh, np.ndarray, Motion]:
    """A film's frame `first` as a character, and its frames `moments` (N,) as the motion of it.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px.

    Returns:
        the mesh, the portrait (H, W, 4) uint8, and the motion of N frames.

    Raises:
        InputError: the face cannot be meshed.
    """
    height, width = pictures.shape[1:3]
    neutral = landmarks[first].astype(np.float32)
    rgba = np.dstack([pictures[first], np.full((height, width), 255, np.uint8)])
    mesh = build_mesh(Face(Path("portrait.png"), width, height, neutral), rgba, style="photo")
    return mesh, rgba, motion_of_landmarks(landmarks[moments].astype(np.float32), neutral, 25.0)
