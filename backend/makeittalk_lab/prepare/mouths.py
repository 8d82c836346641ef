"""MakeHuman's heads → pictures by Cycles of speaking mouths up close: a campaign that any kill only delays.

Each person is a job in `jobs/`, rendered by a Blender process of its own (`tools/blender/render_heads.py`), picture by
picture; once all are there they become a clip and the job is removed. Started again, it goes on with the next picture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange import storage, temporary
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..data.mouth_clip import MouthClip
from ..synthetic.camera_noise import CameraNoise
from ..synthetic.human_head import HeadPictures, write_head
from ..synthetic.human_job import Settings
from ..synthetic.human_kit import ETHNICITIES, HumanKit
from .renders import split_renders

KIND = "mouths"
COUNT = 150
PYTHON = "MAKEITTALK_RENDER_PYTHON"  # a Blender, or a Python that has the bpy module; this one where it is not set
_SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "blender" / "render_heads.py"
_JOBS, _SPEED = "jobs", "speed.tsv"
_LONGEST = 3600.0  # s of one person's pictures: a process that hangs is ended


def prepare_mouths(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    count: int = COUNT,
    seed: int = 0,
    settings: Settings | None = None,
    moments: int = 0,
) -> Prepared:
    """Renders clips; those that are there are kept.

    Args:
        source: the kit's folder. dest: folder to write, made where missing. progress: told after every clip. count:
            people. seed: another number gives other people. settings: of the renderer. moments: besides the shut
            mouth, 0 for all.

    Returns:
        The prepared folder; one clip in ten is for the test, one in twenty to validate. `speed.tsv` in it says for
        every person how many pictures were rendered in how many seconds.

    Raises:
        InputError: the kit is missing or damaged. MissingError: Blender does not render.
    """
    dest = Path(dest)
    kit = HumanKit.load(source)
    settings = settings or Settings(size=256, samples=6)
    (dest / _JOBS).mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for number in range(count):
        name = f"mouth_{seed}_{number:05d}"
        progress(number / count, "Rendering mouths")
        if not (dest / f"{name}.npz").is_file():
            job = dest / _JOBS / name
            # Drawn by the person's number: a job that was interrupted is written again just as it was.
            drawn = Settings(**(vars(settings) | {"seed": number}))
            shown = write_head(kit, job, (seed, number), drawn, moments)
            _render(job, dest / _SPEED)
            _clip(job, shown, np.random.default_rng([seed, number, 1])).save(dest / f"{name}.npz")
            shutil.rmtree(job)
        names.append(name)
        split_mouths(dest, names).save()
    progress(1.0, "Rendering mouths")
    return split_mouths(dest, names)


def split_mouths(dest: Path, names: list[str]) -> Prepared:
    """The index of clips in the order of their numbers."""
    split = split_renders(dest, names)
    return Prepared(dest, KIND, split.train, split.validation, split.test, skipped={})


def render_command(job: Path) -> Sequence[str]:
    """What renders a job."""
    program = os.environ.get(PYTHON) or sys.executable
    if "python" in Path(program).name:
        return [program, str(_SCRIPT), str(job)]
    return [program, "--background", "--factory-startup", "--python", str(_SCRIPT), "--", str(job)]


def _render(job: Path, speed: Path) -> None:
    """Runs Blender until all of a job's pictures are there.

    Raises:
        MissingError: it ends without them.
    """
    started = time.monotonic()
    before = len(list(job.glob("*_??.png")))
    try:
        with temporary.folder() as scratch:  # Blender leaves a folder of its own
            ended = subprocess.run(
                render_command(job),
                capture_output=True,
                text=True,
                timeout=_LONGEST,
                check=False,
                errors="replace",
                env=os.environ | temporary.environment(scratch),
            )
        said = ended.stdout[-400:] + ended.stderr[-400:]
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    wanted = [view["file"] for view in storage.read_json(job / "head.json")["views"]]
    if not all((job / file).is_file() for file in wanted):
        lines = " ".join(said.split()[-40:])
        raise MissingError(
            f"Blender did not render {job.name}: {lines}", f"Name a Blender, or a Python with bpy, in {PYTHON}."
        )
    storage.append_text(speed, f"{job.name}\t{len(wanted) - before}\t{time.monotonic() - started:.1f}\n")


def _clip(job: Path, shown: HeadPictures, rng: np.random.Generator) -> MouthClip:
    """The pictures of a job as one camera keeps them.

    Raises:
        InputError: a picture is damaged.
    """
    camera = CameraNoise.random(rng)
    pictures: list[np.ndarray] = []
    gain = 0.0
    for view in shown.views:
        picture = cv2.imread(str(job / view.file), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.shape[:2] != (view.size, view.size):
            (job / view.file).unlink(missing_ok=True)
            raise InputError(f"{job / view.file} is damaged.", "Run `makeittalk prepare mouths` again.")
        taken = picture[..., 2::-1].astype(np.float32) / 65535
        gain = gain or camera.exposure(taken, shown.albedo)  # by the first picture, the shut mouth
        pictures.append(camera.apply(camera.develop(taken, gain), rng))
    return MouthClip(
        np.stack(pictures),
        np.array(shown.moments),
        shown.whole,
        shown.landmarks.astype(np.float32),
        shown.inner.astype(np.float32),
        shown.jaw.astype(np.float32),
        shown.pose.astype(np.float32),
        shown.teeth,
        np.array([shown.male, shown.old, ETHNICITIES.index(shown.origin)], np.float32),
    )
