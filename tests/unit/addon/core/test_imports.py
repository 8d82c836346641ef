"""The core of the add-on needs no Blender."""

from __future__ import annotations

import subprocess
import sys

from project import ROOT

CODE = """
import importlib.util, pkgutil, sys
sys.modules["bpy"] = None  # importing it fails, as it does where there is no Blender
root = sys.argv[1]
spec = importlib.util.spec_from_file_location("x", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["x"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["x"])
core = importlib.import_module("x.addon.core")
for found in pkgutil.iter_modules(core.__path__):
    print(importlib.import_module("x.addon.core." + found.name).__name__)
try:
    importlib.import_module("x.addon.preferences")
except ImportError:
    print("blocked")
"""


def test_every_module_of_the_core_imports_without_bpy() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", CODE, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = {path.stem for path in (ROOT / "addon" / "core").glob("*.py")} - {"__init__"}
    assert set(done.stdout.split()) == {f"x.addon.core.{name}" for name in modules} | {"blocked"}
