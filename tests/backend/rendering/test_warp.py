"""The offline warp: at rest it is the portrait, and both renderers draw the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from makeittalk.exchange import formats
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import compose_pose
from makeittalk.mesh.build import build_mesh
from makeittalk.rendering import gl
from makeittalk.rendering.gl import describe_gl
from makeittalk.rendering.shader_source import shader_sources
from makeittalk.rendering.silhouette import Silhouette
from makeittalk.rendering.warp import Warper
from warp_frame import warp_frame

WIDTH, HEIGHT = 200, 240
STILL = np.zeros(3, np.float32)


def landmarks() -> np.ndarray:
    face = np.array(MEAN_FACE, np.float64)
    face *= 110 / np.linalg.norm(face[16] - face[0])
    face[:, 2] -= face[[0, 16], 2].mean()
    centre = face[:, :2].mean(axis=0)
    return (face + [WIDTH / 2 - centre[0], 130 - centre[1], 0]).astype(np.float32)


def picture(alpha: bool = False) -> np.ndarray:
    random = np.random.default_rng(0)
    noise = random.integers(40, 230, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    colour = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    cover = np.full((HEIGHT, WIDTH), 255, np.uint8)
    if alpha:
        cover[:] = 0
        cv2.ellipse(cover, (100, 130), (80, 105), 0, 0, 360, 255, -1, cv2.LINE_AA)
        colour[cover == 0] = (255, 0, 255)
    return np.dstack([colour, cover])


@pytest.fixture(scope="module")
def mesh() -> formats.Mesh:
    return build_mesh(formats.Face(Path("portrait.png"), WIDTH, HEIGHT, landmarks()), picture())


@pytest.fixture(scope="module")
def motion(mesh: formats.Mesh) -> formats.Motion:
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    share = np.linspace(0, 1, 9, dtype=np.float32)[:, None, None]
    expression = share * (keys["jawOpen"] + 0.3 * keys["mouthSmileLeft"])
    rotation = share[:, 0] * np.array([0.1, -0.2, 0.05], np.float32)
    translation = share[:, 0] * np.array([3.0, -2.0, 1.0], np.float32)
    posed = compose_pose(landmarks(), expression, rotation, translation, mesh.neck_pivot)
    return formats.Motion(25.0, posed, landmarks(), expression, rotation, translation, mesh.neck_pivot)


@pytest.fixture(params=["gl", "cpu"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "gl":
        try:
            gl.open_context().release()
        except MissingError:
            pytest.skip("no OpenGL here")
    return request.param


def test_at_rest_a_frame_is_the_portrait(mesh: formats.Mesh, backend: str) -> None:
    with Warper(mesh, picture(), backend=backend) as warper:
        assert (warper.width, warper.height, warper.backend) == (WIDTH, HEIGHT, backend)
        frame = warp_frame(warper, landmarks(), STILL, STILL, landmarks())
    difference = np.abs(frame.astype(int) - picture())
    assert difference.mean() < 0.05 and np.percentile(difference, 99.9) <= 2


def test_both_renderers_agree(mesh: formats.Mesh, motion: formats.Motion) -> None:
    try:
        with Warper(mesh, picture(), backend="gl") as warper:
            drawn = np.array(list(warper.frames(motion)), int)
    except MissingError:
        pytest.skip("no OpenGL here")
    with Warper(mesh, picture(), backend="cpu") as warper:
        computed = np.array(list(warper.frames(motion)), int)
    difference = np.abs(drawn - computed)
    assert difference.mean() < 0.3 and (difference.max(axis=3) > 16).mean() < 0.002
    assert np.abs(drawn[-1] - drawn[0]).mean() > 5  # it moves at all


@pytest.mark.parametrize("alpha", [False, True])
def test_edges_alone_need_several_samples(
    mesh: formats.Mesh, motion: formats.Motion, alpha: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(rectangles: list[tuple[int, int, int, int]] | None) -> np.ndarray:
        with monkeypatch.context() as patch:
            if rectangles is not None:
                patch.setattr(Silhouette, "rectangles", lambda *_: rectangles)
            # Larger than a tile, and odd.
            with Warper(mesh, picture(alpha), size=(501, 603), backend="gl") as warper:
                frames = np.array(list(warper.frames(motion)), int)
        return frames if not alpha else frames * (frames[..., 3:] > 8)  # the colour of next to nothing is noise

    try:
        gl.open_context().release()
    except MissingError:
        pytest.skip("no OpenGL here")
    everywhere, here, nowhere = drawn([(0, 0, 501, 603)]), drawn(None), drawn([])
    difference = np.abs(here - everywhere)
    assert difference.mean() < 0.02 and (difference.max(axis=3) > 8).mean() < 1e-4
    jagged = (np.abs(nowhere - everywhere).max(axis=3) > 8).mean(axis=(1, 2))
    assert jagged[-1] > 10 * (difference.max(axis=3) > 8).mean() and jagged[-1] > 5e-4  # the mouth is open there
    np.testing.assert_array_equal(drawn(None), here)


def test_alpha_is_kept_without_fringes(mesh: formats.Mesh, motion: formats.Motion, backend: str) -> None:
    with Warper(mesh, picture(alpha=True), backend=backend) as warper:
        frame = list(warper.frames(motion))[4].astype(int)
    alpha = frame[..., 3]
    assert (alpha == 0).mean() > 0.2 and (alpha == 255).mean() > 0.3
    seen = alpha > 40
    # Magenta lies under what is transparent: none of it may bleed into the rim.
    magenta = np.minimum(frame[..., 0], frame[..., 2]) - frame[..., 1]
    inside = picture(alpha=True)[..., :3].astype(int)[picture(alpha=True)[..., 3] == 255]
    limit = (np.minimum(inside[:, 0], inside[:, 2]) - inside[:, 1]).max()
    assert magenta[seen].max() <= limit + 6


def test_frames_may_have_another_size(mesh: formats.Mesh, backend: str) -> None:
    with Warper(mesh, picture(), size=(100, 120), backend=backend) as warper:
        frame = warp_frame(warper, landmarks(), STILL, STILL, landmarks())
    expected = cv2.resize(picture(), (100, 120), interpolation=cv2.INTER_AREA)
    assert frame.shape == (120, 100, 4)
    assert np.abs(frame.astype(int) - expected).mean() < 1.5


def test_two_characters_are_drawn_in_turns(mesh: formats.Mesh) -> None:
    moved = mesh.vertices + [4.0, 2.0, 0.0]
    other = picture()[..., [2, 1, 0, 3]].copy()
    with Warper(mesh, picture(), backend="gl") as alone:
        expected = alone.draw(moved)
    with Warper(mesh, picture(), backend="gl") as first:
        with Warper(mesh, other, (90, 108), backend="gl") as second:
            small = second.draw(moved)
            assert np.array_equal(first.draw(moved), expected)
            assert np.array_equal(second.draw(moved), small) and np.array_equal(first.draw(moved), expected)
        assert np.array_equal(first.draw(moved), expected)


def test_landmarks_alone_are_enough(mesh: formats.Mesh, motion: formats.Motion) -> None:
    bare = motion_of_landmarks(motion.landmarks, motion.neutral, motion.fps)
    with Warper(mesh, picture()) as warper:
        full, fitted = list(warper.frames(motion)), list(warper.frames(bare))
    assert len(full) == len(fitted) == 9
    difference = np.abs(full[-1].astype(int) - fitted[-1])[60:220, 40:160]
    assert difference.mean() < 8  # the fitted pose leaves a little of itself in the expression


def test_another_rate_has_as_many_frames_as_it_takes(mesh: formats.Mesh, motion: formats.Motion) -> None:
    with Warper(mesh, picture()) as warper:
        assert len(list(warper.frames(motion, 50.0))) == 18


def test_without_opengl_the_processor_draws(mesh: formats.Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise MissingError("OpenGL is not available.")

    monkeypatch.setattr(gl, "open_context", none)
    with Warper(mesh, picture()) as warper:
        assert warper.backend == "cpu"
    with pytest.raises(MissingError):
        Warper(mesh, picture(), backend="gl")
    assert "built-in renderer" in describe_gl()


def test_a_mesh_of_another_portrait_is_refused(mesh: formats.Mesh) -> None:
    with pytest.raises(InputError, match="another size"):
        Warper(mesh, picture()[:100])


def test_shut_lips_show_nothing_behind_them(mesh: formats.Mesh, backend: str) -> None:
    marked = formats.Mesh(**{**mesh.__dict__, "mouth_image": np.full((8, 8, 4), (0, 255, 0, 255), np.uint8)})
    grey = np.full((HEIGHT, WIDTH, 4), (120, 120, 120, 255), np.uint8)
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    face = landmarks()

    def green(expression: np.ndarray, turn: tuple[float, float, float]) -> int:
        rotation = np.deg2rad(turn)
        posed = compose_pose(face, expression[None], rotation[None], STILL[None], mesh.neck_pivot)[0]
        with Warper(marked, grey, backend=backend) as warper:
            frame = warp_frame(warper, posed, rotation, STILL, face).astype(int)
        return int((frame[..., 1] - frame[..., 0] > 30).sum())

    turns = [(0, 0, 0), (0, 20, 0), (0, -20, 0), (20, 0, 0), (-20, 0, 0)]
    for turn in turns if backend == "gl" else turns[:2]:
        assert green(keys["mouthShut"], turn) == 0
    # Open, it is seen between the lips and nowhere else.
    assert 100 < green(keys["mouthShut"] + keys["jawOpen"], (0, 0, 0)) < 1500


def test_shader_sources_compile_and_hold_the_interface() -> None:
    vertex, fragment = shader_sources()
    assert "uniform mat4 projection;" in vertex and "in float head_weight;" in vertex
    assert "out vec4 colour;" in fragment and "uniform sampler2D mouth;" in fragment
    with pytest.raises(MissingError):
        shader_sources("nothing")
    fixed = shader_sources(constants={"layer": 1, "texture_layer": 1})
    try:
        context = gl.open_context()
    except MissingError:
        pytest.skip("no OpenGL here")
    program = context.program(vertex_shader=vertex, fragment_shader=fragment)
    assert {"head", "projection", "portrait", "mouth", "position", "uv", "layer"} <= set(program)
    program = context.program(vertex_shader=fixed[0], fragment_shader=fixed[1])
    assert {"head", "projection", "mouth", "position", "uv"} <= set(program)
    assert not {"portrait", "eyes", "layer"} & set(program)  # what is never shown is not read
    context.release()
