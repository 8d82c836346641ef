"""The warp's GLSL for a plain OpenGL host: the bodies in `shaders/` under declarations made from their interface list.

The bodies hold no declarations, so that another host, such as Blender's gpu module, can make its own from the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..exchange import storage
from ..exchange.errors import InputError, MissingError

SHADERS = Path(__file__).resolve().parents[3] / "shaders"
_MAX_SOURCE = 2**20  # bytes of a shader
_VERSION = "#version 330 core"


def shader_sources(
    name: str = "warp", folder: Path = SHADERS, constants: Mapping[str, float] | None = None
) -> tuple[str, str]:
    """Vertex and fragment source of the shader `name` in GLSL 3.30.

    Args:
        constants: inputs and varyings that have one value everywhere. The compiler then leaves out what that value
            makes useless, such as reading a texture that is never shown.

    Raises:
        MissingError: the shaders are not installed.
    """
    try:
        interface = storage.read_json(folder / "interface.json")[name]
        vertex = storage.read_text(folder / interface["vertex"], _MAX_SOURCE)
        fragment = storage.read_text(folder / interface["fragment"], _MAX_SOURCE)
    except (InputError, KeyError) as error:
        raise MissingError(f"The shader {name!r} is missing from {folder}.", "Install the extension again.") from error
    constants = constants or {}
    uniforms = _declare("uniform", interface["uniforms"])
    varyings = interface["varyings"]
    above = [_VERSION, uniforms, _declare("in", interface["inputs"], constants), _declare("out", varyings), vertex]
    samplers = _declare("uniform", interface["samplers"])
    below = [_VERSION, samplers, _declare("in", varyings, constants), _declare("out", interface["outputs"]), fragment]
    return "\n".join(above), "\n".join(below)


def _declare(kind: str, entries: list[dict[str, str]], constants: Mapping[str, float] = MappingProxyType({})) -> str:
    lines = []
    for entry in entries:
        kept, name = entry["type"], entry["name"]
        if name in constants:
            lines.append(f"const {kept} {name} = {kept}({float(constants[name])!r});")
        else:
            lines.append(f"{kind} {kept} {name};")
    return "\n".join(lines)
