"""Files that operators write: a name suggested, the suffix kept that of the chosen format, the browser opened.

No postponed annotations here: Blender reads the annotations themselves.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty


class Written:
    """What operators share that write a file; they say which suffixes there are and which is meant."""

    filepath: StringProperty(name="File", description="Where it is written", subtype="FILE_PATH")
    filter_glob: StringProperty(options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def suffixes(self) -> Collection[str]:
        """Every suffix that the formats have, with its point."""
        raise NotImplementedError

    def suffix(self) -> str:
        """The suffix of the chosen format."""
        raise NotImplementedError

    def ask(self: Any, context: bpy.types.Context, name: str) -> set[str]:
        """Opens the file browser beside the .blend, or at home, with a name without suffix suggested."""
        self.filepath = str(home() / bpy.path.clean_name(name))
        self.check(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """Keeps the file's suffix that of its format."""
        before = self.filepath, self.filter_glob
        path = Path(self.filepath)
        known = path.suffix.lower() in self.suffixes()
        self.filepath = str(path.with_suffix(self.suffix()) if known else f"{path}{self.suffix()}")
        self.filter_glob = f"*{self.suffix()}"
        return (self.filepath, self.filter_glob) != before


def home() -> Path:
    """The folder that a file browser opens first: the .blend's, or the user's."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
