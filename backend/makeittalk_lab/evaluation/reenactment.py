"""Self-reenactment: one frame of a film as the portrait, the film's other landmarks as its motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from .picture_metrics import compare, face_box, mouth_box

_LABEL = 20  # px above the columns of a contact sheet


@dataclass
class Reenactment:
    """A film made again from its first frame.

    Attributes:
        name: of the film. truth: (N, H, W, 3) uint8 RGB, the film's frames. landmarks: (N, 68, 3) px.
        made: the same frames as each way makes them: "portrait" (unchanged), "warp" (the mesh alone) and one for
            each network.
    """

    name: str
    truth: np.ndarray
    landmarks: np.ndarray
    made: dict[str, np.ndarray]

    def scores(self) -> dict[str, dict[str, float]]:
        """PSNR (dB) and SSIM in mouth and face box, the mean over the frames, for each way."""
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
) -> Reenactment:
    """Makes a film again from one of its frames.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px. models: networks by name.
        first: the frame that is the portrait. step: every which frame is made and compared.

    Raises:
        InputError: the face cannot be meshed.
    """
    moments = np.setdiff1d(np.arange(0, len(pictures), step), [first])
    mesh, rgba, motion = film_character(pictures, landmarks, first, moments)
    made = {"portrait": np.repeat(pictures[first][None], len(moments), axis=0)}
    for way, model in {"warp": None, **models}.items():
        with motion_frames(mesh, rgba, motion, model, filmed=True) as (frames, _):
            made[way] = np.stack([frame[..., :3] for frame in frames])
    return Reenactment(name, pictures[moments], landmarks[moments], made)


def evaluate_films(
    folder: str | Path,
    models: Mapping[str, ImageModel],
    count: int = 0,
    sheet: str | Path | None = None,
    progress: Progress = silent,
    track: Track = track_video,
) -> dict[str, Any]:
    """Self-reenactment of every film of a folder, or of the test films of a GRID speaker's.

    Args:
        folder: films (*.mp4), or `video/*.mp4` and `test.txt`. models: networks by name. count: so many films,
            spread over the folder; 0 for all. sheet: a picture to draw, some moments in rows and the ways in columns.
        progress: told after every film. track: finds landmarks in a film.

    Returns:
        `rows`: for each way PSNR and SSIM in mouth and face box, the mean over the films; `films`: how many.

    Raises:
        InputError: there are no films with a face in every frame. OutputError: the sheet cannot be written.
    """
    films = held_out_films(folder, count)
    found: list[dict[str, dict[str, float]]] = []
    drawn: list[np.ndarray] = []
    ways: Sequence[str] = ()
    for index, film in enumerate(films):
        share = part(progress, index / len(films), (index + 1) / len(films))
        try:
            pictures = read_film(film)
            landmarks, _, _ = track(film, silent)
            if len(landmarks) != len(pictures) or not np.isfinite(landmarks).all():
                raise InputError(f"{film} has frames without a face.")
            result = reenact(film.stem, pictures, landmarks, models)
        except MakeItTalkError:
            if len(films) == 1:
                raise
            continue
        found.append(result.scores())
        ways = list(result.made)
        if len(drawn) < 8 and index % max(1, len(films) // 8) == 0:
            gap = opening(result.landmarks)
            drawn.append(result.row(int(gap.argmax()) if len(drawn) % 4 else len(gap) // 2))
        share(1.0, "Making films again")
    if not found:
        raise InputError(f"No film in {folder} shows a face in every frame.", "Choose films of one face.")
    if sheet is not None:
        draw_sheet(sheet, [*ways, "film"], drawn)
    rows = {
        way: {name: float(np.mean([film[way][name] for film in found])) for name in found[0][way]} for way in found[0]
    }
    return {"rows": rows, "films": len(found)}


def held_out_films(folder: str | Path, count: int = 0) -> list[Path]:
    """The films that nothing learns from.

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
    if count and count < len(films):
        films = [films[int(index)] for index in np.linspace(0, len(films) - 1, count)]
    return films


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
