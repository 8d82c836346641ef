"""The command line: arguments in, one of `commands` run, exit status and at most one sentence out."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ..exchange.errors import Cancelled, InputError, MakeItTalkError
from ..exchange.version import VERSION

AUDIO_HELP = "recording: any format libsndfile or FFmpeg reads, videos with sound too"


class _Parser(argparse.ArgumentParser):
    """argparse whose complaints are one sentence, as every other error here."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise InputError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: what follows the program's name, `sys.argv` by default.

    Returns:
        0 on success, 2 for a bad input, 130 when interrupted, 1 for a fault of the program.
    """
    # A terminal's end stops the work as Ctrl-C does, so that nothing half-written stays.
    with contextlib.suppress(ValueError):  # not the main thread: the caller handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options = parser().parse_args(arguments)
        from . import animate as commands

        return getattr(commands, options.command.replace("-", "_"))(options) or 0
    except (Cancelled, KeyboardInterrupt):
        return _complain("Interrupted.", 130)
    except MakeItTalkError as error:
        return _complain(str(error), error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader has gone; the interpreter must not complain again
        return 1
    except MemoryError:
        return _complain("The machine ran out of memory.", 1)
    except Exception as error:
        if os.environ.get("MAKEITTALK_DEBUG"):
            raise
        return _complain(f"Internal error: {type(error).__name__}: {error} (MAKEITTALK_DEBUG=1 shows where).", 1)


def _complain(sentence: str, status: int) -> int:
    print(f"makeittalk: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """The command line's grammar (design, Command line)."""
    root = _Parser(prog="makeittalk", description="A portrait and a voice become a talking character.")
    root.add_argument("--version", action="version", version=f"makeittalk {VERSION}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    animate = commands.add_parser("animate", help="make a talking character from a portrait and a recording")
    animate.add_argument("portrait", type=Path, help="picture of a face: photo, painting or cartoon")
    animate.add_argument("audio", type=Path, help=AUDIO_HELP)
    _output(animate, "file to write, by suffix: .mp4 .blend .npz .json .csv; may be given several times", many=True)
    _style(animate)
    _rate(animate, "25")
    for name, what in (("lip", "lip motion"), ("head", "head motion"), ("blink", "blinks"), ("smooth", "smoothing")):
        animate.add_argument(f"--{name}", type=_amount, default=1.0, help=f"amount of {what} (default 1)")
    animate.add_argument("--landmarks", type=Path, metavar="FACE.JSON", help="corrected landmarks instead of detection")
    animate.add_argument("--blender", default="", metavar="EXECUTABLE", help="Blender that writes the .blend")
    animate.add_argument(
        "--own-mouth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep what the portrait shows inside an open mouth (default), or draw teeth and tongue",
    )
    _detector(animate)
    _prediction(animate)

    detect = commands.add_parser("detect", help="find the landmarks of a portrait")
    detect.add_argument("portrait", type=Path)
    _output(detect, "face.json to write; the prepared picture is put beside it")
    detect.add_argument("--overlay", type=Path, metavar="PNG", help="also draw the landmarks over the picture")
    _detector(detect)

    predict = commands.add_parser("predict", help="predict the motion of a face from a recording")
    predict.add_argument("audio", type=Path, help=AUDIO_HELP)
    predict.add_argument("--face", type=Path, required=True, metavar="FACE.JSON", help="made by detect")
    _output(predict, "motion.npz to write")
    _prediction(predict)

    render = commands.add_parser("render", help="draw a motion as a video or a folder of pictures")
    render.add_argument("portrait", type=Path)
    render.add_argument("motion", type=Path, metavar="MOTION.NPZ")
    _output(render, ".mp4 file, or a folder for PNG pictures")
    _style(render)
    render.add_argument("--audio", type=Path, help="sound of the video")
    render.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    render.add_argument(
        "--weights", default=None, metavar="SET", help="of the network of photoreal frames (default: image)"
    )
    _rate(render, None)
    _detector(render)

    track = commands.add_parser("track", help="follow a filmed face: reference motion")
    track.add_argument("video", type=Path)
    _output(track, "motion.npz to write")

    evaluate = commands.add_parser("evaluate", help="measure predictions against filmed faces")
    evaluate.add_argument("predicted", type=Path, nargs="?", metavar="PREDICTED.NPZ")
    evaluate.add_argument("reference", type=Path, nargs="?", metavar="REFERENCE.NPZ")
    evaluate.add_argument("--set", dest="folder", type=Path, help="prepared folder whose test clips are predicted")
    evaluate.add_argument(
        "--said-by", type=Path, metavar="FOLDER", help="of --set: its clips converted to the voices of recordings"
    )
    evaluate.add_argument("--voices", type=Path, metavar="FOLDER", help="folder of recordings without faces")
    evaluate.add_argument(
        "--held-out", action="store_true", help="of --voices only the speakers that no network learns from"
    )
    evaluate.add_argument("--films", type=Path, metavar="FOLDER", help="films to make again from their first frames")
    evaluate.add_argument(
        "--image", action="append", metavar="SET", help="of --films: weights of an image network; may be repeated"
    )
    evaluate.add_argument("--count", type=_count, default=0, metavar="N", help="of --films: only so many")
    evaluate.add_argument("--sheet", type=Path, metavar="PNG", help="of --films: also draw some of the frames")
    evaluate.add_argument("--weights", default=None, metavar="SET", help="set of weights (default: the shipped one)")
    evaluate.add_argument(
        "--without",
        choices=("voice", "content", "speaker", "all"),
        help="of --set: the ablations, one part of the method left out, or each in turn",
    )
    evaluate.add_argument(
        "--mel-weights", metavar="SET", help="for --without voice: content weights that learned from the mel"
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of a table")
    evaluate.add_argument("--seed", type=_seed, default=0, help="another number gives another head motion")
    evaluate.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    evaluate.add_argument("--plot", type=Path, metavar="PNG", help="also plot the opening and the head over time")

    prepare = commands.add_parser("prepare", help="turn a corpus into clips to learn from")
    prepare.add_argument(
        "kind",
        choices=(
            "grid",
            "facegood",
            "librispeech",
            "tts",
            "spoken",
            "voices",
            "vctk",
            "heads",
            "voxceleb2",
            "phones",
            "frames",
            "renders",
        ),
    )
    prepare.add_argument("source", type=Path)
    prepare.add_argument("dest", type=Path)
    prepare.add_argument(
        "--grid", type=Path, metavar="PREPARED", help="librispeech, tts, spoken: prepared GRID clips to move like"
    )
    prepare.add_argument(
        "--films", type=Path, metavar="FOLDER", help="librispeech, spoken: the GRID folder they came from"
    )
    prepare.add_argument("--phones", type=Path, metavar="FOLDER", help="voices: phone times, a JSON a recording")
    prepare.add_argument("--like", type=Path, metavar="PREPARED", help="voices: one speaker, split as these clips")
    prepare.add_argument("--speakers", type=int, default=0, metavar="N", help="heads, voxceleb2: only so many")
    prepare.add_argument(
        "--clips", type=int, default=0, metavar="N", help="frames: so many; voxceleb2: the best of each speaker"
    )
    prepare.add_argument("--count", type=_count, default=600, metavar="N", help="renders: takes, each of another head")

    train = commands.add_parser("train", help="train a network")
    train.add_argument("network", choices=("voice", "content", "speaker", "closure", "image"))
    train.add_argument("config", type=Path, help="TOML file, see training/configs")
    train.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="instead of the file's accelerator")
    train.add_argument("--devices", metavar="N", help="how many of them, or auto for all")
    train.add_argument("--precision", metavar="P", help="32-true, bf16-mixed, 16-mixed … or auto")
    train.add_argument("--plot", type=Path, metavar="PNG", help="also draw losses and validation, again every minute")

    convert = commands.add_parser("voice-convert", help="hear what voice conversion keeps of a recording")
    convert.add_argument("audio", type=Path, help=AUDIO_HELP)
    convert.add_argument("--to", type=Path, required=True, metavar="OTHER", help="recording of who shall say it")
    _output(convert, ".wav file to write")
    convert.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    convert.add_argument("--weights", default="voice", metavar="SET", help="of voice conversion (default: voice)")

    weights = commands.add_parser("weights", help="what the networks know")
    weights.add_argument("action", choices=("list", "verify"))

    commands.add_parser("serve", help="speak the add-on's protocol on standard input and output")
    commands.add_parser("doctor", help="say what works on this machine and what does not")
    return root


def _output(command: argparse.ArgumentParser, text: str, many: bool = False) -> None:
    command.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help=text, **({"action": "append"} if many else {})
    )


def _style(command: argparse.ArgumentParser) -> None:
    text = "drawn by the mesh alone, or photoreal with a network that repairs the face (default: as the picture is)"
    command.add_argument("--style", choices=("auto", "cartoon", "photo"), default="auto", help=text)


def _rate(command: argparse.ArgumentParser, default: str | None) -> None:
    text = f"default {default}" if default else "default: the motion's own up to 60, else 25"
    command.add_argument("--fps", default=default, metavar="F", help=f"frames a second, 29.97 is exact ({text})")


def _detector(command: argparse.ArgumentParser) -> None:
    command.add_argument("--detector", choices=("auto", "mediapipe", "face-alignment"), default="auto")


def _prediction(command: argparse.ArgumentParser) -> None:
    command.add_argument("--voice", type=Path, metavar="OTHER_AUDIO", help="take the manner of another recording")
    command.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    command.add_argument("--seed", type=_seed, default=0, help="another number gives another head motion")
    command.add_argument("--weights", default=None, metavar="SET", help="set of weights (default: the shipped one)")


def _amount(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 4.0:  # also refuses nan
        raise argparse.ArgumentTypeError(f"an amount is between 0 and 4, not {text}")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 on, not {text}")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {text}")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
