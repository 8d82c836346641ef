"""`makeittalk prepare`: a corpus turned into clips to learn from."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from makeittalk.cli import arguments
from makeittalk.cli.command import Command
from makeittalk.cli.output import check_apart, check_parent
from makeittalk.cli.terminal import progress_bar
from makeittalk.exchange.errors import InputError

from ..prepare.corpora import CORPORA, Request

_SHOWN = 40  # of what was left out


def add_arguments(parser: ArgumentParser) -> None:
    """A kind of corpus, where it is, where the clips go, and what some kinds need besides."""
    parser.add_argument("kind", choices=tuple(CORPORA))
    parser.add_argument("source", type=Path, nargs="?", help="the corpus; none for languages, which are synthesised")
    parser.add_argument("dest", type=Path)
    parser.add_argument(
        "--grid", type=Path, metavar="PREPARED", help="librispeech, tts, spoken: prepared GRID clips to move like"
    )
    parser.add_argument(
        "--films", type=Path, metavar="FOLDER", help="librispeech, spoken: the GRID folder they came from"
    )
    parser.add_argument("--phones", type=Path, metavar="FOLDER", help="voices, vctk: phone times, a JSON a recording")
    parser.add_argument(
        "--like", type=Path, metavar="PREPARED", help="voices: one speaker, frames: its films; split as these clips"
    )
    parser.add_argument("--speakers", type=int, default=0, metavar="N", help="heads, vctk, voxceleb2: only so many")
    parser.add_argument(
        "--clips",
        type=int,
        default=0,
        metavar="N",
        help="grid, obama, frames, mouth-frames: so many films; voxceleb2: the best of each speaker",
    )
    parser.add_argument(
        "--count", type=arguments.count, default=600, metavar="N", help="renders, mouths: clips, each of another head"
    )
    parser.add_argument(
        "--portraits", type=arguments.count, default=1, metavar="N", help="mouth-frames: so many of each film"
    )
    parser.add_argument(
        "--workers",
        type=arguments.count,
        default=0,
        metavar="N",
        help="grid, voices, vctk, obama, voxceleb2, frames, mouth-frames: processes, as many as there are cores",
    )


def run(options: Namespace) -> None:
    """Writes the clips and says how many there are, and which were left out."""
    corpus = CORPORA[options.kind]
    if corpus.from_nothing != (options.source is None):
        raise InputError(
            f"Prepare {corpus.name} takes {'one folder' if corpus.from_nothing else 'a corpus and a folder'}.",
            f"Say makeittalk prepare {corpus.name} {'DEST' if corpus.from_nothing else 'SOURCE DEST'}.",
        )
    if not corpus.from_nothing and not corpus.from_file and not options.source.is_dir():
        raise InputError(f"{options.source} is not a folder.", "Name the corpus' folder.")
    check_parent(options.dest)
    request = Request(
        source=options.source or options.dest,
        dest=options.dest,
        grid=options.grid,
        films=options.films,
        phones=options.phones,
        like=options.like,
        speakers=options.speakers,
        clips=options.clips,
        count=options.count,
        portraits=options.portraits,
        workers=options.workers,
    )
    check_apart([request.dest], [options.source, request.grid, request.films, request.phones, request.like])
    with progress_bar() as progress:
        prepared = corpus.prepare(request, progress)
    print(f"{len(prepared.train)} clips to train, {len(prepared.validation)} to validate, {len(prepared.test)} to test")
    from ..prepare.campaign import LEFT_OUT

    skipped = list(prepared.skipped.items())
    for name, reason in skipped[:_SHOWN]:
        print(f"left out {name}: {reason}", file=sys.stderr)
    if len(skipped) > _SHOWN:
        print(f"left out {len(skipped) - _SHOWN} more: see {request.dest / LEFT_OUT}", file=sys.stderr)


COMMAND = Command("prepare", "turn a corpus into clips to learn from", run, add_arguments)
