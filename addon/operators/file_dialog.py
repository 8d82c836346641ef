"""Files that operators read or write: a name suggested, the suffix kept that of the format, the browser opened.

No postponed annotations here: Blender reads the annotations themselves.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core.errors import AddonError
from .at_once import AtOnce

JSON = ".json"


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


class JsonFile(AtOnce):
    """What operators share that read or write a JSON file, asked for in a browser where none is named; each has a
    `filepath`, and `what` it is."""

    filter_glob: StringProperty(default=f"*{JSON}", options={"HIDDEN"})
    filepath: Any
    what: ClassVar[str]

    def suggested(self, context: bpy.types.Context) -> str:
        """A name for the file."""
        raise NotImplementedError

    def use(self, context: bpy.types.Context, path: Path) -> str:
        """Reads or writes it and returns a sentence for the user.

        Raises:
            MakeItTalkError: it cannot be done.
        """
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = str(home() / self.suggested(context))
        context.window_manager.fileselect_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def run(self, context: bpy.types.Context) -> str:
        if not self.filepath:
            raise AddonError("No file is named.", f"Name a {self.what}.")
        return self.use(context, Path(bpy.path.abspath(self.filepath)))


def with_json_suffix(path: Path) -> Path:
    """The path of a file that is to be JSON by its name."""
    return path if path.suffix.lower() == JSON else path.with_name(f"{path.name}{JSON}")


def home() -> Path:
    """The folder that a file browser opens first: the .blend's, or the user's."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
