"""A recording that lies on the sequencer already, as a character's speech."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange.rates import HIGHEST, LOWEST
from .. import compat
from ..core.errors import AddonError
from .setup import frame_rate

_EXACT = (".wav", ".flac", ".aif", ".aiff")  # what Blender plays sample by sample as it is heard elsewhere
_RATE = 48_000  # Hz


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """The strips of a scene that sound, in the order of their frames."""
    strips = compat.sequencer_strips(scene) or ()
    found = [strip for strip in strips if strip.type == "SOUND" and strip.sound is not None]
    return sorted(found, key=lambda strip: (compat.strip_span(strip)[0], strip.channel))


def whole_file(scene: bpy.types.Scene, strip: bpy.types.Strip) -> Path | None:
    """The strip's file where the strip plays just that from its first sample to its last, else None.

    It does not where the sound is packed, where the strip is cut or retimed, and where players disagree about a
    format's beginning.
    """
    path = Path(bpy.path.abspath(strip.sound.filepath))
    if strip.sound.packed_file is not None or path.suffix.lower() not in _EXACT or not os.path.isfile(path):
        return None
    if compat.is_cut(strip) or _retimed(strip):
        return None
    return path


def unused(folder: Path, name: str) -> Path:
    """A file of that name in a folder, numbered where there is one already: nobody's recording is written over."""
    path, number = folder / f"{name}.wav", 1
    while path.exists():
        path, number = folder / f"{name}_{number}.wav", number + 1
    return path


def write_copy(scene: bpy.types.Scene, strip: bpy.types.Strip, path: Path) -> None:
    """Writes what a strip sounds like, from its first frame to its last, as a WAV.

    Args:
        scene: the strip's scene, the current one; it is as before afterwards. strip: the strip. path: the file.

    Raises:
        AddonError: the strip's file is missing or cannot be played, it begins where no scene does, or the copy cannot
            be written.
    """
    source = Path(bpy.path.abspath(strip.sound.filepath))
    if strip.sound.packed_file is None and not os.path.isfile(source):
        raise AddonError(f"The recording {source.name} of the strip {strip.name} is missing.", "Put it back.")
    if compat.strip_span(strip)[0] < 0:
        raise AddonError(f"The strip {strip.name} begins before frame 0.", "Move it, then choose it again.")
    if not LOWEST <= frame_rate(scene) <= HIGHEST:
        raise AddonError(f"The scene has {frame_rate(scene):g} frames a second.", "Choose another rate for it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(scene, strip):
            bpy.ops.sound.mixdown(
                filepath=str(path),
                check_existing=False,
                container="WAV",
                codec="PCM",
                format="S16",
                channels="MONO",
                mixrate=_RATE,
            )
    except (OSError, RuntimeError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ")
        raise AddonError(
            f"The strip {strip.name} cannot be written to {path}: {reason}", "Choose its recording as the speech."
        ) from error
    if not path.is_file() or path.stat().st_size <= 44:  # of a WAV's header
        raise AddonError(f"The strip {strip.name} is silent.", "Choose a recording as the speech.")


@contextmanager
def _alone(scene: bpy.types.Scene, strip: bpy.types.Strip) -> Iterator[None]:
    """Lets one strip sound alone, over its own frames; afterwards the scene is as it was."""
    strips = compat.sequencer_strips(scene)
    muted = [other.mute for other in strips]
    before = scene.frame_start, scene.frame_end, scene.use_preview_range, scene.use_audio
    try:
        for other in strips:
            other.mute = other != strip
        first, behind = compat.strip_span(strip)
        scene.frame_start, scene.frame_end = first, behind - 1
        scene.use_preview_range, scene.use_audio = False, True
        yield
    finally:
        for other, was in zip(strips, muted, strict=True):
            other.mute = was
        scene.frame_start, scene.frame_end, scene.use_preview_range, scene.use_audio = before


def _retimed(strip: bpy.types.Strip) -> bool:
    return len(getattr(strip, "retiming_keys", ())) > 0
