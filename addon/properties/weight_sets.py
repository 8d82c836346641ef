"""The menu of weight sets: those that come with the backend, and those that the user has imported.

No postponed annotations here: Blender reads the annotations themselves.
"""

from typing import Any

import bpy
from bpy.props import EnumProperty

from ...backend.makeittalk.exchange.data_folder import RELEASED, imported_names
from ..package import settings

SHIPPED = "SHIPPED"  # no set can be called so, see `data_folder.is_set_name`
_Item = tuple[str, str, str]
_kept: dict[_Item, _Item] = {}  # Blender does not keep the texts of a list that is made anew


def weights_menu(description: str) -> Any:
    """A menu that turns the text `weights_set` beside it, which is empty for the shipped weights.

    What is stored is a set's name: the numbers of a menu's entries change with every import.
    """

    def read(self: bpy.types.bpy_struct) -> int:
        chosen = _chosen(self) or SHIPPED
        return [name for name, _label, _text in _items(self, None)].index(chosen)

    def write(self: bpy.types.bpy_struct, number: int) -> None:
        name = _items(self, None)[number][0]
        setattr(self, "weights_set", "" if name == SHIPPED else name)  # noqa: B010

    return EnumProperty(name="Weights", description=description, items=_items, get=read, set=write)


def preferred_set() -> str:
    """The set that new characters get by the preferences; empty for the shipped weights."""
    chosen = settings()
    return chosen.weights_set if chosen is not None else ""


def _items(self: bpy.types.bpy_struct, _context: bpy.types.Context | None) -> list[_Item]:
    found = imported_names()
    chosen = _chosen(self)
    items = [(SHIPPED, "Shipped", "The networks that come with the add-on, which may be used for anything")]
    items += [(name, name.capitalize() if name == RELEASED else name, _text(name)) for name in found]
    if chosen and chosen not in found:
        items.append((chosen, f"{chosen}: not here", "This set of weights is not on this machine: import it"))
    return [_kept.setdefault(item, item) for item in items]


def _chosen(owner: bpy.types.bpy_struct) -> str:
    """The set that is stored; empty for the shipped weights, and where a file holds a text that is none."""
    try:
        return getattr(owner, "weights_set", "")
    except UnicodeDecodeError:
        return ""


def _text(name: str) -> str:
    return f"The imported set {name}: the networks of the original MakeItTalk, CC BY-NC 4.0, not for commerce"
