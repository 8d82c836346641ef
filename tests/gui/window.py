"""What the scripts of this folder share: a Blender window as its user has it, and her run. Runs inside Blender."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import bpy
import numpy as np

_Awaited = TypeVar("_Awaited")

MODULE = "bl_ext.user_default.makeittalk"


def arguments() -> list[str]:
    """What stands behind `--` on the command line."""
    return sys.argv[sys.argv.index("--") + 1 :]


def install(archive: str) -> None:
    """Installs the extension from its zip and enables it."""
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons


def addon(path: str) -> ModuleType:
    """A module of the installed add-on, such as "scene.character"."""
    return sys.modules[f"{MODULE}.addon.{path}"]


def session() -> bpy.types.PropertyGroup:
    """What the panel shows of the running job."""
    return bpy.context.window_manager.makeittalk


def characters() -> list[bpy.types.Collection]:
    return addon("scene.character").characters(bpy.context.scene)


def browser() -> tuple[bpy.types.Window, bpy.types.Area] | None:
    """The file browser, wherever Blender has opened it."""
    for shown in bpy.context.window_manager.windows:
        for area in shown.screen.areas:
            if area.type == "FILE_BROWSER" and area.spaces.active.params is not None:
                return shown, area
    return None


def until(condition: Callable[[], _Awaited], what: str, limit: float) -> Generator[float, None, _Awaited]:
    """Waits for something and returns it; fails where it is still nothing after `limit` seconds."""
    end = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}; {session().message}"
        yield 0.05
    return found


def run(user: Iterator[float], seen: dict[str, object], ui: Window) -> None:
    """Lets the user act, who waits as many seconds as she yields; then writes `result.json` and ends Blender.

    Args:
        seen: what is written; with "end" where she came to it, else with the "error".
    """

    def step() -> float | None:
        try:
            return next(user)
        except StopIteration:
            seen["end"] = "reached"
        except BaseException:
            seen["error"] = traceback.format_exc()
            ui.shot("error")
        (ui.folder / "result.json").write_text(json.dumps(seen, indent=1))
        bpy.ops.wm.quit_blender()
        return None

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(step, first_interval=1.0, persistent=True)


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

    def viewport(self) -> object:
        """The context of an operator called with the mouse over the viewport."""
        return bpy.context.temp_override(window=self.window, area=self.area, region=self.region("WINDOW"))

    def rest(self) -> None:
        """Puts the mouse over the viewport, where nothing is pointed at."""
        region = self.region("WINDOW")
        self.move(region.x + region.width // 3, region.y + region.height // 2)

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
        self.rest()
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

    def big_button(self, name: str, least: int = 28, most: int = 46) -> Generator[float, None, tuple[int, int]]:
        """Waits until the sidebar shows a tall button, which a popup may cover or a slow machine draw late.

        Args:
            name: of the screenshot that it is looked for in.
            least, most: pixels that it is high.

        Returns:
            Its middle.
        """
        middle = yield from until(
            lambda: self._big_button(self.shot(name), least, most), "the button is on the screen", limit=20.0
        )
        assert middle is not None
        return middle

    def _big_button(self, pixels: np.ndarray, least: int, most: int) -> tuple[int, int] | None:
        """The middle of the tallest button, found in a screenshot by its even colour; None where there is none."""
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
        if not runs:
            return None
        return region.x + region.width // 2, region.y + int(max(runs)[1])
