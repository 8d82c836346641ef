"""Why something cannot be done now, in a sentence: what greys a button out is what its tooltip says."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import bpy

from ...backend.makeittalk.exchange.data_folder import imported_names
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core.errors import AddonError
from ..core.remarks import plain
from ..jobs import connection
from ..jobs.long_job import current_job
from ..jobs.preview import Preview
from ..scene import bakes, landmark_mesh, textures
from ..scene import character as characters

_WHERE = "Point {} in Take and Curves to where it lies now."


def _telling(method: Callable[..., set[str]]) -> Callable[..., set[str]]:
    """Has an operator's method end with the sentence of whatever stands in the way."""

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            return method(self, context)
        except MakeItTalkError as error:
            return self.fail(context, error)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            return method(self, context, event)
        except MakeItTalkError as error:
            return self.fail(context, error)

    return functools.wraps(method)(execute if method.__name__ == "execute" else invoke)


class Reasoned:
    """An operator that says why it is greyed out, and what stood in the way of what it was doing."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in ("execute", "invoke"):
            if name in cls.__dict__:
                setattr(cls, name, _telling(cls.__dict__[name]))

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """The reason, or empty where the operator can run."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = cls.disabled_reason(context)
        if reason:
            cls.poll_message_set(plain(reason))  # type: ignore[attr-defined]
        return not reason

    def fail(self, context: bpy.types.Context, error: MakeItTalkError) -> set[str]:
        """Tells the user of an error, in the panel and in the status bar, and ends the operator."""
        context.window_manager.makeittalk.say(error.message, error.hint, error=True)
        self.report({"ERROR"}, plain(str(error)))  # type: ignore[attr-defined]
        return {"CANCELLED"}

    def tell(self, context: bpy.types.Context, message: str) -> set[str]:
        """Tells the user what was done, in the panel and in the status bar, and ends the operator."""
        context.window_manager.makeittalk.say(message)
        self.report({"INFO"}, plain(message))  # type: ignore[attr-defined]
        connection.redraw_panels()
        return {"FINISHED"}


def file_reason(path: str, what: str) -> str:
    """Why `path` is no file to use; `what` is what it should be, such as "a portrait"."""
    if not path:
        return f"Choose {what} first."
    full = bpy.path.abspath(path)
    if not os.path.isfile(full):
        return f"{os.path.basename(full) or full} does not exist."
    return ""


def material_reason(settings: bpy.types.PropertyGroup) -> str:
    """Why the portrait, the speech or the voice of a scene or a character cannot be used."""
    return (
        file_reason(settings.portrait, "a portrait")
        or file_reason(settings.speech, "a speech recording")
        or (file_reason(settings.voice, "a voice") if settings.voice else "")
        or weights_reason(settings.weights_set)
    )


def weights_reason(name: str) -> str:
    """Why a set of weights cannot be used; the shipped ones have no name."""
    if not name or name in imported_names():
        return ""
    return f"The weights {name} are not on this machine: import them, or choose others under Weights."


def source_reason(character: bpy.types.Collection, speech: bool = True) -> str:
    """Why a character cannot be predicted again: what it was made from is neither where it was nor in the .blend.

    Args:
        speech: whether its recording is needed as well.
    """
    settings = character.makeittalk
    if file_reason(settings.portrait, "a portrait"):
        try:
            textures.portrait_of(character)
        except MakeItTalkError:
            return f"{file_reason(settings.portrait, 'a portrait')} {_WHERE.format('Portrait')}"
    return (
        (recording_reason(character) if speech else "")
        or (file_reason(settings.voice, "a voice") if settings.voice else "")
        or weights_reason(settings.weights_set)
    )


def recording_reason(character: bpy.types.Collection) -> str:
    """Why a character's current recording cannot be heard: it is neither where it was nor in the .blend."""
    settings = character.makeittalk
    kept, reason = settings.sound, file_reason(settings.speech, "a speech recording")
    has_sound = kept is not None and (kept.packed_file is not None or not file_reason(kept.filepath, "a recording"))
    return f"{reason} {_WHERE.format('Speech')}" if reason and not has_sound else ""


def landmarks_reason(context: bpy.types.Context) -> str:
    """Why there are no landmarks in the viewport to work on."""
    return "" if landmark_mesh.active(context) is not None else "Press Edit Landmarks first."


def busy_reason() -> str:
    """Why no long job can start now."""
    return "A job is running. Wait for it or cancel it." if current_job() is not None else ""


def preview_reason() -> str:
    """Why there is no preview to keep or to stop."""
    return "" if isinstance(current_job(), Preview) else "No preview is running."


def no_window() -> AddonError:
    """What scripts are told that ask for something to look at."""
    return AddonError("A preview needs a 3D viewport in a window.", "Press Make It Talk instead.")


def backend_reason() -> str:
    """Why the backend cannot be used."""
    client = connection.current()
    return "" if client is not None and client.alive else connection.no_python_reason()


def character_reason(context: bpy.types.Context) -> str:
    """Why there is no character to work on, or none that can be worked on."""
    chosen = context.view_layer.objects.active if context.view_layer else None
    instanced = chosen.instance_collection if chosen is not None else None
    if instanced is not None and instanced.makeittalk.is_character:
        return _linked(instanced)
    reason = removal_reason(context)
    if reason:
        return reason
    character = characters.active(context)
    settings = character.makeittalk
    lost = [what for what, part in (("rig", settings.rig), ("mesh", settings.body)) if part is None]
    if lost:
        return f"The {' and the '.join(lost)} of {character.name} is gone: undo that, or run Make It Talk again."
    if settings.body.data.shape_keys is None:
        return f"The shape keys of {character.name} are gone: undo that, or run Make It Talk again."
    if not (settings.face_width > 0.0 and min(settings.image_size) > 0):
        return f"{character.name} does not know its portrait's size: run Make It Talk again."
    if settings.current is None:
        return f"{character.name} has no speech: run Make It Talk again."
    if len(settings.body.data.vertices) > bakes.MOST_VERTICES:
        return f"The mesh of {character.name} is no longer the one it was made with: undo that."
    return ""


def removal_reason(context: bpy.types.Context) -> str:
    """Why there is no character that could be removed; one that has lost its parts can."""
    character = characters.active(context)
    if character is None:
        return "Make a character first."
    return _linked(character) if character.library is not None else ""


def _linked(character: bpy.types.Collection) -> str:
    if character.library is None:
        return f"{character.name} is an instance here: choose Object, Apply, Make Instances Real to animate it."
    file = bpy.path.basename(character.library.filepath)
    return f"{character.name} is linked from {file}: choose Object, Library Override, Make to animate it here."
