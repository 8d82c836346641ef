"""Self-reenactment: one frame of a film as the portrait, the film's other landmarks as its motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.exchange.progress import Progress, part, silent
from makeittalk.images.face_crop import FaceCrop
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.tracking import Track, track_video
from makeittalk.networks.image_inference import ImageModel
from makeittalk.rendering.render_motion import motion_frames
from PIL import Image

from ..data.clips import listed_test
from ..data.films import films_in, read_film
from ..synthetic.film_characters import film_character
from .mouth_metrics import mouth_scores, shut_frame, speaking_stretch, still_mouth, still_scores
from .picture_metrics import compare, face_box, mouth_box
from .report import mean_metrics

PORTRAITS = ("first", "shut")  # which frame of a film is the portrait
_LABEL = 20  # px above the columns of a contact sheet


@dataclass
class Reenactment:
    """A film made again from one of its frames.

    Attributes:
        name: of the film. truth: (N, H, W, 3) uint8 RGB, the film's frames. landmarks: (N, 68, 3) px.
        made: the same frames as each way makes them: "portrait" (unchanged), "warp" (the mesh alone) and one for
            each network.
        mouths: for each way what `mouth_metrics` finds, where it was asked for.
    """

    name: str
    truth: np.ndarray
    landmarks: np.ndarray
    made: dict[str, np.ndarray]
    mouths: dict[str, dict[str, float]] = field(default_factory=dict)

    def scores(self) -> dict[str, dict[str, float]]:
        """PSNR (dB) and SSIM in mouth and face box, the mean over the frames, and `mouths`, for each way."""
        rows: dict[str, dict[str, float]] = {}
        for way, frames in self.made.items():
            values = []
            for frame, truth, points in zip(frames, self.truth, self.landmarks, strict=True):
                boxes = {"mouth": mouth_box(points), "face": face_box(points)}
                found = {name: compare(frame, truth, box) for name, box in boxes.items()}
                values.append(
                    {f"{name} {metric}": value for name, pair in found.items() for metric, value in pair.items()}
                )
            rows[way] = {name: float(np.mean([value[name] for value in values])) for name in values[0]}
            rows[way] |= self.mouths.get(way, {})
        return rows

    def row(self, moment: int, size: int = 192) -> np.ndarray:
        """The face's square (size, columns · size, 3) of every way and of the film at one moment."""
        crop = FaceCrop.of(self.landmarks[0])
        shown = [frames[moment] for frames in self.made.values()] + [self.truth[moment]]
        return np.hstack([crop.take(picture, size) for picture in shown])


def reenact(
    name: str,
    pictures: np.ndarray,
    landmarks: np.ndarray,
    models: Mapping[str, ImageModel],
    first: int = 0,
    step: int = 3,
    mouth: bool = False,
) -> Reenactment:
    """Makes a film again from one of its frames.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px. models: networks by name.
        first: the frame that is the portrait. step: every which frame is made and compared.
        mouth: whether the mouth's inside is measured as well, for which consecutive frames are made.

    Raises:
        InputError: the face cannot be meshed.
    """
    spread = np.setdiff1d(np.arange(0, len(pictures), step), [first])
    moments = np.union1d(spread, speaking_stretch(landmarks)) if mouth else spread
    # The still mouth is played behind the film.
    held = still_mouth(landmarks) if mouth else landmarks[:0]
    played = np.concatenate([landmarks, held])
    shown = np.concatenate([moments, len(landmarks) + np.arange(len(held))])
    mesh, rgba, motion = film_character(pictures, played, first, shown)
    made = {"portrait": np.repeat(pictures[first][None], len(shown), axis=0)}
    for way, model in {"warp": None, **models}.items():
        with motion_frames(mesh, rgba, motion, model, filmed=True) as (drawn, _):
            made[way] = np.stack([frame[..., :3] for frame in drawn])
    mouths: dict[str, dict[str, float]] = {}
    if mouth:
        film = {way: frames[: len(moments)] for way, frames in made.items()}
        mouths = mouth_scores(film, pictures[moments], landmarks[moments], moments, first)
        for way, frames in made.items():
            mouths[way] |= still_scores(frames[len(moments) :], held)
    compared = np.searchsorted(moments, spread)
    made = {way: frames[compared] for way, frames in made.items()}
    return Reenactment(name, pictures[spread], landmarks[spread], made, mouths)


def evaluate_films(
    folder: str | Path,
    models: Mapping[str, ImageModel],
    count: int = 0,
    sheet: str | Path | None = None,
    progress: Progress = silent,
    track: Track = track_video,
    *,
    people: Sequence[str] = (),
    portrait: str = "first",
    mouth: bool = False,
) -> dict[str, Any]:
    """Self-reenactment of every film of a folder, or of the test films of a GRID speaker's.

    Args:
        folder: films (*.mp4), or `video/*.mp4` and `test.txt`. models: networks by name. count: so many films,
            spread over the folder or over each person's; 0 for all.
        sheet: a picture to draw, some moments in rows and the ways in columns.
        progress: told after every film. track: finds landmarks in a film.
        people: whose films, by what stands before the "_" of their names; everybody's without one.
        portrait: of `PORTRAITS`: the first frame, or the one with the mouth shut as far as there is one early on.
        mouth: whether the mouth's inside is measured as well (`mouth_metrics`).

    Returns:
        `rows`: for each way the figures, the mean over the films, or over `people` where they are named; `films`: how
        many; `people`: the same rows for each person who was named; `clips`: those of each film.

    Raises:
        InputError: there are no films with a face in every frame. OutputError: the sheet cannot be written.
    """
    assert portrait in PORTRAITS, portrait
    everybody: Sequence[str | None] = people or [None]
    films = [film for who in everybody for film in held_out_films(folder, count, who)]
    found: dict[str, dict[str, dict[str, float]]] = {}
    drawn: list[np.ndarray] = []
    for index, film in enumerate(films):
        share = part(progress, index / len(films), (index + 1) / len(films))
        try:
            pictures = read_film(film)
            landmarks, _, _ = track(film, silent)
            if len(landmarks) != len(pictures) or not np.isfinite(landmarks).all():
                raise InputError(f"{film} has frames without a face.")
            first = shut_frame(landmarks) if portrait == "shut" else 0
            result = reenact(film.stem, pictures, landmarks, models, first, mouth=mouth)
        except MakeItTalkError:
            if len(films) == 1:
                raise
            continue
        found[film.stem] = result.scores()
        if len(drawn) < 8 and index % max(1, len(films) // 8) == 0:
            gap = opening(result.landmarks)
            drawn.append(result.row(int(gap.argmax()) if len(drawn) % 4 else len(gap) // 2))
        share(1.0, "Making films again")
    if not found:
        raise InputError(f"No film in {folder} shows a face in every frame.", "Choose films of one face.")
    ways = list(next(iter(found.values())))
    if sheet is not None:
        draw_sheet(sheet, [*ways, "film"], drawn)
    answer: dict[str, Any] = {"rows": {}, "films": len(found)}
    if people:
        by_person = {who: [rows for name, rows in found.items() if _person(name) == who] for who in people}
        answer["people"] = {who: _mean_rows(rows) for who, rows in by_person.items() if rows}
    answer["rows"] = _mean_rows(list(answer["people"].values() if people else found.values()))
    return answer | {"clips": {name: _mean_rows([rows]) for name, rows in found.items()}}


def held_out_films(folder: str | Path, count: int = 0, person: str | None = None) -> list[Path]:
    """The films that nothing learns from.

    Args:
        count: so many, spread over the folder; 0 for all. person: whose, by what stands before the "_" of their names.

    Raises:
        InputError: there are none.
    """
    folder = Path(folder)
    films = films_in(folder)
    if (folder / "test.txt").is_file():
        test = listed_test(folder)
        films = [film for film in films if film.stem in test]
        if not films:
            raise InputError(f"{folder} holds none of the films in its test.txt.", "Name a folder of films of faces.")
    if person is not None:
        films = [film for film in films if _person(film.stem) == person]
        if not films:
            raise InputError(f"{folder} holds no films of {person}.", f"Name films {person}_*.mp4, or somebody else.")
    if count and count < len(films):
        films = [films[int(index)] for index in np.linspace(0, len(films) - 1, count)]
    return films


def _person(film: str) -> str:
    return film.partition("_")[0]


def _mean_rows(rows: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, float | None]]:
    """The mean of each figure of each way over what knows it."""
    known = lambda value: np.nan if value is None else value  # noqa: E731
    return {
        way: mean_metrics([{name: known(value) for name, value in row[way].items()} for row in rows]) for way in rows[0]
    }


def draw_sheet(path: str | Path, heads: Sequence[str], rows: Sequence[np.ndarray]) -> None:
    """Writes rows of equal squares under their heads as a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    picture = np.vstack(rows)
    top = np.full((_LABEL, picture.shape[1], 3), 255, np.uint8)
    size = picture.shape[1] // len(heads)
    for index, head in enumerate(heads):
        cv2.putText(top, head, (index * size + 6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    with storage.replacing(path) as temporary:
        Image.fromarray(np.vstack([top, picture])).save(temporary)
