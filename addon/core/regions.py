"""The regions of a face that curves are grouped by, and the colours they are drawn in. No bpy here."""

from __future__ import annotations

import re
from collections.abc import Sequence

HEAD, EYES, DETAIL, AMOUNTS = "Head", "Eyes", "Detail", "Amounts"
_OTHER = "Other"

#: Region → what the names of its shape keys begin with; the first that fits counts. The order is the one shown.
_PREFIXES = {
    "Jaw and Mouth": ("jaw", "mouthShut", "mouthClose", "mouthLeft", "mouthRight", "tongue"),
    "Lips": ("mouth",),
    "Cheeks and Nose": ("cheek", "nose"),
    "Brows": ("brow",),
    EYES: ("eye",),
    DETAIL: ("residual", "detail"),
}
ORDER = (HEAD, *(name for name in _PREFIXES if name != DETAIL), _OTHER, AMOUNTS, DETAIL)

#: Linear RGB that keeps apart on the Graph Editor's grey; the head keeps Blender's colours of X, Y and Z.
COLOURS = {
    "Jaw and Mouth": (1.00, 0.42, 0.15),
    "Lips": (1.00, 0.55, 0.80),
    "Cheeks and Nose": (0.95, 0.85, 0.30),
    "Brows": (0.70, 0.50, 0.95),
    EYES: (0.30, 0.75, 0.95),
    _OTHER: (0.80, 0.80, 0.80),
    AMOUNTS: (0.45, 0.80, 0.45),
    DETAIL: (0.45, 0.45, 0.45),
}
_AXES = {
    "rotation_euler": ("Nod", "Turn", "Tilt"),
    "location": ("Sway X", "Sway Y", "Sway Z"),
}
#: Curves of the rig that act on the generated layers: the region that they are edits of, and what they are called.
_SWITCHES = {"still": (HEAD, "Hold Still"), "eyes_open": (EYES, "No Blink")}


def region(path: str) -> str:
    """The region that the F-curve with that data path moves."""
    if path.startswith("makeittalk."):
        return _SWITCHES.get(path.removeprefix("makeittalk."), (AMOUNTS, ""))[0]
    name = quoted(path)
    if not path.startswith("key_blocks["):
        return HEAD if path.startswith("pose.bones[") else _OTHER
    return next((found for found, starts in _PREFIXES.items() if name.startswith(starts)), _OTHER)


def label(path: str, index: int) -> str:
    """What a curve is called in a list: the shape key's name, the head's axis, the amount."""
    if path.startswith("makeittalk."):
        name = path.removeprefix("makeittalk.")
        return _SWITCHES.get(name, ("", f"Amount of {name.capitalize()}"))[1]
    axes = _AXES.get(path.rpartition(".")[2])
    if axes is not None and index < len(axes):
        return axes[index]
    return quoted(path) or path


def sides_joined(names: Sequence[str]) -> list[str]:
    """Each name once; those of a left and of a right side are one, such as "eyeSquint"."""
    found = []
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        found.append(base if {f"{base}Left", f"{base}Right"} <= {*names} else name)
    return list(dict.fromkeys(found))


def quoted(path: str) -> str:
    """The name between the quotes of a data path, unescaped; empty where there is none."""
    found = re.search(r'\["((?:[^"\\]|\\.)*)"\]', path)
    return re.sub(r"\\(.)", r"\1", found.group(1)) if found else ""
