"""Phones, words and mouth shapes as markers on the timeline.

A speech keeps a list of its markers, by which they can be put anew and taken away: markers have no custom properties in
every Blender. One that the animator has moved, renamed or bound a camera to is the animator's from then on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import bpy

from ...backend.makeittalk.exchange import bounded_json
from ...backend.makeittalk.exchange.cues import Cue
from .. import compat
from . import speech

KINDS = {"PHONES": "phones", "WORDS": "words", "SHAPES": "mouth shapes"}
_Listed = dict[str, list[tuple[int, str]]]  # frame and name of each marker, by kind


def write(scene: bpy.types.Scene, spoken: bpy.types.PropertyGroup, kind: str, cues: Sequence[Cue], rate: float) -> int:
    """Marks the frames on which the cues of a speech begin, in place of the markers that told the same of it before.

    Cues that begin on one frame share a marker; those that the strip of the speech hides get none.

    Args:
        kind: a key of `KINDS`. cues: seconds of the recording. rate: the scene's, frames/s.

    Returns:
        How many markers there are now.
    """
    remove(scene, spoken, kind)
    before, behind = speech.cuts(scene, spoken)
    first, last = spoken.start + before, speech.last_frame(spoken) - behind
    found: dict[int, list[str]] = {}
    for cue in cues:
        found.setdefault(spoken.start + round(cue.start * rate), []).append(cue.name)
    made = []
    for frame, names in found.items():
        if first <= frame <= last:
            marker = scene.timeline_markers.new(" ".join(names), frame=frame)
            marker.select = False  # nothing that moves markers shall take hundreds along
            made.append((frame, marker.name))
    _list(spoken, _listed(spoken) | {kind: made})
    return len(made)


def remove(scene: bpy.types.Scene, spoken: bpy.types.PropertyGroup, kind: str = "") -> int:
    """Removes the markers of a speech, of one kind or of every.

    Returns:
        How many are gone.
    """
    found = of(scene, spoken, kind)
    for marker in found:
        scene.timeline_markers.remove(marker)
    _list(spoken, {name: items for name, items in _listed(spoken).items() if kind not in ("", name)})
    return len(found)


def move(scene: bpy.types.Scene, spoken: bpy.types.PropertyGroup, frames: int) -> None:
    """Shifts the markers of a speech in time."""
    for marker in of(scene, spoken):
        marker.frame += frames
    moved = {kind: [(frame + frames, name) for frame, name in items] for kind, items in _listed(spoken).items()}
    _list(spoken, moved)


def of(scene: bpy.types.Scene, spoken: bpy.types.PropertyGroup, kind: str = "") -> list[bpy.types.TimelineMarker]:
    """The markers of a speech that are as they were put, of one kind or of every."""
    left = Counter(item for name, items in _listed(spoken).items() if kind in ("", name) for item in items)
    found = []
    for marker in scene.timeline_markers if left else ():
        place = marker.frame, marker.name
        if left[place] > 0 and marker.camera is None:
            left[place] -= 1
            found.append(marker)
    return found


def spans(spoken: bpy.types.PropertyGroup, kind: str, names: Sequence[str]) -> list[tuple[int, int]]:
    """The frames of a speech on which some of its cues begin and are over, as far as they were marked.

    Args:
        kind: a key of `KINDS`. names: of the cues, such as phones without their stress.
    """
    marked = sorted(_listed(spoken).get(kind, []))
    ends = [*(frame for frame, _ in marked[1:]), speech.last_frame(spoken)]
    return [
        (frame, end)
        for (frame, name), end in zip(marked, ends, strict=False)
        if {part.rstrip("012") for part in name.split()} & set(names)
    ]


def _listed(spoken: bpy.types.PropertyGroup) -> _Listed:
    try:
        listed = bounded_json.loads(spoken.markers) if spoken.markers else {}
        found = {kind: [(int(frame), str(name)) for frame, name in items] for kind, items in listed.items()}
        return {kind: [item for item in items if abs(item[0]) <= compat.LAST_FRAME] for kind, items in found.items()}
    except (
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
    ):  # no list of this add-on's: whatever is there is the animator's
        return {}


def _list(spoken: bpy.types.PropertyGroup, listed: _Listed) -> None:
    kept = {kind: items for kind, items in listed.items() if items}
    spoken.markers = json.dumps(kept, separators=(",", ":")) if kept else ""
