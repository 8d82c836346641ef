"""Shader nodes made and linked in one call each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


class ShaderTree:
    """The nodes of a material.

    Attributes:
        material: whose they are. principled: the shader that it comes with.
    """

    def __init__(self, material: Any) -> None:
        if bpy.app.version < (5, 0):
            material.use_nodes = True
        self.material, self.nodes, self.links = material, material.node_tree.nodes, material.node_tree.links
        self.principled = self.nodes.get("Principled BSDF")
        self.principled.subsurface_method = "BURLEY"  # half the time of the random walk, alike at this size

    def node(self, kind: str, values: dict[Any, Any] | None = None, **fields: Any) -> Any:
        """A node; a value that is an output is linked to the input, any other one set."""
        made = self.nodes.new(f"ShaderNode{kind}")
        for name, value in fields.items():
            setattr(made, name, value)
        for name, value in (values or {}).items():
            self.set(made.inputs[name], value)
        return made

    def set(self, entry: Any, value: Any) -> None:
        """Links or sets an input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.links.new(value, entry)
        elif isinstance(value, (list, tuple)) and entry.type == "RGBA" and len(value) == 3:
            entry.default_value = (*value, 1.0)
        else:
            entry.default_value = value

    def surface(self, **values: Any) -> None:
        """Inputs of the principled shader; underscores stand for spaces."""
        for name, value in values.items():
            self.set(self.principled.inputs[name.replace("_", " ")], value)

    def maths(self, operation: str, first: Any, second: Any = 0.0, clamp: bool = False) -> Any:
        """A number from two."""
        return self.node("Math", {0: first, 1: second}, operation=operation, use_clamp=clamp).outputs[0]

    def product(self, first: Any, *others: Any) -> Any:
        """Numbers multiplied."""
        for other in others:
            first = self.maths("MULTIPLY", first, other)
        return first

    def sum(self, first: Any, *others: Any) -> Any:
        """Numbers added."""
        for other in others:
            first = self.maths("ADD", first, other)
        return first

    def less(self, first: Any, second: Any) -> Any:
        """A difference."""
        return self.maths("SUBTRACT", first, second)

    def blend(self, factor: Any, first: Any, second: Any) -> Any:
        """A number between two."""
        made = self.node("Mix", data_type="FLOAT")
        for index, value in ((0, factor), (2, first), (3, second)):
            self.set(made.inputs[index], value)
        return made.outputs[0]

    def mix(self, factor: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
        """A colour from two."""
        made = self.node("Mix", data_type="RGBA", blend_type=blend)
        for index, value in ((0, factor), (6, first), (7, second)):
            self.set(made.inputs[index], value)
        return made.outputs[2]

    def shaded(self, factor: Any, colour: Any, shade: Any) -> Any:
        """A colour, multiplied by another one as far as the factor says."""
        return self.mix(factor, colour, shade, "MULTIPLY")

    def ramp(self, value: Any, low: float, high: float, to: tuple[float, float] = (0.0, 1.0)) -> Any:
        """A smooth step between two numbers."""
        made = self.node("MapRange", {0: value, 1: low, 2: high, 3: to[0], 4: to[1]}, interpolation_type="SMOOTHSTEP")
        return made.outputs[0]

    def attribute(self, name: str, vector: bool = False) -> Any:
        """What the mesh carries."""
        return self.node("Attribute", attribute_name=name).outputs["Vector" if vector else "Fac"]

    def scaled(self, vector: Any, scale: tuple[float, float, float]) -> Any:
        """A stretched place."""
        return self.node("VectorMath", {0: vector, 1: scale}, operation="MULTIPLY").outputs[0]

    def noise(self, place: Any, scale: float, detail: float = 2.0) -> Any:
        """Noise about 0.5."""
        return self.node("TexNoise", {"Vector": place, "Scale": scale, "Detail": detail}).outputs[0]

    def cells(self, place: Any, scale: float, jitter: float = 1.0) -> tuple[Any, Any]:
        """The distance to the nearest of scattered points, of their spacing; and a random number 0–1 of each."""
        made = self.node("TexVoronoi", {"Vector": place, "Scale": scale, "Randomness": jitter})
        return made.outputs["Distance"], self.node("SeparateColor", {0: made.outputs["Color"]}).outputs[0]

    def picture(self, path: Path) -> Any:
        """A texture by the UV map, with alpha of its own."""
        image = bpy.data.images.load(str(path), check_existing=True)
        image.alpha_mode = "CHANNEL_PACKED"  # else the edges of hair glow
        return self.node("TexImage", image=image)
