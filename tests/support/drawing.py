"""Draws with Blender's gpu module where there is no window: inside the render of an engine that has its context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy


class DrawingEngine(bpy.types.RenderEngine):
    """Runs what `with_gpu` was given."""

    bl_idname = "MAKEITTALK_DRAWING"
    bl_label = "Drawing"
    bl_use_gpu_context = True
    work: Callable[[], Any] | None = None
    answer: Any = None
    error: BaseException | None = None

    def render(self, _depsgraph: bpy.types.Depsgraph) -> None:
        kind = DrawingEngine
        try:
            kind.answer = kind.work()
        except BaseException as error:
            kind.error = error


def with_gpu(work: Callable[[], Any]) -> Any:
    """What `work` returns, called where the gpu module can be used."""
    kind = DrawingEngine
    kind.work, kind.answer, kind.error = work, None, None
    bpy.utils.register_class(kind)
    scene = bpy.data.scenes.new("Drawing")
    try:
        scene.render.engine = kind.bl_idname
        scene.render.resolution_x = scene.render.resolution_y = 8
        scene.camera = bpy.data.objects.new("Drawing", bpy.data.cameras.new("Drawing"))
        scene.collection.objects.link(scene.camera)
        bpy.ops.render.render(scene=scene.name)
    finally:
        bpy.data.cameras.remove(scene.camera.data)
        bpy.data.scenes.remove(scene)
        bpy.utils.unregister_class(kind)
        kind.work = None
    if kind.error is not None:
        raise kind.error
    return kind.answer
