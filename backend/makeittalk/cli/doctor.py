"""Says what works on this machine and what does not, one line each."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable

from ..exchange.errors import MakeItTalkError
from ..exchange.version import VERSION


def examine() -> int:
    """Prints the findings; returns 0 when everything that is needed works, else 2."""
    failed = 0
    for name, needed, check in _CHECKS:
        try:
            finding, good = check(), True
        except MakeItTalkError as error:
            finding, good = str(error), False
        except Exception as error:  # a broken library may raise anything; that is the finding
            finding, good = f"{type(error).__name__}: {error}", False
        failed += needed and not good
        mark = "ok  " if good else ("FAIL" if needed else "none")
        print(f"{mark} {name:<14} {' '.join(finding.split())}")
    return 2 if failed else 0


def _python() -> str:
    return f"makeittalk {VERSION}, Python {platform.python_version()} on {platform.platform()}"


def _torch() -> str:
    from ..networks.device import available_devices

    return f"{importlib.metadata.version('torch')}, devices: {', '.join(available_devices())}"


def _weights() -> str:
    from ..weights.store import list_weights, verify_weights

    verify_weights()
    return "; ".join(map(str, list_weights()))


def _basis() -> str:
    from ..animation.basis import load_basis

    return f"{len(load_basis().names)} shape keys"


def _detectors() -> str:
    import mediapipe  # noqa: F401  the default detector must at least import

    from ..landmarks.detector import available_detectors

    return ", ".join(available_detectors())


def _audio() -> str:
    import av
    import soundfile

    return f"libsndfile {soundfile.__libsndfile_version__}, PyAV {av.__version__}"


def _opengl() -> str:
    from ..rendering.gl import describe_gl

    return describe_gl()


def _blender() -> str:
    from ..jobs.blender import blender_command

    return " ".join(blender_command()[:1]) + " has the bpy module"


_CHECKS: tuple[tuple[str, bool, Callable[[], str]], ...] = (
    ("program", True, _python),
    ("torch", True, _torch),
    ("weights", True, _weights),
    ("shape keys", True, _basis),
    ("detectors", True, _detectors),
    ("sound, video", True, _audio),
    ("OpenGL", False, _opengl),
    ("Blender", False, _blender),
)
