"""A performance on other characters: lips shut on every P, B and M and open as wide, whatever keys there are.

Two kinds of characters: a mesh of this project with visemes mixed from its keys, which always runs, and a head of
ICT-FaceKit with visemes mixed from its expressions, where the data are. What the solver believes of a viseme
(`retarget_shapes`) is not what these are mixed of.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from demo_speech import FPS, bilabials, said
from extension import part_outside
from project import ASSETS
from retarget_sets import visemes

names = part_outside("addon.core.retarget_names")
finder = part_outside("addon.core.lip_finder")
performance = part_outside("addon.core.retarget_performance")
target = part_outside("addon.core.retarget_target")
solver = part_outside("addon.core.retarget_solve")

PORTRAITS = ("portrait_cartoon.png", "portrait_photo.jpg")
SETS = ("arkit", "vrm", "oculus", "rhubarb")


@dataclass
class Head:
    """A head: vertices, polygons, expressions by their ARKit names, landmarks, axes (right, down, away)."""

    rest: np.ndarray
    faces: np.ndarray
    expressions: dict[str, np.ndarray]
    landmarks: np.ndarray
    axes: np.ndarray

    def turned(self, matrix: np.ndarray, scale: float) -> Head:
        """The same head standing elsewhere in another size."""
        moved = {name: shape @ matrix.T * scale for name, shape in self.expressions.items()}
        return Head(self.rest @ matrix.T * scale + 7.0, self.faces, moved, self.landmarks, self.axes @ matrix.T)


@cache
def spoken(portrait: str):
    """The demo's sentence as it is put onto others, and the frames of each of its P, B and M."""
    motion, mesh, bake = said(ASSETS / portrait, "whisper")
    with (ASSETS / "speech.phones.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    spans = {
        kind: [(float(row["start"]), float(row["end"])) for row in rows if row["phone"] in phones]
        for kind, phones in (("closures", "PBM"), ("contact", "FV"))
    }
    keys = [str(name) for name in bake.key_names]
    made = performance.performance_of(keys, bake.key_values(), mesh.key_landmarks, motion.neutral, FPS, **spans)
    return made, [np.flatnonzero(during) for during in bilabials(bake.frames)]


@cache
def own_head() -> Head:
    """The cartoon's mesh with its mouth shut: pixels, y down, z away."""
    _, mesh, _ = said(ASSETS / "portrait_cartoon.png", "whisper")
    keys = dict(zip(map(str, mesh.key_names), mesh.keys.astype(float), strict=True))
    kept = {name: move for name, move in keys.items() if f"arkit:{name}" in names.MEANINGS}
    return Head(mesh.vertices + keys["mouthShut"], mesh.triangles, kept, mesh.landmark_vertices, np.eye(3))


@cache
def facekit(path: Path) -> Head:
    with np.load(path) as data:
        labels, shapes = data["expression_names"], data["expressions"].astype(float)
        found: dict[str, np.ndarray] = {}
        for label, shape in zip(map(str, labels), shapes, strict=True):
            name = names.MEANINGS[names.match([*map(str, labels)]).known[label][0]].name
            found[name] = found.get(name, 0.0) + shape
        up = np.diag([1.0, -1.0, -1.0])
        return Head(data["neutral"].astype(float), data["quads"], found, data["landmarks68"], up)


@dataclass
class Shown:
    """What a head shows: values (T, K), landmarks' displacement (T, 68, 3) and opening (T,), mouth widths."""

    values: np.ndarray
    landmarks: np.ndarray
    opening: np.ndarray
    vocabulary: str


def matched(head: Head, keys: dict[str, np.ndarray]) -> tuple:
    """What the names of keys say, the keys (K, V, 3) that are known by them, and the lips that these part."""
    found = names.match(list(keys))
    moves = np.stack([keys[name] for name in found.meanings])
    return found, moves, finder.find_lips(head.rest, head.faces, moves, list(found.meanings.values()))


def shown(made, head: Head, vocabulary: str, lips_known: bool = True) -> Shown:
    keys = visemes(head.expressions, vocabulary)
    found, moves, lips = matched(head, keys)
    assert lips is not None
    known = (lips, head.rest, keys) if lips_known else (None, None, None)
    values = solver.solve(made, target.target_of(found.meanings, None, *known))
    width = np.linalg.norm(head.rest[head.landmarks[54]] - head.rest[head.landmarks[48]])
    landmarks = np.einsum("tk,klc->tlc", values, moves[:, head.landmarks]) @ head.axes.T / width
    rest = head.rest[head.landmarks] @ head.axes.T / width
    opening = np.maximum(performance.lip_gaps(rest + landmarks), 0.0).max(axis=1)
    return Shown(values, landmarks, opening, found.vocabulary)


def check(portrait: str, head: Head, vocabulary: str, lips_known: bool = True) -> Shown:
    made, closures = spoken(portrait)
    seen = shown(made, head, vocabulary, lips_known)
    assert seen.vocabulary == vocabulary
    assert np.isfinite(seen.values).all() and (seen.values >= 0.0).all() and (seen.values <= 1.0).all()
    shut = max(seen.opening[during].min() for during in closures) / seen.opening.max()
    wide = seen.opening.max() / made.opening.max()
    lips = np.linalg.norm((seen.landmarks - made.landmarks)[:, 48:68, :2], axis=2).mean()
    print(f"\n{portrait} {vocabulary}: shut {shut:.3f}, wide {wide:.2f}, lips off by {lips:.4f} mouth widths", end=" ")
    assert shut < 0.1
    assert wide > 0.7
    assert lips < (0.03 if lips_known else 0.06)
    jump = np.linalg.norm(np.diff(seen.landmarks[:, 48:68], axis=0), axis=2).mean(axis=1).max()
    said_jump = np.linalg.norm(np.diff(made.landmarks[:, 48:68], axis=0), axis=2).mean(axis=1).max()
    print(f"jump {jump / said_jump:.2f}", end=" ")
    assert jump < 1.5 * said_jump or not lips_known  # a viseme of unknown size may go further
    return seen


@pytest.mark.parametrize("vocabulary", SETS)
def test_own_mesh_says_the_demo(vocabulary: str) -> None:
    check("portrait_photo.jpg", own_head(), vocabulary)


def test_lips_of_a_drawn_mouth_touch_wherever_they_are_found() -> None:
    """A drawn mouth has fewer vertices than columns are asked for; none above or below the lips stands in for one."""
    head = own_head()
    _, _, lips = matched(head, head.expressions)
    assert lips is not None and len(lips.pairs) >= 12
    np.testing.assert_allclose(lips.gaps(head.rest), 0.0, atol=1e-3)


def test_keys_of_the_mouth_do_not_undo_one_another() -> None:
    made, closures = spoken("portrait_photo.jpg")
    head = own_head()
    seen = shown(made, head, "arkit")
    column = {name: seen.values[:, row] for row, name in enumerate(names.match(list(head.expressions)).meanings)}
    during = np.concatenate(closures)
    unsaid = [name for name in column if name.startswith(("mouth", "jaw")) and made.keys[name][during].max() < 0.1]
    assert len(unsaid) > 5 and max(column[name][during].max() for name in unsaid) < 0.2
    for one, other in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"), ("mouthFunnel", "mouthPressLeft")):
        assert np.minimum(column[one], column[other]).max() < 0.1


@pytest.mark.data
@pytest.mark.parametrize("vocabulary", SETS)
@pytest.mark.parametrize("portrait", PORTRAITS)
def test_facekit_says_the_demo(data_dir: Path, portrait: str, vocabulary: str) -> None:
    check(portrait, facekit(data_dir / "ict_facekit.npz"), vocabulary)


@pytest.mark.data
@pytest.mark.parametrize("vocabulary", SETS)
def test_a_head_stands_as_it_likes(data_dir: Path, vocabulary: str) -> None:
    head = facekit(data_dir / "ict_facekit.npz")
    z_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # Y up to Blender's Z up
    straight = check("portrait_photo.jpg", head, vocabulary)
    other = check("portrait_photo.jpg", head.turned(z_up, 0.01), vocabulary)
    np.testing.assert_allclose(other.values, straight.values, atol=1e-3)


@pytest.mark.data
@pytest.mark.parametrize("vocabulary", SETS)
def test_lips_that_are_not_found_shut_all_the_same(data_dir: Path, vocabulary: str) -> None:
    check("portrait_photo.jpg", facekit(data_dir / "ict_facekit.npz"), vocabulary, lips_known=False)


def test_keys_besides_the_mouth_follow_by_name() -> None:
    made, _ = spoken("portrait_cartoon.png")
    meanings = {"L": "vrm:blinkLeft", "both": "vrm:blink", "up": "arkit:browInnerUp", "joy": "vrm:happy"}
    values = solver.solve(made, target.target_of(meanings))
    np.testing.assert_allclose(values[:, 0], np.clip(made.keys["eyeBlinkLeft"], 0.0, 1.0))
    np.testing.assert_allclose(
        values[:, 1], np.clip((made.keys["eyeBlinkLeft"] + made.keys["eyeBlinkRight"]) / 2.0, 0.0, 1.0)
    )
    np.testing.assert_allclose(values[:, 2], np.clip(made.keys["browInnerUp"], 0.0, 1.0))
    assert values[:, 0].max() > 0.5 and not values[:, 3].any()
