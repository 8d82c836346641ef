"""`makeittalk render`: a motion drawn as a video or a folder of pictures."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exchange import temporary
from ..exchange.errors import OutputError
from ..exchange.progress import part
from . import arguments
from .command import Command
from .output import check_apart, check_file, check_parent
from .terminal import progress_bar, tell


def add_arguments(parser: ArgumentParser) -> None:
    """A portrait, a motion, and how the frames are drawn."""
    parser.add_argument("portrait", type=Path)
    text = "made by animate, predict or track; or a .csv of Live Link Face"
    parser.add_argument("motion", type=Path, metavar="MOTION.NPZ", help=text)
    arguments.add_output(parser, ".mp4 file, or a folder for PNG pictures")
    arguments.add_style(parser)
    parser.add_argument("--audio", type=Path, help="sound of the video")
    arguments.add_device(parser)
    parser.add_argument(
        "--weights",
        default=None,
        metavar="SET",
        help="of the network of photoreal frames (default: image), or an imported set",
    )
    arguments.add_rate(parser, None)
    arguments.add_detector(parser)


def run(options: Namespace) -> None:
    """Draws the motion on the portrait, at the rate that was asked for."""
    as_video = _check_output(options.output)
    check_apart([options.output], [options.portrait, options.motion, options.audio, options.weights])
    from ..exchange.formats import Motion
    from ..exchange.formats.motion_table import MotionTable, read_live_link
    from ..exchange.rates import exact_rate
    from ..landmarks.landmark_motion import load_motion

    asked = exact_rate(options.fps) if options.fps else None
    take: MotionTable | Motion
    if options.motion.suffix.lower() == ".csv":
        take = read_live_link(options.motion, float(asked) if asked else None)
    else:
        take = load_motion(options.motion)
    rate = asked or exact_rate(take.fps if take.fps <= 60.0 else 25)
    from ..animation.resample import frame_count, resample
    from ..animation.table_motion import motion_of_table
    from ..audio.loading import load_audio
    from ..jobs.animate import face_for_motion, find_face
    from ..jobs.image_model import image_model
    from ..mesh.build import build_mesh
    from ..rendering.render_motion import motion_frames
    from ..rendering.video import write_mp4, write_pngs

    audio = load_audio(options.audio) if options.audio else None
    with progress_bar() as progress, temporary.folder() as folder:
        share = part(progress, 0.0, 0.2)
        if isinstance(take, MotionTable):
            portrait = find_face(options.portrait, folder, "", options.detector, options.face, share)
            motion = motion_of_table(take, portrait.face)
        else:
            portrait, motion = face_for_motion(options.portrait, take, folder, options.detector, share, options.face)
        tell(portrait.notices)
        mesh = build_mesh(portrait.face, portrait.rgba, style=options.style)
        notices: list[str] = []
        model = image_model(portrait, options.style, options.device, notices, options.weights)
        tell(notices)
        # Landmarks alone, of this picture's size: they were seen, and stay where they were seen.
        filmed = motion.parts is None and motion.image_size is not None
        shown = resample(motion, float(rate), frame_count(audio.seconds, float(rate)) if audio else None)
        with motion_frames(mesh, portrait.rgba, shown, model, filmed) as (frames, size):
            share = part(progress, 0.2, 1.0)
            if as_video:
                write_mp4(options.output, frames, rate, size, audio, share, total=shown.frames)
            else:
                write_pngs(options.output, frames, share, total=shown.frames)


def _check_output(output: Path) -> bool:
    """Whether the output is a video; else it is a folder.

    Raises:
        OutputError: it can be neither.
    """
    if output.suffix.lower() == ".mp4":
        check_file(output, (".mp4",))
        return True
    if output.suffix and not output.is_dir():
        check_file(output, (".mp4",))
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file.", "Name a folder for the pictures, or an .mp4.")
    check_parent(output)
    return False


COMMAND = Command("render", "draw a motion as a video or a folder of pictures", run, add_arguments)
