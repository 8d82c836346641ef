"""Faces → clips of mouths up close for the mouth network: as the mesh shows them, and as they are.

Three kinds of faces teach. Films: one frame is the portrait, others are the moments. Rendered heads (`prepare mouths`):
the shut mouth is the portrait. Single pictures of open mouths: the mesh shuts the mouth, the picture of that is the
portrait, and the picture itself is the moment that it is asked for.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face, Mesh
from makeittalk.exchange.progress import Progress, silent
from makeittalk.images.mouth_crop import MouthCrop, place_mouth, take_mouth
from makeittalk.images.portrait import read_picture
from makeittalk.images.textures import shown_textures
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.few_points import few_points, place_landmarks
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.landmarks.tracking import Track, track_video
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.mouth_texture import face_light, mouth_texture, teeth_scale
from makeittalk.mesh.teeth import SETS
from makeittalk.rendering.photo import motion_vertices
from makeittalk.rendering.warp import Warper

from ..data.clips import Prepared, split_names
from ..data.films import Splits, face_films, read_face
from ..data.image_clips import ImageClip
from ..data.mouth_clip import MouthClip
from ..data.mouth_frames import MouthFrames
from ..synthetic.film_characters import film_character
from .campaign import Campaign, Job, left_out

KIND = "mouth frames"
_MOMENTS = 12  # of a portrait of a film
_OPEN = 0.05  # of the mouth's width: a mouth that shows something
_PICTURES = (".jpg", ".jpeg", ".png")
_AROUND = 1.35  # side of the canvas that a rendered mouth is laid on, in extents of the face


def prepare_mouth_frames(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    count: int = 0,
    portraits: int = 1,
    track: Track = track_video,
    workers: int = 1,
) -> Prepared:
    """Makes clips whose squares are the mouth's; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: a folder of films, of a GRID speaker, of rendered heads (`prepare mouths`), or of pictures.
        dest: folder to write, made where missing. progress: told after every face. count: most faces, 0 for all; those
            to train on come first. portraits: so many frames of a film become a portrait each.
        track: finds landmarks in a film. workers: processes, 0 for as many as there are cores.

    Returns:
        The prepared folder. What holds no mouth that opens is skipped with its reason.

    Raises:
        InputError: the source holds no faces.
    """
    source, dest = Path(source), Path(dest)
    faces, splits = _faces(source)
    wanted = [name for part in splits for name in part]
    if count:  # spread over those to train on, then the others
        learned = len(splits[0])
        first = np.linspace(0, max(learned - 1, 0), min(count, learned)).astype(int).tolist()
        wanted = [wanted[index] for index in first] + wanted[learned : learned + max(0, count - learned)]
    jobs = {name: Job(faces[name], (faces[name],)) for name in wanted}
    campaign = Campaign(dest, {"kind": KIND, "portraits": portraits}, "Preparing mouths", workers)
    work = partial(_keep_clips, dest=dest, portraits=portraits, track=track)
    skipped = left_out(campaign.run(work, jobs, progress), source)
    made = set(wanted) - set(skipped)
    train, validation, test = (
        [clip for name in part if name in made for clip in _numbered(name, faces[name], portraits)] for part in splits
    )
    prepared = Prepared(dest, KIND, train, validation, test, skipped)
    prepared.save()
    return prepared


def _keep_clips(name: str, path: Path, dest: Path, portraits: int, track: Track) -> None:
    for clip in _clips(path, _numbered(name, path, portraits), track):
        clip.save(dest)


def _faces(source: Path) -> tuple[dict[str, Path], Splits]:
    """Where each face is, and which are to train, to validate and to test.

    Raises:
        InputError: there are none.
    """
    pictures = {path.stem: path for path in sorted(source.iterdir()) if path.suffix.lower() in _PICTURES}
    if pictures:
        return pictures, split_names(list(pictures), set())
    return face_films(source, "mouths")


def _numbered(name: str, path: Path, portraits: int) -> list[str]:
    """Names of the clips of a face."""
    return [f"{name}.{number}" for number in range(portraits if _is_film(path) else 1)]


def _is_film(path: Path) -> bool:
    return path.suffix != ".npz" and path.suffix.lower() not in _PICTURES


def _clips(path: Path, numbered: list[str], track: Track) -> list[MouthFrames]:
    if path.suffix == ".npz":
        return [head_clip(numbered[0], MouthClip.load(path))]
    if not _is_film(path):
        return [picture_clip(numbered[0], path)]
    pictures, landmarks = read_face(path, track)
    return [film_clip(clip, pictures, landmarks, number) for number, clip in enumerate(numbered)]


def film_clip(name: str, pictures: np.ndarray, landmarks: np.ndarray, number: int) -> MouthFrames:
    """A clip of a film; its name chooses the portrait and the moments.

    The first portrait is the frame with the least open mouth; of the others every second one is any frame, the rest
    are among the most shut.
    Three quarters of the moments are drawn from the film's most open half.

    Args:
        pictures: (T, H, W, 3) uint8 RGB. landmarks: (T, 68, 3) px. number: of the portrait.

    Raises:
        InputError: the face cannot be meshed, or its mouth never opens.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    gap = opening(landmarks) / mouth_width(landmarks)
    shutter = np.argsort(gap)[: max(1, len(gap) // 8)]
    first = int(gap.argmin() if number == 0 else rng.integers(len(gap)) if number % 2 else rng.choice(shutter))
    others = np.setdiff1d(np.nonzero(gap > _OPEN)[0], [first])
    if not len(others):
        raise InputError(f"The mouth of {name} never opens.")
    wide = others[np.argsort(gap[others])][len(others) // 2 :]
    chosen = rng.permutation(wide)[: 3 * _MOMENTS // 4]
    rest = rng.permutation(np.setdiff1d(others, chosen))[: _MOMENTS - len(chosen)]
    moments = np.sort(np.concatenate([chosen, rest]))
    mesh, rgba, motion = film_character(pictures, landmarks, first, moments)
    return _clip(name, mesh, rgba, np.stack(list(motion_vertices(mesh, motion))), pictures[moments])


def head_clip(name: str, head: MouthClip) -> MouthFrames:
    """The clip of a rendered head: its first picture is the portrait, all other pictures of the mouth are moments.

    Raises:
        InputError: the face cannot be meshed.
    """
    size = head.pictures.shape[1]
    low, high = head.landmarks[0].min(axis=0), head.landmarks[0].max(axis=0)
    side = int(np.ceil(_AROUND * float((high - low).max())))
    before = np.maximum(np.ceil((side - (high - low)) / 2 - low).astype(int), 0)
    after = np.maximum(np.ceil((side - (high - low)) / 2 + high - size).astype(int), 0)

    def laid(picture: np.ndarray) -> np.ndarray:
        return cv2.copyMakeBorder(
            picture, int(before[1]), int(after[1]), int(before[0]), int(after[0]), cv2.BORDER_REPLICATE
        )

    moments = [k for k in range(1, len(head.pictures)) if not head.whole[k] and _is_open(head.landmarks[k])]
    if not moments:
        raise InputError(f"The mouth of {name} never opens.")
    rest = head.landmarks[0] + before
    depth = place_landmarks(few_points(rest))[:, 2]
    neutral = np.column_stack([rest, depth]).astype(np.float32)
    portrait = laid(head.pictures[0])
    height, width = portrait.shape[:2]
    rgba = np.dstack([portrait, np.full((height, width), 255, np.uint8)])
    mesh = build_mesh(Face(Path("portrait.png"), width, height, neutral), rgba, style="photo")
    moved = np.stack([neutral] * len(moments))
    moved[:, :, :2] = head.landmarks[moments] + before
    vertices = deform(mesh, moved - neutral, np.zeros((len(moments), 3)), np.zeros((len(moments), 3)))
    return _clip(name, mesh, rgba, vertices, np.stack([laid(head.pictures[k]) for k in moments]))


def picture_clip(name: str, path: Path) -> MouthFrames:
    """The clip of one picture of an open mouth, shut by the mesh.

    Raises:
        InputError: the picture cannot be read, shows no face, or its mouth is not open.
    """
    rgba = np.asarray(read_picture(path)[0])
    found = detect_landmarks(rgba[..., :3], name=path.name)
    if not _is_open(found.landmarks):
        raise InputError(f"The mouth in {path} is not open.")
    height, width = rgba.shape[:2]
    face = Face(path, width, height, found.landmarks)
    mesh = build_mesh(face, rgba, style="photo")
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    shut = found.landmarks + keys["mouthShut"]
    still = np.zeros((1, 3))
    with Warper(mesh, rgba) as warper:
        picture = warper.draw(deform(mesh, keys["mouthShut"][None], still, still)[0])
    again = build_mesh(Face(path, width, height, shut.astype(np.float32)), picture, style="photo")
    opened = deform(again, -keys["mouthShut"][None], still, still)
    return _clip(name, again, picture, opened, rgba[None, ..., :3])


def _clip(name: str, mesh: Mesh, rgba: np.ndarray, vertices: np.ndarray, pictures: np.ndarray) -> MouthFrames:
    """The mouths of a character at vertices (N, V, 3) px, and of pictures (N, H, W, 3) of the same moments."""
    rest = mesh.vertices[mesh.landmark_vertices]
    crop = MouthCrop.of(rest)
    points = vertices[:, mesh.landmark_vertices]
    still, maps = crop.maps(rest[None]), crop.maps(points)
    black = np.zeros_like(rgba)
    black[..., 3] = 255
    card = replace(mesh, mouth_image=_places())
    drawn = []
    for shown, picture in ((mesh, rgba), (card, black)):
        with Warper(shown, picture) as warper:
            drawn.append(
                np.stack([take_mouth(warper.draw(v)[..., :3], m) for v, m in zip(vertices, maps, strict=True)])
            )
    clip = ImageClip(
        name,
        take_mouth(rgba[..., :3], still[0]),
        drawn[0],
        np.stack([take_mouth(picture, m) for picture, m in zip(pictures, maps, strict=True)]),
        place_mouth(rest[None], still)[0],
        place_mouth(points, maps),
    )
    size = shown_textures(mesh, rgba, rgba.shape[1], rgba.shape[0])[1].shape[1::-1]
    own = all(not np.array_equal(mesh.mouth_image, mouth_texture(rgba, rest, teeth)) for teeth in (None, *range(SETS)))
    return MouthFrames(clip, drawn[1], face_light(rgba, rest), teeth_scale(rest), np.array(size), own)


def _places() -> np.ndarray:
    """A card (256, 256, 4) uint8 whose colours say column and row."""
    line = np.arange(256, dtype=np.uint8)
    return np.dstack(
        [np.tile(line, (256, 1)), np.tile(line[:, None], (1, 256)), *[np.full((256, 256), 255, np.uint8)] * 2]
    )


def _is_open(points: np.ndarray) -> bool:
    return bool(opening(points) > _OPEN * mouth_width(points))
