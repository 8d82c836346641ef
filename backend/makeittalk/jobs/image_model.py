"""The network that draws the photoreal frames of a video, where they are wanted and it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exchange.errors import MissingError
from .animate import Portrait

if TYPE_CHECKING:
    from ..networks.image_inference import ImageModel


def image_model(
    portrait: Portrait, style: str, device: str, notices: list[str], weights: str | None = None
) -> ImageModel | None:
    """The network of a portrait's photoreal frames, None where the mesh alone shall move it.

    Args:
        portrait: prepared. style: one of `STYLES`. device: as the command line takes it. notices: takes a sentence that
            says what was chosen. weights: a set, which is then asked for as much as by the style photo.

    Raises:
        InputError: there is no such device. MissingError: the weights that were asked for are not there.
    """
    from ..images.style import resolve_style

    asked = style == "photo" or weights is not None
    style, reason = resolve_style(style, portrait.rgba, portrait.face.landmarks)
    if reason:
        notices.append(reason)
    if style != "photo":
        return None
    from ..weights.released import load_image_network

    try:
        return load_image_network(weights, device)
    except MissingError as error:
        if asked:
            raise
        notices.append(f"Its frames are drawn by the mesh alone: {error}")
        return None
