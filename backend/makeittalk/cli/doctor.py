"""`makeittalk doctor`: what works on this machine and what does not."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from ..exchange.errors import MakeItTalkError, MissingError
from ..exchange.version import VERSION
from .command import Command


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: what was looked at. needed: whether work is impossible without it. ok: whether it works.
        finding: versions, names, or what is wrong and what to do about it.
    """

    name: str
    needed: bool
    ok: bool
    finding: str


def add_arguments(parser: ArgumentParser) -> None:
    """How the findings are shown."""
    parser.add_argument("--json", action="store_true", help="print the findings as one JSON object")


def run(options: Namespace) -> int:
    """Prints the findings; returns 0 when everything that is needed works, else 2."""
    found = []
    for finding in examine():
        found.append(finding)
        if not options.json:
            mark = "ok  " if finding.ok else ("FAIL" if finding.needed else "none")
            print(f"{mark} {finding.name:<14} {finding.finding}", flush=True)
    ok = all(finding.ok for finding in found if finding.needed)
    if options.json:
        print(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in found]}, indent=1))
    return 0 if ok else 2


def examine() -> Iterator[Finding]:
    """Makes one check after another."""
    for name, needed, check in _CHECKS:
        try:
            with contextlib.redirect_stdout(sys.stderr):  # some libraries greet whoever loads them
                finding, ok = check(), True
        except MakeItTalkError as error:
            finding, ok = str(error), False
        except Exception as error:  # a broken library may raise anything; that is the finding
            finding, ok = f"{type(error).__name__}: {error}", False
        yield Finding(name, needed, ok, " ".join(finding.split()))


def _python() -> str:
    return f"makeittalk {VERSION}, Python {platform.python_version()} on {platform.platform()}"


def _torch() -> str:
    from ..networks.device import available_devices

    return f"{importlib.metadata.version('torch')}, devices: {', '.join(available_devices())}"


def _weights() -> str:
    from ..weights.files import list_weights, verify_weights

    verify_weights()
    return "; ".join(map(str, list_weights()))


def _imported() -> str:
    from ..weights.imported import list_imported

    found = list_imported()
    lacking = [str(file.path) for one in found for file in one.files if not file.size]
    if lacking:
        raise MissingError(f"{lacking[0]} is missing.", "Import the set again, or remove it with makeittalk weights.")
    return ", ".join(one.name for one in found) or "no sets"


def _basis() -> str:
    from ..animation.basis import load_basis

    return f"{len(load_basis().names)} shape keys"


def _detectors() -> str:
    from ..landmarks.detector import available_detectors
    from ..landmarks.face_landmarker import still_landmarker

    still_landmarker()  # the default detector must at least load
    return ", ".join(available_detectors())


def _audio() -> str:
    import av
    import soundfile

    return f"libsndfile {soundfile.__libsndfile_version__}, PyAV {av.__version__}"


def _voices() -> str:
    import numpy as np

    from ..audio.embedding import speaker_embedding
    from ..exchange.constants import SAMPLE_RATE

    speaker_embedding(np.random.default_rng(0).normal(0.0, 0.1, SAMPLE_RATE))
    return f"resemblyzer {importlib.metadata.version('resemblyzer')}"


def _pictures() -> str:
    import cv2
    import OpenEXR
    import pillow_heif
    from PIL import __version__ as pillow

    return f"Pillow {pillow}, OpenCV {cv2.__version__}, HEIF {pillow_heif.__version__}, OpenEXR {OpenEXR.__version__}"


def _opengl() -> str:
    from ..rendering.gl import describe_gl

    return describe_gl()


def _blender() -> str:
    from ..jobs.blender import blender_command

    command = blender_command()
    return f"{command[0]} has the bpy module" if command[0] == sys.executable else command[0]


_CHECKS: tuple[tuple[str, bool, Callable[[], str]], ...] = (
    ("program", True, _python),
    ("torch", True, _torch),
    ("weights", True, _weights),
    ("imported sets", False, _imported),
    ("shape keys", True, _basis),
    ("detectors", True, _detectors),
    ("sound, video", True, _audio),
    ("voices", True, _voices),
    ("pictures", True, _pictures),
    ("OpenGL", False, _opengl),
    ("Blender", False, _blender),
)

COMMAND = Command("doctor", "say what works on this machine and what does not", run, add_arguments)
