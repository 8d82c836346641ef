"""One shot: from a portrait and a recording to a film, a .blend, a motion or tables; for one command or for many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..animation.bake import bake_motion
from ..animation.resample import frame_count, resample
from ..audio.loading import load_audio
from ..exchange import storage
from ..exchange.amounts import Amounts
from ..exchange.progress import Progress, part, silent
from ..exchange.rates import exact_rate
from ..weights.released_folder import released_folder
from .animate import AnimateOptions, Character, PathLike, animate, bake
from .blender import write_blend
from .export import write_csv, write_json
from .image_model import image_model

if TYPE_CHECKING:
    from ..networks.image_inference import ImageModel

AMOUNTS = tuple(item.name for item in fields(Amounts))


@dataclass
class MadeShot:
    """What became of a shot, beside its files.

    Attributes:
        character: what was made. frames: of a film or a scene at the shot's rate.
    """

    character: Character
    frames: int


def make_shot(
    portrait: Path,
    audio: Path,
    outputs: Sequence[Path],
    options: Mapping[str, Any],
    folder: PathLike,
    progress: Progress = silent,
    told: Callable[[list[str]], None] = lambda _notices: None,
) -> MadeShot:
    """Makes a character once and writes every file that is wanted of it.

    Args:
        portrait, audio: picture and speech. outputs: by suffix .mp4, .blend, .npz, .json or .csv; each appears whole or
            not at all. options: all of `shot_options.OPTIONS`. folder: an existing one, for the character's files.
        told: is given sentences for the user as they come up.

    Raises:
        InputError, OutputError, MissingError: with a sentence for the user. Cancelled: `progress` said so.
    """
    rate = exact_rate(options["fps"])
    character = animate(portrait, audio, folder, animate_options(options), part(progress, 0.0, 0.4))
    told(character.notices)
    notices: list[str] = []
    films = any(output.suffix.lower() == ".mp4" for output in outputs)
    # A released set has a network of frames as well; other weights are those of the lips alone.
    released = None if released_folder(options["weights"]) is None else options["weights"]
    model = image_model(character.portrait, options["style"], options["device"], notices, released) if films else None
    told(notices)
    character.notices += notices
    for index, output in enumerate(outputs):
        share = part(progress, 0.4 + 0.6 * index / len(outputs), 0.4 + 0.6 * (index + 1) / len(outputs))
        share(0.0, f"Writing {output.name}")
        _WRITERS[output.suffix.lower()](_Asked(character, portrait, options, rate, model, share), output)
    return MadeShot(character, frame_count(character.seconds, float(rate)))


def animate_options(options: Mapping[str, Any]) -> AnimateOptions:
    """What `animate` is told of a shot's options."""
    return AnimateOptions(
        seed=options["seed"],
        amounts=Amounts(**{name: options[name] for name in AMOUNTS}),
        device=options["device"],
        features=options["features"],
        weights=options["weights"],
        face_file=options["landmarks"] or "",
        voice_file=options["voice"] or "",
        detector=options["detector"],
        face=options["face"],
        own_mouth=options["own_mouth"],
        style=options["style"],
    )


@dataclass(frozen=True)
class _Asked:
    """What the writers of a shot's files share."""

    character: Character
    portrait: Path
    options: Mapping[str, Any]
    rate: Fraction
    model: ImageModel | None
    progress: Progress


def _write_motion(asked: _Asked, output: Path) -> None:
    storage.copy_file(asked.character.folder / "motion.npz", output)


def _write_video(asked: _Asked, output: Path) -> None:
    from ..rendering.render_motion import motion_frames
    from ..rendering.video import write_mp4

    character, rate = asked.character, asked.rate
    audio = load_audio(character.sound)
    # As many frames as the sound is long, to the frame.
    motion = resample(character.motion, float(rate), frame_count(audio.seconds, float(rate)))
    with motion_frames(character.mesh, character.portrait.rgba, motion, asked.model) as (frames, size):
        write_mp4(output, frames, rate, size, audio, asked.progress, total=motion.frames)


def _write_blend(asked: _Asked, output: Path) -> None:
    character, options = asked.character, asked.options
    bake(character.motion, character.mesh, character.folder, float(asked.rate))
    write_blend(
        character.folder,
        output,
        asked.rate,
        options["blender"],
        audio=character.sound,
        name=asked.portrait.stem[:40],
        portrait=asked.portrait,
        voice=options["voice"] or "",
        weights=options["weights"] or "",
        **{name: options[name] for name in ("seed", "face", "style", *AMOUNTS)},
    )


def _write_table(asked: _Asked, output: Path) -> None:
    write = write_csv if output.suffix.lower() == ".csv" else write_json
    motion = asked.character.motion
    write(output, motion, bake_motion(motion, asked.character.mesh, float(asked.rate)))


_WRITERS: dict[str, Callable[[_Asked, Path], None]] = {
    ".npz": _write_motion,
    ".mp4": _write_video,
    ".blend": _write_blend,
    ".json": _write_table,
    ".csv": _write_table,
}
