"""What one worker does with one shot of many: its files beside their place, their sums, what it took, a thumbnail.

The networks stay loaded from shot to shot, as everything does that `weights/cache` keeps.
"""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exchange import storage
from ..exchange.errors import MakeItTalkError, file_error
from ..exchange.formats.shots import Shot
from ..exchange.progress import Progress, silent
from ..exchange.rates import exact_rate
from ..exchange.shot_options import all_options

THUMBNAIL = (168, 120)  # px: what it has to fit into


@dataclass(frozen=True)
class Task:
    """One shot that has to be made.

    Attributes:
        key: of its contents, see `batch_record`. shot: what it is made of. blender: a Blender for its .blend, or "".
    """

    key: str
    shot: Shot
    blender: str = ""


@dataclass(frozen=True)
class StagedFile:
    """A finished file that waits to be put in its place, its bytes and their SHA-256."""

    path: Path
    size: int
    sha256: str


@dataclass
class Made:
    """What a worker answers for a shot that is made.

    Attributes:
        files: in the order of the shot's outputs. seconds: that it took. speech: seconds of the recording.
        fps: its frames a second. frames: of the shot at that rate.
        memory: most bytes the worker held meanwhile, 0 where nobody knows.
        notices: sentences for the user. thumbnail: a small JPEG.
    """

    files: list[StagedFile]
    seconds: float = 0.0
    speech: float = 0.0
    fps: float = 0.0
    frames: int = 0
    memory: int = 0
    notices: list[str] = field(default_factory=list)
    thumbnail: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: `made`, or a sentence that says why not."""

    task: Task
    made: Made | None
    sentence: str = ""


def do_shot(task: Task, folder: Path, progress: Progress = silent) -> Made:
    """Makes a shot's files in a folder.

    Args:
        folder: a new one, of this task's alone.

    Raises:
        MakeItTalkError: with a sentence for the user.
    """
    from .shot import make_shot

    begun = time.perf_counter()
    forget_peak()
    shot = task.shot
    working = folder / "character"
    working.mkdir(parents=True)
    staged = [folder / f"{number}{output.suffix.lower()}" for number, output in enumerate(shot.outputs)]
    options = all_options({**shot.options, "blender": task.blender})
    made = make_shot(shot.portrait, shot.audio, staged, options, working, progress)
    character = made.character
    return Made(
        files=[staged_file(path) for path in staged],
        speech=character.seconds,
        fps=float(exact_rate(options["fps"])),
        frames=made.frames,
        notices=list(character.notices),
        thumbnail=_thumbnail(character, staged),
        seconds=time.perf_counter() - begun,
        memory=peak_memory(),
    )


def sentence_of(error: BaseException) -> str:
    """What is said of a shot that failed; what no user has caused is said to be that."""
    refused = file_error(error)
    if isinstance(error, MakeItTalkError) or refused is not None:
        return " ".join(str(refused or error).split())
    if isinstance(error, MemoryError):
        return "The machine ran out of memory."
    return f"Internal error: {type(error).__name__}: {' '.join(str(error).split())[:300]}."


def staged_file(path: Path) -> StagedFile:
    """A finished file and its sum."""
    return StagedFile(path, path.stat().st_size, storage.sha256(path))


def forget_peak() -> None:
    """Lets `peak_memory` begin anew, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_memory() -> int:
    """Most bytes that this process has held, 0 where nobody knows."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _thumbnail(character: Any, files: list[Path]) -> bytes:
    """The film where the mouth is furthest open, else the portrait."""
    from PIL import Image

    from ..landmarks.measures import opening

    film = next((path for path in files if path.suffix == ".mp4"), None)
    motion = character.motion
    picture: Any = None
    if film is not None:
        seconds = float(opening(motion.landmarks).argmax()) / motion.fps
        picture = _film_picture(film, min(seconds, 30.0))
    if picture is None:
        picture = character.portrait.rgba
    image = Image.fromarray(picture).convert("RGBA")
    image.thumbnail(THUMBNAIL)
    ground = Image.new("RGBA", image.size, (128, 128, 128, 255))
    ground.alpha_composite(image)
    target = io.BytesIO()
    ground.convert("RGB").save(target, "JPEG", quality=80)
    return target.getvalue()


def _film_picture(film: Path, seconds: float) -> Any:
    """(H, W, 3) uint8: what a film shows at a moment; None where it shows nothing then."""
    import av

    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        shown = None
        for frame in container.decode(stream):
            shown = frame
            if frame.time is not None and frame.time >= seconds:
                break
        return None if shown is None else shown.to_ndarray(format="rgb24")
