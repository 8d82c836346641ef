"""The server's answer about photoreal frames."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..exchange import protocol
from ..exchange.errors import InputError
from ..exchange.progress import Progress
from .idle_memory import free_networks


def photoreal(request: protocol.Photoreal, progress: Progress) -> dict[str, Any]:
    """Draws photoreal frames, and gives back the memory that they took."""
    _check_outputs(request)
    from .photoreal import render_frames

    try:
        rendered = render_frames(
            request.portrait,
            request.mesh,
            request.moves,
            request.output,
            first=request.first,
            fps=request.fps,
            film=request.film,
            sounds=request.sounds,
            device=request.device,
            weights=request.weights or None,
            progress=progress,
        )
    finally:
        free_networks()
    return asdict(
        protocol.PhotorealData(
            folder=str(rendered.folder),
            first=rendered.first,
            last=rendered.last,
            drawn=rendered.drawn,
            film=str(rendered.film or ""),
            notices=list(rendered.notices),
        )
    )


def _check_outputs(request: protocol.Photoreal) -> None:
    """Sees to it that frames and film go where such things belong, and over nothing that they are made from.

    Raises:
        InputError: they would not.
    """
    if not request.output:
        raise InputError("No folder is named for the frames.", "Name a folder.")
    if not request.film:
        return
    film = Path(request.film)
    if film.suffix.lower() != ".mp4":
        raise InputError(f"{film} does not end in .mp4.", "Name the film so that it does.")
    if any(os.path.realpath(film) == os.path.realpath(sound.audio) for sound in request.sounds):
        raise InputError(f"{film} is the recording that the film is to be made with.", "Give the film another name.")
