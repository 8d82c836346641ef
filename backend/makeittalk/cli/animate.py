"""What each command does. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exchange import storage
from ..exchange.errors import InputError, MissingError, OutputError
from ..exchange.progress import Progress, part, silent

if TYPE_CHECKING:
    from makeittalk_lab.training.log import Log

    from ..jobs.animate import Character, Portrait
    from ..networks.image_inference import ImageModel

SUFFIXES = (".mp4", ".blend", ".npz", ".json", ".csv")
_REDRAW = 60.0  # s between two pictures of a training


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm

    with tqdm(total=100, bar_format="{desc:<24}{percentage:3.0f}%|{bar}| {remaining}", leave=False) as bar:

        def report(fraction: float, stage: str) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.n = 100.0 * fraction
            bar.refresh()

        yield report


@contextmanager
def _work_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="makeittalk-") as name:
        yield Path(name)


def _check_output(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuses a target before any work is spent on it.

    Raises:
        OutputError: unknown suffix, no folder, or no right to write.
    """
    if path.suffix.lower() not in suffixes:
        known = " ".join(suffixes)
        raise OutputError(f"{path} has a suffix this command does not write.", f"It writes {known}.")
    _check_folder(path.parent, path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder.", "Name a file to write.")


def _check_folder(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        raise OutputError(f"The folder of {path} does not exist.", "Make the folder or name another.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path} may not be written.", "Choose a folder you can write to.")


def _deliver(source: Path, target: Path) -> None:
    """Copies a finished file to where it was asked for, whole or not at all."""
    with storage.replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _tell(notices: list[str]) -> None:
    for notice in notices:
        print(f"makeittalk: {notice}", file=sys.stderr)


def animate(options: Namespace) -> None:
    """`makeittalk animate`."""
    from ..exchange.rates import exact_rate

    rate = exact_rate(options.fps)
    outputs: list[Path] = options.output
    for output in outputs:
        _check_output(output, SUFFIXES)
    if any(output.suffix.lower() == ".blend" for output in outputs):
        from ..jobs.blender import blender_command

        blender_command(options.blender)
    from ..exchange.amounts import Amounts
    from ..jobs import animate as pipeline

    with _progress_bar() as progress, _work_folder() as folder:
        character = pipeline.animate(
            options.portrait,
            options.audio,
            folder,
            pipeline.AnimateOptions(
                seed=options.seed,
                amounts=Amounts(options.lip, options.head, options.blink, options.smooth),
                device=options.device,
                weights=options.weights,
                face_file=options.landmarks or "",
                voice_file=options.voice or "",
                detector=options.detector,
                own_mouth=options.own_mouth,
            ),
            part(progress, 0.0, 0.4),
        )
        _tell(character.notices)
        films = any(output.suffix.lower() == ".mp4" for output in outputs)
        model = _image_model(character.portrait, options.style, options.device) if films else None
        writers: dict[str, Callable[[Path, Progress], None]] = {
            ".npz": lambda output, _progress: character.motion.save(output),
            ".mp4": lambda output, progress: _write_video(character, output, rate, model, progress),
            ".blend": lambda output, _progress: _write_blend(character, output, rate, options),
            ".json": lambda output, _progress: _write_table(character, output, float(rate)),
            ".csv": lambda output, _progress: _write_table(character, output, float(rate)),
        }
        for index, output in enumerate(outputs):
            share = part(progress, 0.4 + 0.6 * index / len(outputs), 0.4 + 0.6 * (index + 1) / len(outputs))
            share(0.0, f"Writing {output.name}")
            writers[output.suffix.lower()](output, share)


def _image_model(portrait: Portrait, style: str, device: str, weights: str | None = None) -> ImageModel | None:
    """The network of a portrait's photoreal frames, None where the mesh alone shall move it.

    Raises:
        InputError: there is no such device. MissingError: the weights that were asked for are not there.
    """
    asked = style == "photo" or weights is not None
    if style == "auto":
        from ..images.style import choose_style

        style, reason = choose_style(portrait.rgba, portrait.face.landmarks)
        _tell([reason])
    if style != "photo":
        return None
    from ..networks.image_inference import load_image

    try:
        return load_image(weights, device)
    except MissingError as error:
        if asked:
            raise
        _tell([f"Its frames are drawn by the mesh alone: {error}"])
        return None


def _write_video(
    character: Character, output: Path, rate: Fraction, model: ImageModel | None, progress: Progress
) -> None:
    from ..animation.resample import frame_count, resample
    from ..rendering.render_motion import moving_portrait
    from ..rendering.video import write_mp4

    audio = character.audio
    # As many frames as the sound is long, to the frame.
    motion = resample(character.motion, float(rate), frame_count(audio.seconds, float(rate)))
    with moving_portrait(character.mesh, character.portrait.rgba, motion, model) as (frames, size):
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
        lip=options.lip,
        head=options.head,
        blink=options.blink,
        smooth=options.smooth,
        style=options.style,
    )


def _write_table(character: Character, output: Path, fps: float) -> None:
    from ..animation.bake import bake_motion
    from ..jobs.export import write_csv, write_json

    write = write_csv if output.suffix.lower() == ".csv" else write_json
    write(output, character.motion, bake_motion(character.motion, character.mesh, fps))


def detect(options: Namespace) -> None:
    """`makeittalk detect`."""
    _check_output(options.output, (".json",))
    if options.overlay:
        _check_output(options.overlay, (".png",))
    from dataclasses import replace

    from ..jobs import animate as pipeline
    from ..landmarks.overlay import draw_overlay

    with _progress_bar() as progress, _work_folder() as folder:
        found = pipeline.find_face(options.portrait, folder, detector=options.detector, progress=progress)
        picture = options.output.with_name(f"{options.output.stem}.png")
        if picture.exists() and options.portrait.exists() and picture.samefile(options.portrait):
            # Never over the user's own picture.
            picture = options.output.with_name(f"{options.output.stem}-prepared.png")
        _deliver(found.face.image, picture)
        replace(found.face, image=picture.absolute()).save(options.output.absolute())
        if options.overlay:
            from PIL import Image

            with storage.replacing(options.overlay) as temporary:
                Image.fromarray(draw_overlay(found.rgba[..., :3], found.face.landmarks)).save(temporary)
        _tell(found.notices)


def predict(options: Namespace) -> None:
    """`makeittalk predict`."""
    _check_output(options.output, (".npz",))
    from ..animation.predict import PredictOptions, predict_motion
    from ..audio.loading import load_audio
    from ..exchange.formats import Face

    face = Face.load(options.face)
    audio = load_audio(options.audio)
    voice = load_audio(options.voice) if options.voice else None
    with _progress_bar() as progress:
        chosen = PredictOptions(seed=options.seed, device=options.device, weights=options.weights)
        motion = predict_motion(audio, face, chosen, voice, progress)
    motion.save(options.output)
    _tell(audio.notices)


def render(options: Namespace) -> None:
    """`makeittalk render`."""
    as_video = options.output.suffix.lower() == ".mp4"
    if as_video:
        _check_output(options.output, (".mp4",))
    else:
        if options.output.suffix and not options.output.is_dir():
            _check_output(options.output, (".mp4",))
        if options.output.exists() and not options.output.is_dir():
            raise OutputError(f"{options.output} is a file.", "Name a folder for the pictures, or an .mp4.")
        _check_folder(options.output.absolute().parent, options.output)
    from ..exchange.rates import exact_rate
    from ..landmarks.landmark_motion import load_motion

    motion = load_motion(options.motion)
    rate = exact_rate(options.fps) if options.fps else exact_rate(motion.fps if motion.fps <= 60.0 else 25)
    from ..animation.resample import frame_count, resample
    from ..audio.loading import load_audio
    from ..jobs.animate import face_for_motion
    from ..mesh.build import build_mesh
    from ..rendering.render_motion import moving_portrait
    from ..rendering.video import write_mp4, write_pngs

    audio = load_audio(options.audio) if options.audio else None
    with _progress_bar() as progress, _work_folder() as folder:
        share = part(progress, 0.0, 0.2)
        portrait, motion = face_for_motion(options.portrait, motion, folder, options.detector, share)
        _tell(portrait.notices)
        mesh = build_mesh(portrait.face, portrait.rgba)
        model = _image_model(portrait, options.style, options.device, options.weights)
        # Landmarks alone, of this picture's size: they were seen, and stay where they were seen.
        filmed = motion.parts is None and motion.image_size is not None
        shown = resample(motion, float(rate), frame_count(audio.seconds, float(rate)) if audio else None)
        with moving_portrait(mesh, portrait.rgba, shown, model, filmed) as (frames, size):
            share = part(progress, 0.2, 1.0)
            if as_video:
                write_mp4(options.output, frames, rate, size, audio, share, total=shown.frames)
            else:
                write_pngs(options.output, frames, share, total=shown.frames)


def track(options: Namespace) -> None:
    """`makeittalk track`."""
    _check_output(options.output, (".npz",))
    from ..landmarks.tracking import reference_motion

    with _progress_bar() as progress:
        motion = reference_motion(options.video, progress)
    motion.save(options.output)


def evaluate(options: Namespace) -> None:
    """`makeittalk evaluate`."""
    if options.plot:
        _check_output(options.plot, (".png",))
    pair = options.predicted is not None and options.reference is not None
    asked = [pair, options.folder is not None, options.voices is not None, options.films is not None]
    if sum(asked) != 1 or (options.predicted is None) != (options.reference is None):
        raise InputError(
            "Evaluate needs a predicted and a reference file, or a folder after --set, --voices or --films.",
            "Give one of them.",
        )
    if (options.image or options.count or options.sheet) and not options.films:
        raise InputError("--image, --count and --sheet need --films.", "Give the folder after --films.")
    if options.sheet:
        _check_output(options.sheet, (".png",))
    if (options.without or options.said_by) and options.folder is None:
        raise InputError("--without and --said-by need --set.", "Give the folder after --set.")
    if options.without and (options.plot or options.said_by):
        raise InputError("--without goes neither with --plot nor with --said-by.", "Run the command twice.")
    from makeittalk_lab.evaluation import report

    from ..networks.device import choose_device

    with _progress_bar() as progress:
        more: dict[str, Any] = {
            "weights": options.weights,
            "progress": progress,
            "device": choose_device(options.device),
            "plot": options.plot,
            "seed": options.seed,
        }
        if pair:
            from makeittalk_lab.evaluation.evaluate import evaluate_pair, plot_pair

            from ..landmarks.landmark_motion import load_motion

            predicted, reference = load_motion(options.predicted), load_motion(options.reference)
            result = evaluate_pair(predicted, reference)
            if options.plot:
                plot_pair(predicted, reference, options.plot)
        elif options.films:
            from makeittalk_lab.evaluation.reenactment import evaluate_films

            from ..networks.image_inference import load_image

            names = options.image or ["image"]
            models = {Path(name).stem: load_image(name, more["device"]) for name in names}
            result = evaluate_films(options.films, models, options.count, options.sheet, progress)
        elif options.voices:
            from makeittalk_lab.evaluation.recordings import evaluate_recordings

            result = evaluate_recordings(options.voices, held_out=options.held_out, **more)
        elif options.without:
            from makeittalk_lab.evaluation.ablation import MEL_WEIGHTS, PARTS, ablate

            parts = list(PARTS) if options.without == "all" else [options.without]
            del more["plot"]
            result = ablate(options.folder, parts, mel_weights=options.mel_weights or MEL_WEIGHTS, **more)
        else:
            from makeittalk_lab.evaluation.evaluate import evaluate_set

            if options.said_by:
                from makeittalk_lab.evaluation.cross_voice import OtherVoices

                more["voices"] = OtherVoices(options.said_by, device=more["device"])
            result = evaluate_set(options.folder, **more)
    print(json.dumps(result, indent=1) if options.json else report.table(result))


def _mouth(options: Namespace) -> tuple[Path, Path]:
    """Prepared clips of a filmed speaker and the films they came from, for voices that were not filmed.

    Raises:
        InputError: one is not named.
    """
    if options.grid is None or options.films is None:
        raise InputError(
            f"Prepare {options.kind} needs the mouth of a filmed speaker.",
            "Name prepared GRID clips with --grid and the folder they came from with --films.",
        )
    return options.grid, options.films


def prepare(options: Namespace) -> None:
    """`makeittalk prepare`."""
    if options.kind not in ("spoken", "renders") and not options.source.is_dir():
        raise InputError(f"{options.source} is not a folder.", "Name the corpus' folder.")
    _check_folder(options.dest.absolute().parent, options.dest)
    with _progress_bar() as progress:
        if options.kind == "grid":
            from makeittalk_lab.prepare.grid import prepare_grid

            prepared = prepare_grid(options.source, options.dest, progress)
        elif options.kind == "librispeech":
            from makeittalk_lab.prepare.librispeech import prepare_librispeech

            prepared = prepare_librispeech(options.source, options.dest, *_mouth(options), progress)
        elif options.kind == "tts":
            if options.grid is None:
                raise InputError(
                    "Prepare tts needs the mouth of a filmed speaker.", "Name prepared GRID clips with --grid."
                )
            from makeittalk_lab.prepare.tts import prepare_tts

            prepared = prepare_tts(options.source, options.dest, options.grid, progress)
        elif options.kind == "spoken":
            from makeittalk_lab.prepare.spoken import prepare_spoken

            prepared = prepare_spoken(options.source, options.dest, *_mouth(options), progress)
        elif options.kind in ("voices", "vctk"):
            from makeittalk_lab.prepare.voices import prepare_voices

            prepared = prepare_voices(options.source, options.dest, options.phones, options.like, progress)
        elif options.kind == "phones":
            from makeittalk_lab.data.phone_files import prepare_phones

            prepared = prepare_phones(options.source, options.dest, progress)
        elif options.kind == "heads":
            from makeittalk_lab.prepare.heads import prepare_heads

            prepared = prepare_heads(options.source, options.dest, progress, speakers=options.speakers)
        elif options.kind == "frames":
            from makeittalk_lab.prepare.frames import prepare_frames

            prepared = prepare_frames(options.source, options.dest, progress, count=options.clips)
        elif options.kind == "renders":
            from makeittalk_lab.synthetic.face_renders import prepare_renders

            prepared = prepare_renders(options.source, options.dest, progress, count=options.count)
        elif options.kind == "voxceleb2":
            from makeittalk_lab.prepare.voxceleb2 import prepare_voxceleb2

            prepared = prepare_voxceleb2(options.source, options.dest, progress, options.speakers, options.clips)
        else:
            from makeittalk_lab.prepare.facegood import prepare_facegood

            prepared = prepare_facegood(options.source, options.dest, progress)
    print(f"{len(prepared.train)} clips to train, {len(prepared.validation)} to validate, {len(prepared.test)} to test")
    for name, reason in prepared.skipped.items():
        print(f"left out {name}: {reason}", file=sys.stderr)


def train(options: Namespace) -> None:
    """`makeittalk train`."""
    if options.plot:
        _check_output(options.plot, (".png",))
    from importlib import import_module

    from makeittalk_lab.training.config import load_toml
    from makeittalk_lab.training.log import Log

    log = Log(os.path.expanduser(str(load_toml(options.config).get("out", ""))))
    asked = {"accelerator": options.device, "devices": options.devices, "precision": options.precision}
    overrides = {key: value for key, value in asked.items() if value is not None}
    learn = getattr(import_module(f"makeittalk_lab.training.{options.network}"), f"train_{options.network}")
    if os.environ.get("LOCAL_RANK", "0") != "0":  # started by Lightning Fabric for another device of the same run
        learn(options.config, silent, **overrides)
        return
    with _progress_bar() as progress:
        try:
            learn(options.config, _drawing(progress, log, options.plot) if options.plot else progress, **overrides)
        finally:
            if options.plot and log.read():
                log.plot(options.plot)


def _drawing(progress: Progress, log: Log, target: Path) -> Progress:
    """A progress that also draws the log once a minute."""
    drawn = time.monotonic()

    def report(fraction: float, stage: str) -> None:
        nonlocal drawn
        progress(fraction, stage)
        if time.monotonic() - drawn > _REDRAW:
            log.plot(target)
            drawn = time.monotonic()

    return report


def voice_convert(options: Namespace) -> None:
    """`makeittalk voice-convert`."""
    _check_output(options.output, (".wav",))
    from ..audio.loading import load_audio, write_wav
    from ..exchange.constants import SAMPLE_RATE
    from ..networks.device import choose_device
    from ..networks.voice_inference import say_as

    audio, other = load_audio(options.audio), load_audio(options.to)
    with _progress_bar() as progress:
        sound = say_as(audio, other, choose_device(options.device), options.weights, progress)
    write_wav(options.output, sound, SAMPLE_RATE)
    _tell(audio.notices)


def weights(options: Namespace) -> None:
    """`makeittalk weights`."""
    from ..weights.store import list_weights, verify_weights

    if options.action == "verify":
        verify_weights()
    for entry in list_weights():
        print(entry)


def serve(_options: Namespace) -> int:
    """`makeittalk serve`."""
    from ..jobs import server

    return server.serve()


def doctor(_options: Namespace) -> int:
    """`makeittalk doctor`."""
    from .doctor import examine

    return examine()
