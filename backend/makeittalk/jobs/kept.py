"""What the last requests found out, kept by the content it was found in: the same picture or recording comes again."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from ..audio.embedding import speaker_embedding
from ..audio.loading import normalise_loudness
from ..exchange.constants import SAMPLE_RATE
from ..exchange.formats import Face, Mesh
from ..images.style import resolve_style
from ..landmarks.detector import Detection, detect_landmarks
from ..mesh.build import build_mesh
from ..networks.speech import Speech

_LARGEST_PICTURE = 4096 * 4096 * 4  # bytes: larger ones take longer to compare
_LONGEST_SPEECH = 600 * SAMPLE_RATE  # samples: of ten minutes, Whisper's answer takes 38 MB

Answer = TypeVar("Answer")


class _Last(Generic[Answer]):
    """The last answers to a question, by what it was asked about.

    Args:
        most: how many there are at the most.
    """

    def __init__(self, most: int = 1) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._known: dict[bytes, Answer] = {}  # the last one at the end

    def of(self, key: bytes) -> Answer | None:
        with self._lock:
            answer = self._known.pop(key, None)
            if answer is not None:
                self._known[key] = answer
            return answer

    def keep(self, key: bytes, answer: Answer) -> None:
        with self._lock:
            self._known.pop(key, None)
            while len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[key] = answer

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


#: One of landmarks that were found and one of corrected ones, or the two characters of a dialogue.
_face: _Last[tuple[str, Detection]] = _Last(2)
_mesh: _Last[Mesh] = _Last(2)
_speech: _Last[Speech] = _Last()


def detect(rgba: np.ndarray, detector: str, name: str, face: int) -> Detection:
    """`detect_landmarks`, asked once about a picture.

    Raises:
        NoFaceError, InputError, MissingError: see there.
    """
    if rgba.nbytes > _LARGEST_PICTURE:
        return detect_landmarks(rgba, detector, name=name, face=face)
    key = _digest(rgba, detector, face)
    known = _face.of(key)
    # What is said about a picture may name its file.
    if known is not None and (known[0] == name or not any(known[0] in notice for notice in known[1].notices)):
        return known[1]
    found = detect_landmarks(rgba, detector, name=name, face=face)
    _face.keep(key, (name, found))
    return found


def mesh_of(face: Face, rgba: np.ndarray, own_mouth: bool, style: str = "auto") -> Mesh:
    """`build_mesh`, asked once about a face in a picture; nobody may change what it answers.

    Raises:
        InputError: see there.
    """
    if rgba.nbytes > _LARGEST_PICTURE:
        return build_mesh(face, rgba, own_mouth=own_mouth, style=style)
    style, _reason = resolve_style(style, rgba, face.landmarks)  # a style that was chosen for it is known, too
    irises = np.zeros(0) if face.irises is None else face.irises
    key = _digest(rgba, np.asarray(face.landmarks), irises, face.width, face.height, own_mouth, style)
    mesh = _mesh.of(key)
    if mesh is None:
        mesh = build_mesh(face, rgba, own_mouth=own_mouth, style=style)
        _mesh.keep(key, mesh)
    return mesh


def speech_key(samples: np.ndarray, device: str) -> bytes:
    """What a recording (n,) is known by; empty for one that is too long to be kept."""
    return b"" if len(samples) > _LONGEST_SPEECH else _digest(samples, device)


def speech_of(key: bytes, voice: np.ndarray | None) -> Speech | None:
    """A recording that Whisper has heard already, in its own manner or that of `voice` (n,); None if it is new."""
    known = _speech.of(key) if key else None
    if known is None:
        return None
    style = known.embedding if voice is None else speaker_embedding(normalise_loudness(voice))
    return replace(known, style_embedding=style)


def keep_speech(key: bytes, speech: Speech) -> None:
    """Keeps a recording that Whisper has heard."""
    if key:
        _speech.keep(key, replace(speech))


def clear() -> None:
    """Forgets everything."""
    for last in (_face, _mesh, _speech):
        last.clear()


def _digest(*parts: object) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    for item in parts:
        if isinstance(item, np.ndarray):
            found.update(f"{item.dtype}{item.shape}".encode())
            found.update(np.ascontiguousarray(item).data)
        else:
            found.update(f"{item!r};".encode())
    return found.digest()
