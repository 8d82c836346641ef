"""The preview in a 3D viewport: a card over the view, whatever that shows, with moving picture and bar of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange.amounts import Amounts
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.formats import Bake, Mesh
from ..core.errors import AddonError
from ..core.playback import Playback
from ..core.preview_layout import Box, Layout, free_part
from ..core.preview_motion import PreviewMotion
from . import preview_shapes as shapes
from .preview_picture import PreviewPicture, read_portrait
from .preview_shapes import Colour
from .untyped import gpu

_CARD: Colour = (0.09, 0.09, 0.09, 0.94)
_TRACK: Colour = (0.24, 0.24, 0.24, 1.0)
_THERE: Colour = (0.45, 0.45, 0.45, 1.0)
_PLAYED: Colour = (0.28, 0.45, 0.70, 1.0)
_KNOB: Colour = (0.95, 0.95, 0.95, 1.0)
_WORDS: Colour = (0.86, 0.86, 0.86, 1.0)
_FAINT: Colour = (0.62, 0.62, 0.62, 1.0)
_ROUND, _THIN, _DOT, _TEXT = 6.0, 4.0, 6.0, 12.0  # px at Blender's interface scale 1
_SAMPLES = 2  # of the picture a pixel of the screen, each way: edges are smooth
_UNHURRIED = 1.0 / 12.0  # s between two pictures that a processor draws: it predicts, too
_IN_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "basic render")


class PreviewOverlay:
    """Draws the preview while it exists; nothing of it is a datablock.

    Args:
        area: the viewport that shows it; where that has gone, the largest of the window takes its place.
        playback: says which moment is shown. amounts: says how much of everything, asked anew for each picture.

    Attributes:
        note: what is going on, beside the time. error: why nothing can be drawn, for whoever looks after it.
        layout: where its parts are in the region, None before it was drawn. pictures: how many were drawn.
    """

    def __init__(self, area: bpy.types.Area, playback: Playback, amounts: Callable[[], Amounts]) -> None:
        self._area, self._playback, self._amounts = area.as_pointer(), playback, amounts
        self._motion: PreviewMotion | None = None
        self._mesh: Mesh | None = None
        self._portrait: Any = None
        self._picture: PreviewPicture | None = None
        self._shader: Any = None
        self.layout: Layout | None = None
        self._in_software = False
        self._drawn: object = None  # what the last picture showed
        self._drawn_at = 0.0
        self.note = ""
        self.error: MakeItTalkError | None = None
        self.pictures = self._shown = 0  # drawn so far; how many faces and motions were
        self._handler: Any = bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
        self.redraw()

    @property
    def motion(self) -> PreviewMotion | None:
        """What is shown; None while nothing is."""
        return self._motion

    def show(self, mesh: Mesh, portrait: Path, bake: Bake) -> None:
        """Takes a face and its motion.

        Raises:
            MakeItTalkError: a file is damaged, or they do not belong together; what was shown stays.
        """
        motion, picture = PreviewMotion(mesh, bake), read_portrait(portrait)
        self._free_picture()
        self._mesh, self._portrait, self._motion = mesh, picture, motion
        self._shown += 1

    def use(self, bake: Bake) -> None:
        """Takes another motion of the same face.

        Raises:
            AddonError: it is of another one.
        """
        assert self._motion is not None, "there is no face to move"
        self._motion.use(bake)
        self._shown += 1

    def clear(self) -> None:
        """Shows no face any more, and goes on."""
        self._free_picture()
        self._mesh = self._portrait = self._motion = None
        self._shown += 1

    def free(self) -> None:
        """Ends it and gives back what it holds."""
        if self._handler is not None:
            bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
            self._handler = None
        self.redraw()
        self.clear()
        self._shader = None

    def region(self, window: bpy.types.Window) -> bpy.types.Region | None:
        """The region that shows it; None where the window has no 3D viewport any more."""
        area = self._find(window)
        regions = [item for item in area.regions if item.type == "WINDOW"] if area is not None else []
        return max(regions, key=lambda item: item.width * item.height, default=None)

    def redraw(self) -> None:
        """Has the viewport drawn again."""
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                if area.as_pointer() == self._area:
                    area.tag_redraw()

    def follow(self) -> None:
        """Has the viewport drawn again where it shows something else by now. To be called often."""
        hurried = not self._in_software or time.monotonic() - self._drawn_at > _UNHURRIED
        if hurried and self._state() != self._drawn:
            self.redraw()

    def part_at(self, x: float, y: float) -> str:
        """What lies at a place of the region: "bar", "button", "picture", "card", or nothing."""
        found = self.layout
        if found is None:
            return ""
        around = {"bar": 4.0, "button": 0.0, "picture": 0.0, "card": 0.0}
        return next((name for name, more in around.items() if getattr(found, name).holds(x, y, more)), "")

    def time_at(self, x: float) -> float:
        """The moment that a place of the region's width stands for, s."""
        return self.layout.share(x) * self._playback.seconds if self.layout is not None else 0.0

    def _find(self, window: bpy.types.Window) -> bpy.types.Area | None:
        areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
        found = next((area for area in areas if area.as_pointer() == self._area), None)
        if found is None and areas:
            found = max(areas, key=lambda area: area.width * area.height)
            self._area = found.as_pointer()
        return found

    def _state(self) -> object:
        """All that a picture depends on, but for the viewport."""
        playback = self._playback
        shown = (playback.place, playback.until, playback.seconds, playback.playing, self.note)
        return (*shown, self._shown, self._amounts() if self._motion is not None else None)

    def _free_picture(self) -> None:
        if self._picture is not None:
            self._picture.free()
            self._picture = None

    def _draw(self) -> None:
        context = bpy.context
        area, region = context.area, context.region
        if area is None or area.as_pointer() != self._area or self.error is not None:
            return
        if region != self.region(context.window):
            return
        try:
            self._drawn, self._drawn_at = self._state(), time.monotonic()
            self._draw_card(area, region, context.preferences.system.ui_scale)
        except MakeItTalkError as error:
            self.error = error
        except Exception as error:  # what a driver refuses comes as plain Exception, again with every picture
            self.error = AddonError("The preview cannot be drawn here.", f"Press Make It Talk instead. {error}")
        finally:
            gpu.state.blend_set("NONE")

    def _draw_card(self, area: bpy.types.Area, region: bpy.types.Region, scale: float) -> None:
        aspect = 1.0 if self._mesh is None else float(self._mesh.image_size[0]) / float(self._mesh.image_size[1])
        free = free_part(region.width, region.height, _covers(area, region))
        layout = self.layout = Layout.fit(free, aspect, scale)
        shapes.fill_box(layout.card, _CARD, _ROUND * scale)
        if self._mesh is not None and self._motion is not None:
            self._draw_picture(layout.picture)
        shapes.fill_box(layout.picture, (0.0, 0.0, 0.0, 0.0 if self._mesh is not None else 0.3))
        self._draw_button(layout.button, scale)
        self._draw_bar(layout.bar, scale)
        self._draw_texts(layout.texts, scale)

    def _draw_picture(self, box: Box) -> None:
        assert self._mesh is not None and self._motion is not None
        if self._picture is None:
            self._in_software = any(name in gpu.platform.renderer_get().lower() for name in _IN_SOFTWARE)
            self._picture = PreviewPicture(self._mesh, self._portrait)
        if self._shader is None:
            self._shader = shapes.texture_shader()
        pose = self._motion.pose(self._playback.place * self._motion.fps, self._amounts())
        samples = 1 if self._in_software else _SAMPLES
        size = [max(1, round(side * samples)) for side in (box.width, box.height)]
        self._picture.draw(pose, *size)
        shapes.draw_texture(self._shader, self._picture.texture, box)
        self.pictures += 1

    def _draw_button(self, box: Box, scale: float) -> None:
        """Two bars while it plays, an arrow while it does not."""
        x, y, half = box.left + box.width / 2.0, box.bottom + box.height / 2.0, 7.0 * scale
        if self._playback.playing:
            for left in (x - half, x + 0.3 * half):
                shapes.fill_box(Box(left, y - half, 0.7 * half, 2.0 * half), _WORDS, scale)
        else:
            shapes.fill([(x - 0.8 * half, y - half), (x + half, y), (x - 0.8 * half, y + half)], _WORDS)

    def _draw_bar(self, box: Box, scale: float) -> None:
        thin, middle = _THIN * scale, box.bottom + box.height / 2.0
        seconds = max(self._playback.seconds, 1e-3)
        shares = ((1.0, _TRACK), (self._playback.until / seconds, _THERE), (self._playback.place / seconds, _PLAYED))
        for share, colour in shares:
            line = Box(box.left, middle - thin / 2.0, box.width * min(share, 1.0), thin)
            shapes.fill_box(line, colour, thin / 2.0)
        if self._motion is not None:
            shapes.fill_disc(box.left + box.width * self._playback.place / seconds, middle, _DOT * scale, _KNOB)

    def _draw_texts(self, box: Box, scale: float) -> None:
        size, y = _TEXT * scale, box.bottom + 0.3 * box.height
        if self._motion is not None:
            place, seconds = self._playback.place, self._playback.seconds
            frame, frames = int(place * self._motion.fps + 1e-4) + 1, max(1, round(seconds * self._motion.fps))
            shapes.write(
                f"{place:.2f} / {seconds:.2f} s    Frame {min(frame, frames)} / {frames}", box.left, y, size, _WORDS
            )
        if self.note:
            shapes.write(self.note, box.left + box.width, y, size, _FAINT, right=True)


def _covers(area: bpy.types.Area, region: bpy.types.Region) -> list[Box]:
    """What lies over a region, px from its lower left corner."""
    return [
        Box(other.x - region.x, other.y - region.y, other.width, other.height)
        for other in area.regions
        if other.type != "WINDOW" and other.width > 1 and other.height > 1
    ]
