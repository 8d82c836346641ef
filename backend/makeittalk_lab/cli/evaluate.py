"""`makeittalk evaluate`: predictions measured against filmed faces."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from makeittalk.cli import arguments
from makeittalk.cli.command import Command
from makeittalk.cli.output import check_apart, check_file
from makeittalk.cli.terminal import progress_bar
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress


def add_arguments(parser: ArgumentParser) -> None:
    """What is measured, with which weights, and how the figures are shown."""
    parser.add_argument("predicted", type=Path, nargs="?", metavar="PREDICTED.NPZ")
    parser.add_argument("reference", type=Path, nargs="?", metavar="REFERENCE.NPZ")
    parser.add_argument("--set", dest="folder", type=Path, help="prepared folder whose test clips are predicted")
    parser.add_argument(
        "--said-by", type=Path, metavar="FOLDER", help="of --set: its clips converted to the voices of recordings"
    )
    parser.add_argument("--voices", type=Path, metavar="FOLDER", help="folder of recordings without faces")
    parser.add_argument(
        "--held-out", action="store_true", help="of --voices only the speakers that no network learns from"
    )
    parser.add_argument("--languages", type=Path, metavar="FOLDER", help="made by prepare languages")
    parser.add_argument("--films", type=Path, metavar="FOLDER", help="films to make again from their first frames")
    parser.add_argument(
        "--image", action="append", metavar="SET", help="of --films: weights of an image network; may be repeated"
    )
    parser.add_argument(
        "--people", nargs="+", default=[], metavar="NAME", help="of --films: only NAME_*.mp4, each person's mean"
    )
    text = "of --films: only so many, of each person where --people names them"
    parser.add_argument("--count", type=arguments.count, default=0, metavar="N", help=text)
    text = "of --films: the portrait is the first frame (default), or the one that is most shut early on"
    parser.add_argument("--portrait", choices=("first", "shut"), help=text)
    parser.add_argument("--inside", metavar="FILE", help="of --films: weights of a network of the mouth's inside")
    parser.add_argument("--mouth", action="store_true", help="of --films: also what is seen inside the mouth")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="of --films: also draw some of the frames")
    arguments.add_weights(parser)
    parser.add_argument(
        "--without",
        choices=("whisper", "content", "speaker", "all"),
        help="of --set: the ablations, one part of the method left out, or each in turn",
    )
    parser.add_argument(
        "--autovc-weights", metavar="SET", help="for --without whisper: content weights that hear voice conversion"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments.add_seed(parser)
    arguments.add_device(parser)
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also plot the opening and the head over time")


def run(options: Namespace) -> None:
    """Measures the one thing that was named, and prints the figures."""
    _check(options)
    from makeittalk.networks.device import choose_device

    from ..evaluation import report

    with progress_bar() as progress:
        more = {"weights": options.weights, "device": choose_device(options.device), "seed": options.seed}
        if options.films:
            result = _films(options, more["device"], progress)
        elif options.languages:
            from ..evaluation.languages import evaluate_languages

            result = evaluate_languages(options.languages, progress=progress, **more)
        elif options.voices:
            from ..evaluation.recordings import evaluate_recordings

            result = evaluate_recordings(
                options.voices, held_out=options.held_out, plot=options.plot, progress=progress, **more
            )
        elif options.without:
            result = _ablation(options, progress, **more)
        elif options.folder:
            result = _set(options, progress, **more)
        else:
            result = _pair(options)
    print(json.dumps(result, indent=1) if options.json else report.table(result))
    for name, reason in result.get("skipped", {}).items():
        print(f"left out {name}: {reason}", file=sys.stderr)


def _check(options: Namespace) -> None:
    """Sees to it that exactly one thing is to be measured, and that the options go with it.

    Raises:
        InputError: they do not. OutputError: a picture cannot be written where it is asked for.
    """
    if options.plot:
        check_file(options.plot, (".png",))
    pair = options.predicted is not None and options.reference is not None
    named = [options.folder, options.voices, options.languages, options.films]
    asked = [pair, *(folder is not None for folder in named)]
    if sum(asked) != 1 or (options.predicted is None) != (options.reference is None):
        raise InputError(
            "Evaluate needs two motions, or a folder after --set, --voices, --languages or --films.",
            "Give one of them.",
        )
    of_films = {
        name: getattr(options, name) for name in ("image", "inside", "people", "count", "portrait", "mouth", "sheet")
    }
    if any(of_films.values()) and not options.films:
        asked_for = next(name for name, value in of_films.items() if value)
        raise InputError(f"--{asked_for} needs --films.", "Give the folder after --films.")
    if options.sheet:
        check_file(options.sheet, (".png",))
    if (options.without or options.said_by) and options.folder is None:
        raise InputError("--without and --said-by need --set.", "Give the folder after --set.")
    if options.without and (options.plot or options.said_by):
        raise InputError("--without goes neither with --plot nor with --said-by.", "Run the command twice.")
    if options.plot and options.languages:
        raise InputError("--plot does not go with --languages.", "Leave it out.")
    networks = [options.weights, options.autovc_weights, *(options.image or [])]
    check_apart(
        [options.plot, options.sheet], [options.predicted, options.reference, options.said_by, *named, *networks]
    )


def _pair(options: Namespace) -> dict[str, Any]:
    from makeittalk.landmarks.landmark_motion import load_motion

    from ..evaluation.evaluate import evaluate_pair, plot_pair

    predicted, reference = load_motion(options.predicted), load_motion(options.reference)
    result = evaluate_pair(predicted, reference)
    if options.plot:
        plot_pair(predicted, reference, options.plot)
    return result


def _films(options: Namespace, device: str, progress: Progress) -> dict[str, Any]:
    from makeittalk.networks.image_inference import load_image

    from ..evaluation.reenactment import evaluate_films

    models = {Path(name).stem: load_image(name, device, options.inside) for name in options.image or ["image"]}
    return evaluate_films(
        options.films,
        models,
        options.count,
        options.sheet,
        progress,
        people=options.people,
        portrait=options.portrait or "first",
        mouth=options.mouth,
    )


def _ablation(options: Namespace, progress: Progress, **more: Any) -> dict[str, Any]:
    from ..evaluation.ablation import PARTS, ablate

    parts = list(PARTS) if options.without == "all" else [options.without]
    return ablate(options.folder, parts, autovc_weights=options.autovc_weights, progress=progress, **more)


def _set(options: Namespace, progress: Progress, **more: Any) -> dict[str, Any]:
    from ..evaluation.evaluate import evaluate_set

    if options.said_by:
        from ..evaluation.cross_voice import CrossVoice

        more["cross_voice"] = CrossVoice(options.said_by, device=more["device"])
    return evaluate_set(options.folder, plot=options.plot, progress=progress, **more)


COMMAND = Command("evaluate", "measure predictions against filmed faces", run, add_arguments)
