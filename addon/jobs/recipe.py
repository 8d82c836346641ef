"""What a new character is made from, read from the scene once, and the character made of the backend's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.amounts import Amounts
from ...backend.makeittalk.exchange.data_folder import imported_names
from ...backend.makeittalk.exchange.formats.shots import Shot
from ...backend.makeittalk.exchange.shot_options import all_options
from .. import compat
from ..core import remarks
from ..core.errors import AddonError
from ..package import device
from ..scene import character as characters
from ..scene import landmark_mesh, strips, view
from ..scene.setup import frame_rate
from . import landmarks
from .task import Reading

AMOUNTS = tuple(item.name for item in fields(Amounts))
_SETTINGS = ("face", "voice", "style", "weights_set", *AMOUNTS)


@dataclass
class Recipe:
    """What was chosen for a new character.

    Attributes:
        request: of the backend, without the job's folder, its paths as they were when it was read.
        remembered: the character's settings by property name.
        placed: the landmarks that somebody has placed, None for detection.
        strip: identity of the strip of the user's that the speech was taken from, `frames` long then; "" for none.
        start: frame on which it speaks, where there is no strip. every_frame: one key a frame.
    """

    request: protocol.Animate
    remembered: dict[str, Any]
    placed: landmarks.Placed | None
    strip: str
    frames: int
    start: int
    every_frame: bool

    def into(self, folder: Path) -> Reading:
        """The request for files in a folder; everything else was read when the recipe was."""
        yield from ()
        if self.placed is None:
            return replace(self.request, folder=str(folder))
        files = landmarks.write_files(self.placed, folder)
        return replace(self.request, folder=str(folder), portrait=str(files.portrait), face=str(files.face))


def read(scene: bpy.types.Scene, seed: int | None = None) -> Recipe:
    """What the scene's settings say.

    Args:
        seed: the one to take, by default the settings' next.

    Raises:
        AddonError: the strip that the speech came from was cut since, or what is being placed forms no face.
    """
    settings = scene.makeittalk
    strip = strip_of(scene, settings.strip, settings.strip_frames)
    remembered: dict[str, Any] = {name: getattr(settings, name) for name in _SETTINGS} | {
        "portrait": settings.portrait,
        "speech": settings.speech,
        "seed": settings.next_seed() if seed is None else seed,
        "own_mouth": settings.own_mouth,
    }
    request = replace(request_of(remembered, frame_rate(scene)), own_mouth=settings.own_mouth)
    placed = landmarks.placed(scene)
    remembered["placed"] = placed is not None
    return Recipe(
        request=request,
        remembered=remembered,
        placed=placed,
        strip=settings.strip if strip is not None else "",
        frames=settings.strip_frames,
        start=compat.strip_span(strip)[0] if strip is not None else settings.start_frame(scene),
        every_frame=settings.every_frame,
    )


def of_shot(scene: bpy.types.Scene, shot: Shot) -> Recipe:
    """What a line of a list says; the rate is the scene's, and where it speaks and how it is keyed the settings'.

    Raises:
        AddonError: it asks for what only the command line can do.
    """
    options = all_options(shot.options)
    if shot.options.get("features") not in (None, all_options({})["features"]):
        raise AddonError("It asks for features, which only the command line takes.", "Leave that column empty.")
    weights = shot.options.get("weights") or ""
    if weights and weights not in imported_names():
        raise AddonError(
            f"It asks for the weights {weights}, no imported set.", "Import them, or leave that column empty."
        )
    remembered: dict[str, Any] = {name: options[name] for name in ("face", "style", "seed", "own_mouth", *AMOUNTS)} | {
        "portrait": str(shot.portrait),
        "speech": str(shot.audio),
        "voice": str(options["voice"] or ""),
        "weights_set": weights,
        "placed": options["landmarks"] is not None,
    }
    request = replace(
        request_of(remembered, frame_rate(scene)),
        own_mouth=options["own_mouth"],
        detector=options["detector"],
        device=shot.options.get("device", device()),
        face=str(options["landmarks"] or ""),
    )
    settings = scene.makeittalk
    return Recipe(request, remembered, None, "", 0, settings.start_frame(scene), settings.every_frame)


def build(context: bpy.types.Context, recipe: Recipe, data: protocol.AnimateData) -> str:
    """Makes the character of the backend's answer, whole or not at all, and returns a sentence for the user.

    Raises:
        MakeItTalkError: a file is damaged, or the strip was cut meanwhile; nothing was changed.
    """
    scene, remembered = context.scene, recipe.remembered
    recording = Path(recipe.request.audio)
    audio = Path(data.audio) if data.audio else recording
    repaired = audio.resolve() != recording.resolve()
    strip = strip_of(scene, recipe.strip, recipe.frames)
    being_placed = landmark_mesh.of_portrait(scene)
    if being_placed is not None and landmark_mesh.portrait(being_placed) == remembered["portrait"]:
        landmarks.keep(scene, being_placed)
    made = characters.Made(
        name=Path(recipe.request.portrait).stem[:40] or "Character",
        face=Path(data.face),
        mesh=Path(data.mesh),
        motion=Path(data.motion),
        bake=Path(data.bake),
        audio=audio,
        start=compat.strip_span(strip)[0] if strip is not None else recipe.start,
        pack_sound=repaired,  # it lies in a folder that goes
        strip=recipe.strip if strip is not None and not repaired else "",
        every_frame=recipe.every_frame,
        settings=remembered | answered(data, recipe.request),
    )
    collection = characters.build(scene, made)
    _show_texture(context)
    last = made.start + collection.makeittalk.frames - 1
    told = f"{collection.name} speaks from frame {made.start} to {last}."
    if strip is not None and repaired:
        strip.mute = True
        told += f" {strip.name} is muted: Blender plays its file otherwise than it was heard."
    if not compat.plays_sound():
        told += " This Blender was built without sound, so its speech is not in the sequencer."
    return f"{told} Photoreal Frames below draw it as the photograph it is." if data.style == "photo" else told


def strip_of(scene: bpy.types.Scene, identity: str, frames: int) -> bpy.types.Strip | None:
    """The strip that the speech was taken from, or None where it is gone or there was none.

    Raises:
        AddonError: its length is another one, so that it says something else.
    """
    strip = strips.find(scene, identity)
    if strip is not None and compat.strip_length(strip) != frames:
        raise AddonError(
            f"The strip {strip.name} was cut since it became the speech.", "Choose it as the speech again."
        )
    return strip


def answered(data: protocol.AnimateData, request: protocol.Animate) -> dict[str, Any]:
    """What a character remembers of the backend's answer: the style it chose where that was left to it."""
    style = data.style if data.style in ("cartoon", "photo") else "cartoon"
    return {"style": style, "notices": remarked(data, request)}


def remarked(data: protocol.AnimateData, request: protocol.Animate) -> str:
    """What the backend remarked, as a character keeps it."""
    return remarks.kept(data.notices, (request.portrait, request.audio, request.voice))


def request_of(values: Mapping[str, Any], fps: float) -> protocol.Animate:
    """What the backend is asked for settings by property name, at a scene's rate."""
    return protocol.Animate(
        portrait=bpy.path.abspath(values["portrait"]),
        audio=bpy.path.abspath(values["speech"]),
        voice=bpy.path.abspath(values["voice"]) if values["voice"] else "",
        style=values["style"],
        device=device(),
        face_number=values["face"],
        seed=values["seed"],
        fps=fps,
        amounts=Amounts(**{name: values[name] for name in AMOUNTS}),
        weights=values["weights_set"],
    )


def _show_texture(context: bpy.types.Context) -> None:
    """Shows the portrait in Solid shading where the user has said that it shall be shown."""
    area = view.area_of(context)
    if context.window_manager.makeittalk.texture == "SHOW" and area is not None:
        view.show_texture(area.spaces.active)
