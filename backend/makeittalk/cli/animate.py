"""`makeittalk animate`: from a portrait and a recording to a film, a .blend, a motion or tables."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..exchange.progress import Progress, part
from . import arguments
from .command import Command
from .image_model import image_model
from .output import check_apart, check_file, deliver
from .terminal import progress_bar, tell

if TYPE_CHECKING:
    from ..jobs.animate import Character
    from ..networks.image_inference import ImageModel

SUFFIXES = (".mp4", ".blend", ".npz", ".json", ".csv")
_AMOUNTS = (
    ("lip", "lip motion"),
    ("head", "head motion"),
    ("blink", "blinks"),
    ("smooth", "smoothing"),
    ("gaze", "gaze"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """A portrait, a recording, the files to write, and everything that can be chosen between them."""
    parser.add_argument("portrait", type=Path, help="picture of a face: photo, painting or cartoon")
    parser.add_argument("audio", type=Path, help=arguments.AUDIO_HELP)
    arguments.add_outputs(parser, f"file to write, by suffix: {' '.join(SUFFIXES)}; may be given several times")
    arguments.add_style(parser)
    arguments.add_rate(parser, "25")
    for name, what in _AMOUNTS:
        parser.add_argument(f"--{name}", type=arguments.amount, default=1.0, help=f"amount of {what} (default 1)")
    parser.add_argument("--landmarks", type=Path, metavar="FACE.JSON", help="corrected landmarks instead of detection")
    parser.add_argument("--blender", default="", metavar="EXECUTABLE", help="Blender that writes the .blend")
    parser.add_argument(
        "--own-mouth",
        action=BooleanOptionalAction,
        default=True,
        help="keep what the portrait shows inside an open mouth (default), or draw teeth and tongue",
    )
    arguments.add_detector(parser)
    arguments.add_prediction(parser)


def run(options: Namespace) -> None:
    """Makes the character once and writes every file that was asked for."""
    from ..exchange.rates import exact_rate

    rate = exact_rate(options.fps)
    outputs: list[Path] = options.output
    for output in outputs:
        check_file(output, SUFFIXES)
    check_apart(outputs, [options.portrait, options.audio, options.landmarks, options.voice, options.weights])
    if any(output.suffix.lower() == ".blend" for output in outputs):
        from ..jobs.blender import blender_command

        blender_command(options.blender)
    from ..exchange.amounts import Amounts
    from ..jobs import animate as pipeline
    from ..weights.released_folder import released_folder

    # A released set has a network of frames as well; other weights are those of the lips alone.
    released = None if released_folder(options.weights) is None else options.weights

    with progress_bar() as progress, tempfile.TemporaryDirectory(prefix="makeittalk-") as folder:
        character = pipeline.animate(
            options.portrait,
            options.audio,
            folder,
            pipeline.AnimateOptions(
                seed=options.seed,
                amounts=Amounts(**{name: getattr(options, name) for name, _ in _AMOUNTS}),
                device=options.device,
                features=options.features,
                weights=options.weights,
                face_file=options.landmarks or "",
                voice_file=options.voice or "",
                detector=options.detector,
                face=options.face,
                own_mouth=options.own_mouth,
                style=options.style,
            ),
            part(progress, 0.0, 0.4),
        )
        tell(character.notices)
        films = any(output.suffix.lower() == ".mp4" for output in outputs)
        model = image_model(character.portrait, options.style, options.device, released) if films else None
        writers: dict[str, Callable[[Path, Progress], None]] = {
            ".npz": lambda output, _progress: deliver(character.folder / "motion.npz", output),
            ".mp4": lambda output, progress: _write_video(character, output, rate, model, progress),
            ".blend": lambda output, _progress: _write_blend(character, output, rate, options),
            ".json": lambda output, _progress: _write_table(character, output, float(rate)),
            ".csv": lambda output, _progress: _write_table(character, output, float(rate)),
        }
        for index, output in enumerate(outputs):
            share = part(progress, 0.4 + 0.6 * index / len(outputs), 0.4 + 0.6 * (index + 1) / len(outputs))
            share(0.0, f"Writing {output.name}")
            writers[output.suffix.lower()](output, share)


def _write_video(
    character: Character, output: Path, rate: Fraction, model: ImageModel | None, progress: Progress
) -> None:
    from ..animation.resample import frame_count, resample
    from ..audio.loading import load_audio
    from ..rendering.render_motion import motion_frames
    from ..rendering.video import write_mp4

    audio = load_audio(character.sound)
    # As many frames as the sound is long, to the frame.
    motion = resample(character.motion, float(rate), frame_count(audio.seconds, float(rate)))
    with motion_frames(character.mesh, character.portrait.rgba, motion, model) as (frames, size):
        write_mp4(output, frames, rate, size, audio, progress, total=motion.frames)


def _write_blend(character: Character, output: Path, rate: Fraction, options: Namespace) -> None:
    from ..jobs import animate as pipeline
    from ..jobs.blender import write_blend

    pipeline.bake(character.motion, character.mesh, character.folder, float(rate))
    write_blend(
        character.folder,
        output,
        rate,
        options.blender,
        audio=character.sound,
        name=options.portrait.stem[:40],
        portrait=options.portrait,
        voice=options.voice or "",
        seed=options.seed,
        face=options.face,
        lip=options.lip,
        head=options.head,
        blink=options.blink,
        smooth=options.smooth,
        gaze=options.gaze,
        style=options.style,
    )


def _write_table(character: Character, output: Path, fps: float) -> None:
    from ..animation.bake import bake_motion
    from ..jobs.export import write_csv, write_json

    write = write_csv if output.suffix.lower() == ".csv" else write_json
    write(output, character.motion, bake_motion(character.motion, character.mesh, fps))


COMMAND = Command("animate", "make a talking character from a portrait and a recording", run, add_arguments)
