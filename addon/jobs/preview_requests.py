"""What a preview asks of the backend: predictions, and other bakes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...backend.makeittalk.exchange import protocol
from .backend_job import BackendJob
from .recipe import Recipe
from .task import Reading


@dataclass(frozen=True)
class Asked:
    """What a prediction depends on, as the settings have it; where `begins` differs, the preview begins anew."""

    begins: tuple[Any, ...]
    rest: tuple[Any, ...]


class Prediction(BackendJob):
    """A preview that was asked of the backend, and what has come of it.

    Attributes:
        recipe, asked: what it was asked for. data: the whole, once it is there. baked: rate and smoothing of its bake.
    """

    def __init__(self, recipe: Recipe, asked: Asked) -> None:
        super().__init__(protocol.AnimateData)
        self.recipe, self.asked = recipe, asked
        self.data: protocol.AnimateData | None = None
        self.baked = (recipe.request.fps, recipe.request.amounts.smooth)
        try:
            request = _outcome(recipe.into(self.folder))
            self.submit(protocol.Preview(**{item.name: getattr(request, item.name) for item in fields(request)}))
        except BaseException:
            self.discard()
            raise


class Rebake(BackendJob):
    """A motion that is baked again at another rate or with other smoothing, `baked`."""

    def __init__(self, data: protocol.AnimateData, baked: tuple[float, float]) -> None:
        super().__init__(protocol.RebakeData)
        self.baked = baked
        fps, smooth = baked
        self.submit(
            protocol.Rebake(motion=data.motion, mesh=data.mesh, folder=str(self.folder), fps=fps, smooth=smooth)
        )


def _outcome(reading: Reading) -> protocol.Animate:
    """What a reading returns, without a pause."""
    while True:
        try:
            next(reading)
        except StopIteration as done:
            return done.value
