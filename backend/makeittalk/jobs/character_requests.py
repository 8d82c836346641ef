"""The server's answers about a whole character: made at once, shown while it is made, or baked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exchange import protocol
from ..exchange.constants import STYLES
from ..exchange.errors import InputError
from ..exchange.progress import Progress, part
from ..exchange.rates import exact_rate
from . import kept_files
from .landmark_requests import job_folder

if TYPE_CHECKING:
    from .animate import AnimateOptions, Character


def animate(request: protocol.Animate, progress: Progress) -> dict[str, Any]:
    """Makes every file of a character."""
    from ..images.style import resolve_style
    from . import animate as pipeline

    folder, options = _checked(request)
    character = pipeline.animate(request.portrait, request.audio, folder, options, part(progress, 0.0, 0.97))
    progress(0.97, "Baking the curves")
    baked = pipeline.bake(character.motion, character.mesh, folder, request.fps)
    style, reason = resolve_style(request.style, character.portrait.rgba, character.portrait.face.landmarks)
    progress(1.0, "Baking the curves")
    return _answer(character, baked, style, reason)


def preview(
    request: protocol.Preview, progress: Progress, show: Callable[[protocol.PreviewPart], None]
) -> dict[str, Any]:
    """Makes every file of a character, and shows what there is of it meanwhile."""
    from .preview import preview_character

    folder, options = _checked(request)
    made = preview_character(
        request.portrait, request.audio, folder, request.fps, request.style, options, show, progress
    )
    return _answer(made.character, made.bake, made.style, made.reason)


def rebake(request: protocol.Rebake, progress: Progress) -> dict[str, Any]:
    """Bakes a cached motion at another rate or with other smoothing."""
    from ..exchange.formats import Mesh
    from ..landmarks.landmark_motion import load_motion
    from . import animate as pipeline

    folder = job_folder(request.folder)
    progress(0.0, "Baking the curves")
    motion, mesh = kept_files.read(load_motion, request.motion), kept_files.read(Mesh.load, request.mesh)
    progress(0.3, "Baking the curves")
    return asdict(protocol.RebakeData(bake=str(pipeline.bake(motion, mesh, folder, request.fps, request.smooth))))


def _checked(request: protocol.Animate) -> tuple[Path, AnimateOptions]:
    """The job's folder and what can be chosen about the character.

    Raises:
        InputError: something cannot be so; said before the long work, not after it.
    """
    from .animate import AnimateOptions

    folder = job_folder(request.folder)
    if request.style not in STYLES:
        raise InputError(f"The style {request.style!r} is not known.", f"Use {', '.join(STYLES)}.")
    if request.seed < 0:
        raise InputError(f"The seed {request.seed} is below 0.", "Use 0 or a higher number.")
    exact_rate(request.fps)
    return folder, AnimateOptions(
        seed=request.seed,
        amounts=request.amounts,
        device=request.device,
        face_file=request.face,
        voice_file=request.voice,
        detector=request.detector,
        face=request.face_number,
        own_mouth=request.own_mouth,
        style=request.style,
        weights=request.weights or None,
    )


def _answer(character: Character, baked: Path, style: str, reason: str) -> dict[str, Any]:
    folder = character.folder
    return asdict(
        protocol.AnimateData(
            face=str(character.portrait.path),
            portrait=str(character.portrait.face.image),
            mesh=str(folder / "mesh.npz"),
            motion=str(folder / "motion.npz"),
            bake=str(baked),
            audio=str(character.sound),
            style=style,
            seconds=character.seconds,
            notices=[*character.notices, *([reason] if reason else [])],
        )
    )
