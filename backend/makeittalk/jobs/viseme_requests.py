"""The server's answer about the phones, words and mouth shapes of a recording."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..exchange import protocol
from ..exchange.progress import Progress
from .landmark_requests import job_folder


def visemes(request: protocol.Visemes, progress: Progress) -> dict[str, Any]:
    """Hears the phones, words and mouth shapes of a recording."""
    from .visemes import hear_cues

    path = job_folder(request.folder) / "cues.npz"
    found = hear_cues(request.audio, request.text, request.extended, request.device, progress)
    found.cues.save(path)
    return asdict(protocol.VisemesData(cues=str(path), notices=found.notices))
