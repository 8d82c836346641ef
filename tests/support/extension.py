"""Loads the extension as Blender does: a package that holds `addon/` and `backend/`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from project import ROOT

PACKAGE = "bl_ext.user_default.makeittalk"
OUTSIDE = "makeittalk_outside"  # "bl_ext" is Blender's own


def load_extension(name: str = PACKAGE, root: Path = ROOT) -> ModuleType:
    """The package that holds `addon/` and `backend/`, under the name an installed extension has."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, root / "__init__.py", submodule_search_locations=[str(root)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def part(path: str) -> ModuleType:
    """A module of the extension, such as `addon.scene.rig`."""
    load_extension()
    return importlib.import_module(f"{PACKAGE}.{path}")


def part_outside(path: str) -> ModuleType:
    """A module of the extension that needs no Blender, such as `addon.core.client`, loaded where there is none."""
    load_extension(OUTSIDE)
    return importlib.import_module(f"{OUTSIDE}.{path}")
