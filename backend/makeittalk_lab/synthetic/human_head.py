"""A person of MakeHuman's kit who speaks, as a job of pictures: drawn at random, alike for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from makeittalk.images.decoding import check_picture
from makeittalk.landmarks.smoothstep import smoothstep
from scipy.spatial.transform import Rotation

from .human_job import Lamp, Part, Settings, View, look_at, write_job
from .human_kit import AGES, ETHNICITIES, HumanKit
from .human_look import Look, random_look, texture_path
from .human_mouth import HumanMouth, Moment, speech_moments
from .human_points import LANDMARK_VERTICES, limit_positions
from .light_images import random_light

_WHOLE_FACES = 2  # pictures of the whole face, the shut mouth's among them
_DARKER = -1.5  # stops, so that nothing is white before the camera's exposure is chosen
_TURNED_FROM = 8  # moments from here on turn the head
_SHAPED = ("head", "forehead", "eyes", "nose", "mouth", "cheek", "chin", "ears")  # kinds of shapes that are drawn
_LEFT_OUT = ("head-age", "head-trans", "head-scale-depth", "mouth-trans", "nose-trans", "eye-trans", "eye-scale",
             "neck", "mouth-scale-depth", "eye-push", "epicanthus", "head-back", "shape-pointed", "philtrum",
             "dimples", "laugh-lines-out")  # fmt: skip


@dataclass(frozen=True)
class HeadPictures:
    """What a job's pictures show, in the order of its views.

    Attributes:
        views: of the job. moments: names (N,). whole: (N,) whether a picture holds the face and not the mouth alone.
            landmarks: (N, 68, 2) px. inner: (N, 40, 2) px, the edge of the mouth: upper lip from the person's right to
            the left, then the lower one back. jaw: (N,) mm that the lower teeth are down. pose: (N, 3) degrees yaw,
            pitch and roll against the camera's axes. teeth: the set's number. albedo: of the skin, 0–1. origin,
            male, old: a name and 0–1.
    """

    views: list[View]
    moments: list[str]
    whole: np.ndarray
    landmarks: np.ndarray
    inner: np.ndarray
    jaw: np.ndarray
    pose: np.ndarray
    teeth: int
    albedo: float
    origin: str
    male: float
    old: float


def write_head(kit: HumanKit, folder: Path, seed: tuple[int, ...], settings: Settings, count: int = 0) -> HeadPictures:
    """Draws a person and writes the job of all its pictures.

    Args:
        seed: numbers that name the person. count: only so many moments besides the shut mouth, 0 for all.

    Raises:
        OutputError: the folder cannot be written.
    """
    rng = np.random.default_rng(seed)
    origin = str(rng.choice(ETHNICITIES))
    male = float(np.clip(rng.integers(0, 2) + rng.normal(0.0, 0.12), 0.0, 1.0))
    old = float(rng.choice([0.0, rng.uniform(0.0, 1.0), rng.uniform(0.5, 1.0)]))
    rest = _random_person(kit, rng, origin, male, old)
    look = random_look(rng, origin, male, old)
    mouth = HumanMouth(kit, rest, look.teeth, rng.uniform(0.003, 0.0065))
    moments = speech_moments(rng)
    moments = moments[: count + 1] if count else moments
    lean, face = rng.normal(0.0, 0.12), _random_face(kit, rng)
    posture = Rotation.from_euler("yxz", rng.normal(0.0, [9.0, 5.0, 3.0]), degrees=True)
    turns = [Rotation.identity() if i < _TURNED_FROM else _small_turn(rng) for i in range(len(moments))]
    heads, parts = _shaped(kit, mouth, look, rest, moments, lean, face)
    pivot = kit.joint("neck", rest)
    for part in parts:
        turned = [(v - pivot) @ (posture * t).as_matrix().T + pivot for v, t in zip(part.vertices, turns, strict=True)]
        part.vertices = np.stack(turned)
    skin = parts[0]
    points = limit_positions(skin.vertices, skin.faces, LANDMARK_VERTICES)
    ring = limit_positions(skin.vertices, skin.faces, np.concatenate([mouth.upper, mouth.lower[::-1]]))
    views, which, whole = _views(rng, settings.size, points)
    angles = [(posture * t).as_euler("yxz", degrees=True) for t in turns]
    textures: dict[str, np.ndarray | Path] = {
        part.material["texture"]: texture_path(kit.folder, part.material["texture"]) for part in parts
    }
    textures["teeth.png"] = _teeth_texture(texture_path(kit.folder, "teeth.webp"))
    bright = Settings(**(vars(settings) | {"exposure": _DARKER, "strength": rng.uniform(0.5, 1.6)}))
    write_job(folder, parts, views, _lamps(rng, points[0].mean(0)), random_light(rng), textures, bright)
    return HeadPictures(
        views,
        [moments[i].name for i in which],
        np.array(whole),
        np.stack([view.project(points[view.moment]) for view in views]),
        np.stack([view.project(ring[view.moment]) for view in views]),
        np.array([1000.0 * mouth.jaw_drop(heads[i]) for i in which]),
        np.array([angles[i] for i in which]),
        int(look.teeth[-1]) if look.teeth[-1].isdigit() else 0,
        _albedo(texture_path(kit.folder, look.materials["skin"]["texture"])) * look.materials["skin"]["value"],
        origin,
        male,
        old,
    )


def _random_person(kit: HumanKit, rng: np.random.Generator, origin: str, male: float, old: float) -> np.ndarray:
    mixed = rng.dirichlet(np.ones(3)) * (0.3 if rng.random() < 0.5 else 0.05)
    origins = {name: float(share) for name, share in zip(ETHNICITIES, mixed, strict=True)}
    origins[origin] += 1.0 - sum(origins.values())
    child = float(rng.uniform(0.1, 0.6)) if old == 0.0 and rng.random() < 0.15 else 0.0
    ages = dict(zip(AGES, (child, 1.0 - child - old, old), strict=True))
    weight, muscle = (float(v) for v in np.clip(rng.normal(0.0, 0.45, 2), -0.9, 0.9))
    return kit.person(ages, male, origins, weight, muscle, _random_shapes(kit, rng))


def _random_shapes(kit: HumanKit, rng: np.random.Generator) -> dict[str, float]:
    """About forty targets, alike on both sides, and a little asymmetry."""
    shapes: dict[str, float] = {}
    names = [n for n in kit.names("shape") if n.split("/")[0] in _SHAPED and not any(part in n for part in _LEFT_OUT)]
    for name in rng.permutation([n for n in names if "/r-" not in n])[:45]:
        amount = float(min(0.8, abs(rng.normal(0.0, 0.28))))
        for side in {name, name.replace("/l-", "/r-")}:
            shapes[str(side)] = amount
    for name in rng.permutation([n for n in kit.names("shape") if n.startswith("asym/")])[:10]:
        shapes[str(name)] = float(min(0.6, abs(rng.normal(0.0, 0.25))))
    return shapes


def _random_face(kit: HumanKit, rng: np.random.Generator) -> dict[str, float]:
    """Brows and lids, the same in all moments."""
    units = {n: 0.0 for n in kit.names("expr") if n.startswith(("eye-", "eyebrows-"))}
    for kind in ("slit", "opened-up"):
        amount = float(max(0.0, rng.normal(0.0, 0.2)))
        units[f"eye-left-{kind}"] = units[f"eye-right-{kind}"] = amount
    for kind in ("down", "up", "inner-up"):
        amount = float(max(0.0, rng.normal(0.0, 0.25)))
        units[f"eyebrows-left-{kind}"] = units[f"eyebrows-right-{kind}"] = amount
    return units


def _small_turn(rng: np.random.Generator) -> Rotation:
    return Rotation.from_euler("yxz", np.clip(rng.normal(0.0, [6.0, 4.0, 3.0]), -12.0, 12.0), degrees=True)


def _shaped(
    kit: HumanKit,
    mouth: HumanMouth,
    look: Look,
    rest: np.ndarray,
    moments: list[Moment],
    lean: float,
    face: dict[str, float],
) -> tuple[list[np.ndarray], list[Part]]:
    """The head in all moments, and its parts."""
    heads = [mouth.head(moment, lean) + kit.offset("expr", face) for moment in moments]
    attributes = _attributes(kit, rest, look.beard)
    parts = [Part("skin", np.stack([h[: kit.skin] for h in heads]), *kit.mesh("skin"), attributes, {}, 1)]
    teeth = np.stack([mouth.teeth_vertices(head) for head in heads])
    tongue = np.stack([mouth.tongue_vertices(*pair) for pair in zip(heads, moments, strict=True)])
    parts += [
        Part("teeth", teeth, *kit.mesh(look.teeth), {"rest": teeth[0]}, {}, 0),
        Part("tongue", tongue, *kit.mesh("tongue"), {"rest": tongue[0]}, {}, 1),
    ]
    worn = {"eyes": "eyes", "brow": look.brow, "lash": look.lash} | ({"hair": look.hair} if look.hair else {})
    for name, asset in worn.items():
        fitted = np.stack([kit.fit(asset, head) for head in heads])
        parts.append(Part(name, fitted, *kit.mesh(asset), {"rest": fitted[0]}, {}, int(name == "eyes")))
    for part in parts:
        part.material = look.materials[part.name]
    return heads, parts


def _attributes(kit: HumanKit, rest: np.ndarray, beard: float) -> dict[str, np.ndarray]:
    """What the skin's material reads: the place at rest, how much a vertex is lip, inside of the mouth or bearded."""
    skin = rest[: kit.skin]
    faces, uv = kit.mesh("skin")
    place = np.zeros((kit.skin, 2), np.float32)
    place[faces[faces >= 0]] = uv
    masks = {}
    for name, file in (("lip", "mask_lips.jpg"), ("inside", "mask_inside_mouth.jpg")):
        mask = cv2.imread(_weighed(texture_path(kit.folder, file)), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        column, row = place[:, 0] * mask.shape[1] - 0.5, (1 - place[:, 1]) * mask.shape[0] - 0.5
        masks[name] = cv2.remap(mask, column[None], row[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    points = rest[LANDMARK_VERTICES]
    nose, chin, side = points[33, 1], points[8, 1], np.abs(points[[3, 13], 0]).mean()
    # Stubble: under a line that rises from the nostrils to the ears, above the throat.
    line = nose - 0.002 + (0.035 * beard) * np.clip(np.abs(skin[:, 0]) / side, 0.0, 1.0) ** 3
    line = line - 0.012 * (1 - beard) * smoothstep((np.abs(skin[:, 0]) - 0.02) / 0.015)
    grown = smoothstep((line - skin[:, 1]) / 0.008) * smoothstep((skin[:, 1] - chin + 0.045) / 0.03)
    grown = grown * smoothstep((skin[:, 2] - points[[1, 15], 2].mean() + 0.01) / 0.02)
    return {"rest": skin, "lip": masks["lip"], "inside": masks["inside"], "beard": grown * (beard > 0)}


def _views(rng: np.random.Generator, size: int, points: np.ndarray) -> tuple[list[View], list[int], list[bool]]:
    """The mouth at every moment by one camera, and the whole face at some; with their moments."""
    target = points[0].mean(0)
    away = np.exp(rng.uniform(np.log(0.55), np.log(1.8)))
    aside, up = np.deg2rad(rng.normal(0.0, [8.0, 4.0]))
    position = target + away * np.array([np.sin(aside) * np.cos(up), np.sin(up), np.cos(aside) * np.cos(up)])
    rotation = look_at(position, target, float(np.deg2rad(rng.normal(0.0, 2.0))))
    flat = View("", 0, position, rotation, 1.0, np.zeros(2), size)
    lips = flat.project(points[:, 48:68])
    width = np.ptp(lips[0, :, 0])
    scale = size / (width * rng.uniform(1.7, 2.3))
    middle = (lips[0].min(0) + lips[0].max(0)) / 2 + [0.0, 0.12 * width]
    views: list[View] = []
    for moment in range(len(points)):
        # Lips of a turned head are followed, as a crop that is found by landmarks would be.
        corners = lips[moment][[0, 6]].mean(0) - lips[0][[0, 6]].mean(0) if moment >= _TURNED_FROM else np.zeros(2)
        centre = size / 2 - scale * (middle + corners)
        views.append(View(f"mouth_{moment:02d}.png", moment, position, rotation, scale, centre, size))
    face = flat.project(points[0])
    across = size / (1.35 * max(np.ptp(face[:, 0]), 1.05 * np.ptp(face[:, 1])))
    middle = (face.min(0) + face.max(0)) / 2 - [0.0, 0.1 * np.ptp(face[:, 1])]
    chosen = [0, *(int(i) for i in rng.permutation(np.arange(1, len(points)))[: _WHOLE_FACES - 1])]
    for moment in chosen:
        centre = size / 2 - across * middle
        views.append(View(f"face_{moment:02d}.png", moment, position, rotation, across, centre, size))
    return views, [view.moment for view in views], [view.file.startswith("face") for view in views]


def _lamps(rng: np.random.Generator, face: np.ndarray) -> list[Lamp]:
    """A key light from the front or aside, sometimes a fill or a rim."""
    lamps = []
    for kind in range(int(rng.integers(1, 4))):
        aside = np.deg2rad(rng.uniform(-75, 75) if kind < 2 else 180 + rng.uniform(-60, 60))
        up, away = np.deg2rad(rng.uniform(-10, 60)), rng.uniform(0.6, 1.6)
        place = face + away * np.array([np.sin(aside) * np.cos(up), np.sin(up), np.cos(aside) * np.cos(up)])
        warm = rng.normal(0.0, 0.12)
        side = float(np.exp(rng.uniform(np.log(0.08), np.log(0.9))))
        watts = float(away**2 * rng.uniform(5.0, 13.0) * (1.0, 0.4, 0.8)[kind])
        lamps.append(Lamp(place, face, (side, side * rng.uniform(0.5, 1.8)), watts, (1 + warm, 1.0, 1 - warm)))
    return lamps


def _albedo(path: Path) -> float:
    """What a skin throws back of the light, on cheeks and forehead: the middle of the kit's layout."""
    picture = cv2.imread(_weighed(path), cv2.IMREAD_COLOR).astype(np.float32) / 255
    side = len(picture)
    return float((picture[side // 4 : 3 * side // 4, side // 4 : side // 2] ** 2.2).mean((0, 1)) @ [0.07, 0.72, 0.21])


def _teeth_texture(path: Path) -> np.ndarray:
    """The kit's teeth without the shadow that is painted on them, which real shadow would double; sRGB."""
    picture = cv2.imread(_weighed(path), cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255
    light, chroma = picture.mean(2, keepdims=True), np.ptp(picture, axis=2)[..., None]
    tooth = np.clip(0.72 + 0.26 * light, 0.0, 0.95) * np.ones(3, np.float32)
    gum = 0.55 * picture + 0.45 * light * np.array([1.9, 1.15, 1.1], np.float32) + 0.12
    gums = smoothstep((chroma - 0.12) / 0.12)
    return np.asarray(np.clip(tooth + gums * (gum - tooth), 0.0, 1.0) * 255, np.uint8)


def _weighed(path: Path) -> str:
    """The name of a picture that OpenCV may decode.

    Raises:
        InputError: it is missing, no picture, or too large.
    """
    check_picture(path)
    return str(path)
