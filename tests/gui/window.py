"""A Blender window as its user has it: mouse, keys, and what is on the screen. Runs inside Blender."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import bpy
import numpy as np


class Window:
    """The only window, with its 3D viewport.

    Args:
        folder: where screenshots go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def window(self) -> bpy.types.Window:
        return bpy.context.window_manager.windows[0]

    @property
    def area(self) -> bpy.types.Area:
        return next(area for area in self.window.screen.areas if area.type == "VIEW_3D")

    def region(self, kind: str) -> bpy.types.Region:
        return next(region for region in self.area.regions if region.type == kind)

    def move(self, x: int, y: int) -> None:
        self.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)

    def click(self, x: int, y: int) -> None:
        self.move(x, y)
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=x, y=y)
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=x, y=y)

    def key(self, kind: str, **modifiers: bool) -> None:
        """Presses a key with the mouse over the viewport."""
        region = self.region("WINDOW")
        x, y = region.x + region.width // 3, region.y + region.height // 2
        self.move(x, y)
        self.window.event_simulate(type=kind, value="PRESS", x=x, y=y, **modifiers)
        self.window.event_simulate(type=kind, value="RELEASE", x=x, y=y, **modifiers)

    def scroll(self, clicks: int) -> None:
        """Turns the wheel over the sidebar, down for positive numbers."""
        region = self.region("UI")
        x, y = region.x + region.width // 2, region.y + region.height // 2
        self.move(x, y)
        for _click in range(abs(clicks)):
            self.window.event_simulate(type="WHEELDOWNMOUSE" if clicks > 0 else "WHEELUPMOUSE", value="PRESS", x=x, y=y)

    def shot(self, name: str) -> np.ndarray:
        """Saves what is on the screen; returns it (H, W, 3), first row at the bottom."""
        path = self.folder / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], check=True)
        image = bpy.data.images.load(str(path))
        pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        pixels = pixels.reshape(image.size[1], image.size[0], image.channels)[..., :3].copy()
        bpy.data.images.remove(image)
        return pixels

    def big_button(self, pixels: np.ndarray, least: int = 28, most: int = 46) -> tuple[int, int]:
        """The middle of the tallest button of the sidebar, found in a screenshot by its even colour.

        Args:
            least, most: pixels that it is high.
        """
        region = self.region("UI")
        column = np.round(pixels[:, region.x + region.width - 70] * 255).astype(int)
        column = column[region.y : region.y + region.height]
        edges = np.flatnonzero(np.abs(np.diff(column, axis=0)).max(axis=1) > 0) + 1
        bounds = np.concatenate([[0], edges, [len(column)]])
        colours, counts = np.unique(column, axis=0, return_counts=True)
        ground = colours[counts.argmax()]
        runs = [
            (end - start, (start + end) // 2)
            for start, end in itertools.pairwise(bounds)
            if least <= end - start <= most and (column[start] - ground).min() > 8  # boxes are darker than the ground
        ]
        assert runs, "the button is not on the screen"
        return region.x + region.width // 2, region.y + int(max(runs)[1])
