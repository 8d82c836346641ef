"""The warp's shader for Blender's gpu module: the bodies in `shaders/` under declarations made from their list.

The backend reads the same list for a plain OpenGL: `makeittalk/rendering/shader_source.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...backend.makeittalk.exchange import storage
from ...backend.makeittalk.exchange.errors import InputError
from ..core.errors import AddonError
from .untyped import gpu

_MAX_SOURCE = 2**20  # bytes of a shader
_SHADERS = Path(__file__).resolve().parents[2] / "shaders"


def new_shader(name: str = "warp") -> Any:
    """Compiles the shader `name`; there must be a GPU to draw with.

    Raises:
        AddonError: the shaders are not installed, or this GPU does not take them.
    """
    try:
        interface = storage.read_json(_SHADERS / "interface.json")[name]
        vertex = storage.read_text(_SHADERS / interface["vertex"], _MAX_SOURCE)
        fragment = storage.read_text(_SHADERS / interface["fragment"], _MAX_SOURCE)
    except (InputError, KeyError) as error:
        raise AddonError(f"The shader {name!r} is missing.", "Install the extension again.") from error
    info = gpu.types.GPUShaderCreateInfo()
    for entry in interface["uniforms"]:
        info.push_constant(entry["type"].upper(), entry["name"])
    for slot, entry in enumerate(interface["samplers"]):
        info.sampler(slot, _kind(entry["type"]), entry["name"])
    for slot, entry in enumerate(interface["inputs"]):
        info.vertex_in(slot, entry["type"].upper(), entry["name"])
    varyings = gpu.types.GPUStageInterfaceInfo(f"{name}_varyings")
    for entry in interface["varyings"]:
        varyings.smooth(entry["type"].upper(), entry["name"])
    info.vertex_out(varyings)
    for slot, entry in enumerate(interface["outputs"]):
        info.fragment_out(slot, entry["type"].upper(), entry["name"])
    info.vertex_source(vertex)
    info.fragment_source(fragment)
    try:
        return gpu.shader.create_from_info(info)
    except Exception as error:  # what a driver refuses comes as plain Exception
        raise AddonError("This graphics card cannot draw the preview.", "Press Make It Talk instead.") from error


def _kind(sampler: str) -> str:
    return {"sampler2D": "FLOAT_2D"}[sampler]
