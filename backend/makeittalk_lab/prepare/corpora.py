"""The corpora of `makeittalk prepare` by their names; a module reads each, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress

if TYPE_CHECKING:
    from ..data.clips import Prepared


@dataclass(frozen=True)
class Request:
    """What the command line asks for; a corpus takes what it needs of it.

    Attributes:
        source: the corpus, or `dest` again where a kind needs none. dest: the folder of clips to write. grid: prepared
            clips of a filmed speaker, whose mouth those move like who were not filmed. films: the folder that
            speaker's clips came from. phones: phone times, a JSON a recording. like: prepared clips whose split is
            taken. speakers, clips: so many, 0 for all. count: how many clips are rendered.
        portraits: so many frames of a film become a portrait each. workers: processes, 0 for as many as there are
            cores, of corpora that are prepared by a `campaign`.
    """

    source: Path
    dest: Path
    workers: int = 0
    grid: Path | None = None
    films: Path | None = None
    phones: Path | None = None
    like: Path | None = None
    speakers: int = 0
    clips: int = 0
    count: int = 600
    portraits: int = 1


@dataclass(frozen=True)
class Corpus:
    """A kind of source.

    Attributes:
        name: as it is typed. prepare: reads the source and writes the clips. from_file: the source may be a file.
        from_nothing: there is no source.
    """

    name: str
    prepare: Callable[[Request, Progress], Prepared]
    from_file: bool = False
    from_nothing: bool = False


def _grid(request: Request, progress: Progress) -> Prepared:
    from .grid import prepare_grid

    return prepare_grid(request.source, request.dest, progress, request.clips, workers=request.workers)


def _facegood(request: Request, progress: Progress) -> Prepared:
    from .facegood import prepare_facegood

    return prepare_facegood(request.source, request.dest, progress)


def _librispeech(request: Request, progress: Progress) -> Prepared:
    mouth = _mouth("librispeech", request)
    from .librispeech import prepare_librispeech

    return prepare_librispeech(request.source, request.dest, *mouth, progress)


def _tts(request: Request, progress: Progress) -> Prepared:
    if request.grid is None:
        raise InputError("Prepare tts needs the mouth of a filmed speaker.", "Name prepared GRID clips with --grid.")
    from .tts import prepare_tts

    return prepare_tts(request.source, request.dest, request.grid, progress)


def _spoken(request: Request, progress: Progress) -> Prepared:
    mouth = _mouth("spoken", request)
    from .spoken import prepare_spoken

    return prepare_spoken(request.source, request.dest, *mouth, progress)


def _languages(request: Request, progress: Progress) -> Prepared:
    from .languages import prepare_languages

    return prepare_languages(request.dest, progress)


def _voices(request: Request, progress: Progress) -> Prepared:
    from .voices import prepare_voices

    return prepare_voices(request.source, request.dest, request.phones, request.like, progress, request.workers)


def _vctk(request: Request, progress: Progress) -> Prepared:
    from .vctk import prepare_vctk

    return prepare_vctk(request.source, request.dest, request.phones, progress, request.speakers, request.workers)


def _obama(request: Request, progress: Progress) -> Prepared:
    from .obama import prepare_obama

    return prepare_obama(request.source, request.dest, progress, request.clips, workers=request.workers)


def _heads(request: Request, progress: Progress) -> Prepared:
    from .heads import prepare_heads

    return prepare_heads(request.source, request.dest, progress, speakers=request.speakers)


def _voxceleb2(request: Request, progress: Progress) -> Prepared:
    from .voxceleb2 import prepare_voxceleb2

    return prepare_voxceleb2(
        request.source, request.dest, progress, request.speakers, request.clips, workers=request.workers
    )


def _phones(request: Request, progress: Progress) -> Prepared:
    from ..data.phone_files import prepare_phones

    return prepare_phones(request.source, request.dest, progress)


def _frames(request: Request, progress: Progress) -> Prepared:
    from .frames import prepare_frames

    return prepare_frames(
        request.source, request.dest, progress, count=request.clips, like=request.like, workers=request.workers
    )


def _renders(request: Request, progress: Progress) -> Prepared:
    from ..prepare.renders import prepare_renders

    return prepare_renders(request.source, request.dest, progress, count=request.count)


def _mouths(request: Request, progress: Progress) -> Prepared:
    from .mouths import prepare_mouths

    return prepare_mouths(request.source, request.dest, progress, count=request.count)


def _mouth_frames(request: Request, progress: Progress) -> Prepared:
    from .mouth_frames import prepare_mouth_frames

    return prepare_mouth_frames(
        request.source, request.dest, progress, request.clips, request.portraits, workers=request.workers
    )


def _mouth(name: str, request: Request) -> tuple[Path, Path]:
    """Prepared clips of a filmed speaker and the films they came from, for voices that were not filmed.

    Raises:
        InputError: one is not named.
    """
    if request.grid is None or request.films is None:
        raise InputError(
            f"Prepare {name} needs the mouth of a filmed speaker.",
            "Name prepared GRID clips with --grid and the folder they came from with --films.",
        )
    return request.grid, request.films


CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus("grid", _grid),
        Corpus("facegood", _facegood),
        Corpus("librispeech", _librispeech),
        Corpus("tts", _tts),
        Corpus("spoken", _spoken, from_file=True),
        Corpus("languages", _languages, from_nothing=True),
        Corpus("voices", _voices),
        Corpus("vctk", _vctk),
        Corpus("obama", _obama),
        Corpus("heads", _heads),
        Corpus("voxceleb2", _voxceleb2),
        Corpus("phones", _phones),
        Corpus("frames", _frames),
        Corpus("renders", _renders, from_file=True),
        Corpus("mouths", _mouths),
        Corpus("mouth-frames", _mouth_frames),
    )
}
