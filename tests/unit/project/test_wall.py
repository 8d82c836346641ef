"""The wall between the two worlds, and other promises that the source text itself must keep."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from imports import imports
from project import ROOT

ADDON = [ROOT / "__init__.py", *sorted((ROOT / "addon").rglob("*.py"))]
BACKEND = [ROOT / "backend" / "serve.py", *sorted((ROOT / "backend").glob("makeittalk*/**/*.py"))]
#: The one folder that both sides import.
EXCHANGE = sorted((ROOT / "backend" / "makeittalk" / "exchange").rglob("*.py"))
#: The part of the add-on that needs no Blender.
CORE = sorted((ROOT / "addon" / "core").glob("*.py"))
#: What Blender's Python brings.
IN_BLENDER = {
    "bpy",
    "bpy_extras",
    "bl_math",
    "bmesh",
    "gpu",
    "gpu_extras",
    "mathutils",
    "blf",
    "aud",
    "numpy",
    "idprop",
}
#: What addon/write_blend.py calls the extension where no Blender has loaded it: the add-on itself.
ITSELF = {"makeittalk_extension"}
TEXT = {".py", ".md", ".toml", ".txt", ".ini", ".json", ".csv", ".glsl", ".sh", ".yml", ".yaml", ""}


def tracked() -> list[Path]:
    """The files of the repository, or of the folder where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        hidden = re.compile(r"\.git|\.venv.*|build|dist")
        files = [path for path in ROOT.rglob("*") if path.is_file()]
        return [path for path in files if not any(map(hidden.fullmatch, path.relative_to(ROOT).parts))]
    return [p for name in listed.stdout.decode().split("\0") if name and (p := ROOT / name).is_file()]


def relative_imports(path: Path) -> set[str]:
    """What every relative import in a file names, as seen from the root: "addon.core.errors.AddonError"."""
    folder = list(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            stem = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
            found |= {".".join([*filter(None, stem), alias.name]) for alias in node.names}
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", ADDON, ids=name_of)
def test_addon_imports_only_what_blender_brings(path: Path) -> None:
    assert imports(path) - set(sys.stdlib_module_names) - IN_BLENDER - ITSELF == set()


@pytest.mark.parametrize("path", ADDON, ids=name_of)
def test_addon_reads_nothing_of_the_backend_but_the_exchange(path: Path) -> None:
    backend = {name for name in relative_imports(path) if name.split(".")[0] == "backend"}
    # addon/write_blend.py names the extension in full.
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("makeittalk_extension.backend"):
            backend |= {f"{node.module}.{alias.name}".removeprefix("makeittalk_extension.") for alias in node.names}
    assert {name for name in backend if not name.startswith("backend.makeittalk.exchange.")} == set()


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_core_needs_no_blender(path: Path) -> None:
    assert imports(path) - set(sys.stdlib_module_names) <= {"numpy"}
    allowed = ("addon.core.", "backend.makeittalk.exchange.")
    assert {name for name in relative_imports(path) if not name.startswith(allowed)} == set()


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_backend_never_imports_blender(path: Path) -> None:
    assert imports(path) & (IN_BLENDER - {"numpy"}) == set()


@pytest.mark.parametrize("path", EXCHANGE, ids=name_of)
def test_exchange_needs_numpy_only_and_nothing_outside_itself(path: Path) -> None:
    assert imports(path) - set(sys.stdlib_module_names) <= {"numpy"}
    allowed = "backend.makeittalk.exchange."
    assert {name for name in relative_imports(path) if not name.startswith(allowed)} == set()


def test_package_imports_nothing_by_itself() -> None:
    tree = ast.parse((ROOT / "backend" / "makeittalk" / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


#: The modules of the exchange that neither work with arrays nor with what does.
LIGHT = sorted(
    {path.stem for path in EXCHANGE if path.parent.name == "exchange"}
    - {"__init__", "storage", "tensors", "whole_folder"}
)


@pytest.mark.parametrize("name", LIGHT)
def test_exchange_loads_without_heavy_libraries(name: str) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); __import__(sys.argv[2]); print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT / "backend"), f"makeittalk.exchange.{name}"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert f"makeittalk.exchange.{name}" in loaded
    assert not {"numpy", "torch", "scipy", "bpy"} & {module.partition(".")[0] for module in loaded}


def test_version_stands_in_one_place() -> None:
    version = re.search(
        r'^VERSION = "(\d+\.\d+\.\d+)"$', (ROOT / "backend/makeittalk/exchange/version.py").read_text(), re.MULTILINE
    )
    assert version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project and "version" in project["dynamic"]
    # The manifest is plain TOML that Blender reads, so it must say the version again: the same one.
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text())
    assert manifest["version"] == version[1]
    assert f"## {version[1]} " in (ROOT / "CHANGELOG.md").read_text()
    literal = re.compile(rf"""["']{re.escape(version[1])}["']""")
    allowed = {"backend/makeittalk/exchange/version.py", "blender_manifest.toml"}
    sources = [path for path in tracked() if path.suffix in (".py", ".toml") and name_of(path) not in allowed]
    assert [name_of(path) for path in sources if literal.search(path.read_text(encoding="utf-8"))] == []


def test_no_path_of_a_machine_is_written_down() -> None:
    # In pieces, so that this file does not find itself.
    pattern = re.compile(r"(?<![\w.:/}])/(?:wo" + r"rk/(?:main|shared|\.)|ho" + r"me/\w|ro" + r"ot/\w|Use" + r"rs/\w)")
    offenders = []
    for path in tracked():
        if name_of(path) in ("LICENSE", "tests/gui/blender_gui_run.sh"):
            continue  # the second names folders of the system that it builds
        if path.suffix in TEXT and path.stat().st_size < 2**20:
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if pattern.search(line):
                    offenders.append(f"{name_of(path)}:{number}: {line.strip()[:100]}")
    assert offenders == []


def test_nothing_is_unpickled() -> None:
    offenders = []
    for path in BACKEND + ADDON:
        text = path.read_text(encoding="utf-8")
        if imports(path) & {"pickle", "marshal", "shelve", "dill"} or re.search(r"allow_pickle\s*=\s*True", text):
            offenders.append(name_of(path))
        for node in ast.walk(ast.parse(text)):
            # torch.load is pickle unless it is told to read weights alone.
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
                owner = node.func.value
                safe = any(
                    key.arg == "weights_only" and getattr(key.value, "value", 0) is True for key in node.keywords
                )
                if isinstance(owner, ast.Name) and owner.id == "torch" and not safe:
                    offenders.append(name_of(path))
    assert offenders == []


def test_shaders_are_bodies_without_declarations() -> None:
    declaration = re.compile(r"^\s*(#version|uniform|in|out|layout|attribute|varying)\b", re.MULTILINE)
    shaders = sorted((ROOT / "shaders").glob("*.glsl"))
    assert shaders
    for path in shaders:
        assert not declaration.search(path.read_text()), path.name


def test_every_asset_has_its_origin_written_down() -> None:
    folder = ROOT / "backend" / "makeittalk" / "assets"
    sources = (folder / "SOURCES.md").read_text()
    for path in folder.iterdir():
        if path.is_file() and path.name != "SOURCES.md":
            assert f"`{path.name}`" in sources, path.name


def test_pytest_never_imports_the_extension_by_itself() -> None:
    assert (ROOT / "tests" / "pytest.ini").is_file()
    strays = [ROOT / "conftest.py", ROOT / "tests" / "__init__.py", ROOT / "pytest.ini", ROOT / "tox.ini"]
    assert [path for path in strays if path.exists()] == []
    assert "pytest" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
