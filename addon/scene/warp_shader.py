"""The warp's shader for Blender's gpu module: the bodies in `shaders/` under declarations made from their list.

The backend reads the same list for a plain OpenGL: `makeittalk/rendering/shader_source.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..core.errors import AddonError
from .untyped import gpu

_SHADERS = Path(__file__).resolve().parents[2] / "shaders"


def new_shader(name: str = "warp") -> Any:
    """Compiles the shader `name`; there must be a GPU to draw with.

    Raises:
        AddonError: the shaders are not installed, or this GPU does not take them.
    """
    try:
        interface = json.loads((_SHADERS / "interface.json").read_text(encoding="utf-8"))[name]
        vertex = (_SHADERS / interface["vertex"]).read_text(encoding="utf-8")
        fragment = (_SHADERS / interface["fragment"]).read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError) as error:
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
