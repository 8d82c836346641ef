"""Draws the cartoon portrait that the first demo animates: `python tools/draw_portrait.py OUT.png`.

Flat shapes with soft shading, painted with pillow and numpy at three times the final size. Every shape is a smooth
curve through a few points of a 1024 × 1024 canvas, x right, y down; the face is symmetric about x = 512.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIDE = 1024  # px of the finished picture
SCALE = 3  # supersampling
CENTRE = 512.0

Point = tuple[float, float]
Colour = tuple[int, int, int]

SKIN: Colour = (244, 194, 158)
SKIN_LIGHT: Colour = (253, 217, 187)
SKIN_SHADE: Colour = (214, 145, 112)
SKIN_DEEP: Colour = (176, 103, 80)
HAIR: Colour = (88, 44, 38)
HAIR_DARK: Colour = (56, 27, 27)
HAIR_LIGHT: Colour = (146, 82, 60)
BROW: Colour = (74, 38, 33)
LINE: Colour = (70, 34, 34)
UPPER_LIP: Colour = (190, 80, 80)
LOWER_LIP: Colour = (214, 103, 98)
LIP_LINE: Colour = (108, 38, 46)
IRIS: Colour = (78, 128, 104)
SWEATER: Colour = (232, 168, 62)
SWEATER_SHADE: Colour = (190, 122, 36)


def smooth(points: Sequence[Point], closed: bool = True, steps: int = 24) -> np.ndarray:
    """A Catmull-Rom curve through `points`; a point named twice in a row is a corner. Returns (n, 2) px."""
    given = np.asarray(points, np.float64)
    count = len(given)
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for i in range(count if closed else count - 1):
        if closed:
            p0, p1, p2, p3 = (given[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (given[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        if np.array_equal(p1, p2):
            continue
        m1, m2 = (p2 - p0) / 2, (p3 - p1) / 2
        if np.array_equal(p0, p1):
            m1 = (p2 - p1) * 0.5
        if np.array_equal(p2, p3):
            m2 = (p2 - p1) * 0.5
        h00, h10 = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
        h01, h11 = -2 * t**3 + 3 * t**2, t**3 - t**2
        pieces.append(h00 * p1 + h10 * m1 + h01 * p2 + h11 * m2)
    if not closed:
        pieces.append(given[-1:])
    return np.concatenate(pieces)


def mirrored(half: Sequence[Point]) -> list[Point]:
    """A symmetric outline from its right half, given from the top of the axis to its bottom."""
    return [*half, *((2 * CENTRE - x, y) for x, y in reversed(half) if x != CENTRE)]


def flipped(points: Sequence[Point]) -> list[Point]:
    """The same shape on the other side of the face."""
    return [(2 * CENTRE - x, y) for x, y in points]


class Canvas:
    """A picture and the ways to paint on it; masks are greyscale images of the supersampled size."""

    def __init__(self) -> None:
        self.size = (SIDE * SCALE, SIDE * SCALE)
        self.image = Image.new("RGB", self.size)

    def shape(self, outline: np.ndarray | Sequence[Point]) -> Image.Image:
        """The mask of a filled outline."""
        mask = Image.new("L", self.size)
        ImageDraw.Draw(mask).polygon([(x * SCALE, y * SCALE) for x, y in np.asarray(outline)], fill=255)
        return mask

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> Image.Image:
        """The mask of an upright ellipse."""
        angle = np.linspace(0, 2 * np.pi, 240)
        return self.shape(np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1))

    def stroke(self, points: Sequence[Point], width: float, start: float = 0.0, end: float = 0.0) -> Image.Image:
        """The mask of a brush stroke of `width` px, tapering to `start` and `end` times that at its ends."""
        line = smooth(points, closed=False)
        tangent = np.gradient(line, axis=0)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        along = np.linspace(0, 1, len(line))
        profile = np.minimum(1, np.minimum(start + (1 - start) * along / 0.45, end + (1 - end) * (1 - along) / 0.45))
        half = (width / 2 * np.sin(profile * np.pi / 2))[:, None]
        return self.shape(np.concatenate([line + normal * half, (line - normal * half)[::-1]]))

    @staticmethod
    def blurred(mask: Image.Image, radius: float) -> Image.Image:
        """The mask with soft edges, `radius` in px of the finished picture."""
        return mask.filter(ImageFilter.GaussianBlur(radius * SCALE))

    def paint(self, mask: Image.Image, colour: Colour, opacity: float = 1.0, inside: Image.Image | None = None) -> None:
        """Lays a colour over the picture through a mask, within another mask where given."""
        if inside is not None:
            mask = ImageChops.multiply(mask, inside)
        if opacity < 1:
            mask = mask.point(lambda v: round(v * opacity))
        self.image.paste(colour, (0, 0), mask)

    def gradient(self, mask: Image.Image, top: Colour, bottom: Colour, y0: float, y1: float) -> None:
        """Fills a mask with a vertical gradient from `top` at y0 to `bottom` at y1."""
        y = (np.arange(self.size[1]) / SCALE - y0) / (y1 - y0)
        share = np.clip(y, 0, 1)[:, None, None]
        column = (np.array(top) * (1 - share) + np.array(bottom) * share).round().astype(np.uint8)
        fill = Image.fromarray(np.broadcast_to(column, (self.size[1], 1, 3)).copy()).resize(self.size)
        self.image.paste(fill, (0, 0), mask)

    def finished(self) -> Image.Image:
        """The picture at its final size."""
        return self.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def draw_background(canvas: Canvas) -> None:
    everything = Image.new("L", canvas.size, 255)
    canvas.gradient(everything, (116, 188, 188), (70, 140, 150), 0, SIDE)
    canvas.paint(canvas.blurred(canvas.ellipse(512, 500, 400, 400), 3), (160, 216, 208), 0.55)
    canvas.paint(canvas.blurred(canvas.ellipse(512, 500, 330, 330), 3), (196, 233, 222), 0.5)


def draw_back_hair(canvas: Canvas) -> Image.Image:
    """Paints the hair behind the neck and returns its mask."""
    outline = mirrored(
        [(512, 148), (640, 168), (742, 262), (788, 420), (800, 560), (806, 700), (772, 802), (690, 838), (600, 800)]
    )
    hair = canvas.shape(smooth(outline))
    canvas.gradient(hair, HAIR, HAIR_DARK, 200, 800)
    canvas.paint(canvas.blurred(canvas.ellipse(512, 760, 170, 120), 30), (40, 18, 20), 0.8, hair)
    return hair


def draw_body(canvas: Canvas) -> None:
    neck = canvas.shape(
        smooth(
            [
                (424, 700),
                (428, 830),
                (380, 880),
                (330, 940),
                (512, 1010),
                (694, 940),
                (644, 880),
                (596, 830),
                (600, 700),
            ]
        )
    )
    canvas.gradient(neck, SKIN_SHADE, SKIN, 770, 900)
    # The head's shadow on the neck.
    canvas.paint(canvas.blurred(canvas.ellipse(512, 786, 132, 62), 12), SKIN_DEEP, 0.62, neck)
    canvas.paint(canvas.blurred(canvas.stroke([(470, 905), (430, 893), (392, 892)], 5), 2), SKIN_SHADE, 0.8, neck)
    canvas.paint(canvas.blurred(canvas.stroke([(554, 905), (594, 893), (632, 892)], 5), 2), SKIN_SHADE, 0.8, neck)
    body = canvas.shape(
        smooth(
            [
                *[(400, 876), (400, 876), (330, 900), (230, 930), (158, 978), (120, 1060), (120, 1060)],
                *[(904, 1060), (904, 1060), (866, 978), (794, 930), (694, 900), (624, 876), (624, 876)],
                *[(590, 930), (512, 952), (434, 930)],
            ]
        )
    )
    canvas.gradient(body, SWEATER, SWEATER_SHADE, 900, 1120)
    for points in ([(262, 1040), (280, 990), (300, 960)], [(762, 1040), (744, 990), (724, 960)]):
        canvas.paint(canvas.blurred(canvas.stroke(points, 16, 0.4), 5), SWEATER_SHADE, 0.7, body)
    canvas.paint(
        canvas.blurred(canvas.stroke([(250, 925), (190, 960), (150, 1010)], 22), 9), (250, 204, 112), 0.7, body
    )
    collar = [(404, 872), (424, 938), (512, 968), (600, 938), (620, 872)]
    canvas.paint(
        canvas.blurred(canvas.stroke([(x, y + 16) for x, y in collar], 42, 0.8, 0.8), 6), (150, 90, 24), 0.5, body
    )
    canvas.paint(canvas.stroke(collar, 34, 0.8, 0.8), (240, 182, 80))
    for x, y in smooth(collar, closed=False, steps=7)[2:-2]:
        rib = canvas.stroke([(x - (x - 512) * 0.03, y - 13), (x + (x - 512) * 0.03, y + 13)], 3.2, 0.5, 0.5)
        canvas.paint(rib, SWEATER_SHADE, 0.65)


def draw_ears(canvas: Canvas) -> None:
    for turn in (list, flipped):
        outline = [(706, 500), (730, 480), (752, 500), (752, 545), (738, 592), (718, 618), (700, 600)]
        ear = canvas.shape(smooth(turn(outline)))
        canvas.paint(ear, SKIN)
        canvas.paint(
            canvas.blurred(canvas.stroke(turn([(712, 520), (736, 506), (736, 545), (720, 590)]), 12), 3),
            SKIN_SHADE,
            0.9,
            ear,
        )
        canvas.paint(
            canvas.blurred(canvas.stroke(turn([(706, 540), (726, 540), (714, 572)]), 9), 2), SKIN_DEEP, 0.55, ear
        )
        canvas.paint(canvas.ellipse(*turn([(721, 626)])[0], 8, 8), (250, 226, 150))
        canvas.paint(canvas.ellipse(*turn([(719, 624)])[0], 3, 3), (255, 250, 226))


FACE: list[Point] = [
    *[(512, 236), (610, 256), (682, 330), (712, 440), (714, 530), (704, 610), (682, 682), (640, 742), (588, 786)],
    *[(548, 806), (512, 811)],
]


def draw_face(canvas: Canvas) -> Image.Image:
    """Paints the bare face and returns its mask."""
    face = canvas.shape(smooth(mirrored(FACE)))
    canvas.paint(face, SKIN)
    inner = ImageChops.subtract(
        face,
        canvas.blurred(
            canvas.shape(
                smooth(
                    mirrored(
                        [
                            (512, 262),
                            (610, 280),
                            (664, 360),
                            (682, 450),
                            (682, 540),
                            (670, 620),
                            (646, 690),
                            (606, 742),
                            (560, 774),
                            (512, 782),
                        ]
                    )
                )
            ),
            16,
        ),
    )
    canvas.paint(canvas.blurred(inner, 8), SKIN_SHADE, 0.85, face)
    # Light from the upper left: forehead, nose and chin catch it, the far cheek turns away.
    canvas.paint(canvas.blurred(canvas.ellipse(486, 390, 120, 60), 30), SKIN_LIGHT, 0.8, face)
    canvas.paint(canvas.blurred(canvas.ellipse(420, 590, 58, 40), 22), SKIN_LIGHT, 0.55, face)
    canvas.paint(canvas.blurred(canvas.ellipse(604, 590, 52, 38), 22), SKIN_LIGHT, 0.4, face)
    canvas.paint(canvas.blurred(canvas.ellipse(508, 772, 40, 18), 10), SKIN_LIGHT, 0.7, face)
    canvas.paint(canvas.blurred(canvas.ellipse(700, 640, 40, 150), 24), SKIN_SHADE, 0.55, face)
    for x in (392, 632):
        canvas.paint(canvas.blurred(canvas.ellipse(x, 626, 42, 26), 16), (236, 120, 104), 0.46, face)
    return face


def draw_nose(canvas: Canvas) -> None:
    for turn, strength in ((list, 0.55), (flipped, 0.34)):
        side = turn([(540, 470), (530, 520), (536, 570), (552, 606)])
        canvas.paint(canvas.blurred(canvas.stroke(side, 16), 6), SKIN_SHADE, strength)
        canvas.paint(canvas.blurred(canvas.ellipse(*turn([(562, 478)])[0], 17, 22), 9), SKIN_SHADE, 0.5)
    canvas.paint(canvas.blurred(canvas.stroke([(510, 470), (508, 540), (508, 590)], 18), 7), SKIN_LIGHT, 0.85)
    canvas.paint(canvas.blurred(canvas.ellipse(512, 634, 44, 10), 5), SKIN_DEEP, 0.5)
    canvas.paint(canvas.blurred(canvas.ellipse(512, 602, 25, 22), 6), SKIN_LIGHT, 0.5)
    canvas.paint(canvas.blurred(canvas.ellipse(504, 596, 9, 8), 3), (255, 240, 224), 0.6)
    for turn in (list, flipped):
        wing = turn([(548, 590), (560, 606), (556, 624), (542, 630)])
        canvas.paint(canvas.blurred(canvas.stroke(wing, 6, 0.1, 0.4), 1.2), SKIN_DEEP, 0.75)
        nostril = turn([(524, 630), (532, 624), (542, 625), (544, 631), (534, 634)])
        canvas.paint(canvas.blurred(canvas.shape(smooth(nostril)), 0.8), (128, 62, 52), 0.9)
    canvas.paint(canvas.blurred(canvas.stroke([(522, 632), (512, 638), (502, 632)], 4), 1), SKIN_DEEP, 0.7)
    # The groove down to the lip.
    canvas.paint(canvas.blurred(canvas.stroke([(512, 644), (512, 672)], 12), 4), SKIN_SHADE, 0.5)


EYE: list[Point] = [
    *[(566, 512), (566, 512), (584, 490), (610, 480), (636, 486), (658, 507), (658, 507), (638, 522), (610, 528)],
    *[(584, 524)],
]


def draw_eye(canvas: Canvas, left: bool) -> None:
    """One eye with its lids, lashes and brow; `left` is the left of the picture."""
    turn = flipped if left else list
    opening = canvas.shape(smooth(turn(EYE)))
    socket = turn([(562, 500), (584, 474), (612, 462), (644, 470), (664, 496)])
    canvas.paint(canvas.blurred(canvas.stroke(socket, 20), 7), SKIN_SHADE, 0.55)
    canvas.paint(canvas.blurred(canvas.stroke(turn([(574, 532), (608, 542), (644, 532)]), 12), 4), SKIN_SHADE, 0.5)
    canvas.paint(opening, (252, 250, 246))
    x, y = turn([(611, 503)])[0]
    iris = canvas.ellipse(x, y, 25, 26)
    canvas.paint(iris, tuple(int(v * 0.45) for v in IRIS), 1, opening)  # type: ignore[arg-type]
    canvas.paint(canvas.ellipse(x, y, 22, 23), IRIS, 1, opening)
    canvas.paint(canvas.blurred(canvas.ellipse(x, y + 11, 15, 9), 3), (152, 196, 146), 0.9, iris)
    canvas.paint(canvas.ellipse(x, y, 10.5, 11), (26, 22, 24), 1, opening)
    # The upper lid's shadow on the eyeball, then the light of a window.
    lid = turn([(566, 514), (584, 494), (610, 485), (636, 491), (658, 509)])
    canvas.paint(canvas.blurred(canvas.stroke(lid, 16, 0.3, 0.3), 3), (92, 64, 72), 0.5, opening)
    canvas.paint(canvas.ellipse(x - 8, y - 9, 6.5, 6.5), (255, 255, 255))
    canvas.paint(canvas.ellipse(x + 8, y + 9, 3, 3), (255, 255, 255), 0.85)
    canvas.paint(canvas.ellipse(*turn([(571, 513)])[0], 4.5, 4), (232, 150, 138), 0.9, opening)
    lashes = turn([(563, 515), (572, 502), (586, 488), (610, 478), (637, 484), (656, 502), (668, 500)])
    canvas.paint(canvas.stroke(lashes, 9, 0.15, 0.0), LINE)
    canvas.paint(canvas.stroke(turn([(640, 487), (658, 490), (672, 484)]), 5, 0.4, 0.0), LINE)
    canvas.paint(
        canvas.stroke(turn([(578, 523), (594, 528), (616, 530), (640, 523), (658, 508)]), 3, 0.0, 0.3), LINE, 0.75
    )
    crease = turn([(572, 488), (590, 474), (614, 467), (640, 473), (660, 488)])
    canvas.paint(canvas.blurred(canvas.stroke(crease, 4), 0.6), SKIN_DEEP, 0.85)
    brow = turn([(551, 440), (557, 427), (598, 413), (643, 413), (686, 443), (686, 443), (642, 428), (600, 430)])
    canvas.paint(canvas.blurred(canvas.shape(smooth(brow)), 0.7), BROW)


def draw_mouth(canvas: Canvas) -> None:
    line = [(437, 687), (464, 696), (494, 703), (512, 702), (530, 703), (560, 696), (587, 687)]
    upper = [(435, 686), (435, 686), (468, 682), (497, 676), (512, 681), (527, 676), (556, 682), (589, 686), (589, 686)]
    lower = [(589, 686), (589, 686), (566, 713), (538, 727), (512, 730), (486, 727), (458, 713), (435, 686), (435, 686)]
    canvas.paint(canvas.blurred(canvas.stroke([(470, 739), (512, 747), (554, 739)], 14), 6), SKIN_DEEP, 0.42)
    for x in (424, 600):
        canvas.paint(canvas.blurred(canvas.ellipse(x, 685, 5, 8), 4), SKIN_DEEP, 0.4)
    upper_lip = canvas.shape(smooth([*upper, *reversed(line)]))
    lower_lip = canvas.shape(smooth([*line, *lower]))
    canvas.gradient(upper_lip, UPPER_LIP, (164, 62, 68), 676, 700)
    canvas.gradient(lower_lip, LOWER_LIP, (196, 84, 84), 700, 728)
    canvas.paint(canvas.blurred(canvas.ellipse(504, 712, 24, 5), 3), (246, 168, 156), 0.8, lower_lip)
    canvas.paint(
        canvas.blurred(canvas.stroke([(476, 685), (498, 679), (512, 684), (526, 679), (548, 685)], 3), 1),
        (226, 128, 120),
        0.6,
        upper_lip,
    )
    canvas.paint(canvas.stroke(line, 5, 0.4, 0.4), LIP_LINE)


def draw_front_hair(canvas: Canvas, face: Image.Image) -> None:
    sweep = [
        *[(420, 170), (512, 142), (636, 158), (736, 236), (780, 372), (792, 520), (798, 660), (768, 790), (768, 790)],
        *[(748, 640), (738, 510), (716, 424), (676, 372), (596, 344), (500, 312), (432, 250), (432, 250)],
        *[
            (400, 326),
            (338, 398),
            (302, 470),
            (282, 560),
            (274, 650),
            (256, 790),
            (256, 790),
            (226, 660),
            (232, 520),
            (244, 372),
        ],
        *[(304, 246)],
    ]
    front = canvas.shape(smooth(sweep))
    shadow = canvas.blurred(front.transform(front.size, Image.Transform.AFFINE, (1, 0, -6, 0, 1, -48)), 11)
    canvas.paint(shadow, SKIN_DEEP, 0.45, face)
    canvas.gradient(front, HAIR, HAIR_DARK, 200, 800)
    shine = [
        ([(446, 244), (540, 258), (640, 300), (718, 400)], 26, 0.55),
        ([(452, 220), (560, 208), (670, 262), (744, 384)], 18, 0.42),
        ([(430, 236), (362, 300), (300, 388), (274, 500)], 24, 0.5),
        ([(410, 216), (330, 268), (272, 360), (256, 470)], 12, 0.4),
    ]
    for points, width, opacity in shine:
        canvas.paint(canvas.blurred(canvas.stroke(points, width), 5), HAIR_LIGHT, opacity, front)
    strands = [
        [(436, 250), (540, 290), (640, 322), (716, 410)],
        [(440, 232), (560, 234), (680, 296), (752, 440)],
        [(434, 250), (380, 320), (310, 410), (282, 540)],
        [(420, 226), (340, 290), (284, 380), (262, 520)],
        [(440, 206), (560, 176), (690, 232), (766, 400)],
    ]
    for points in strands:
        canvas.paint(canvas.blurred(canvas.stroke(points, 4.5), 0.8), HAIR_DARK, 0.8, front)
    for points in ([(470, 214), (600, 214), (700, 284)], [(404, 244), (330, 310), (284, 410)]):
        canvas.paint(canvas.blurred(canvas.stroke(points, 4), 1), (196, 124, 92), 0.7, front)


def draw_locks(canvas: Canvas, hair: Image.Image) -> None:
    """The locks in which the hair ends, over all of it."""
    for turn in (list, flipped):
        for x, opacity in ((786, 0.5), (754, 0.35), (716, 0.3)):
            lock = turn([(x - 2, 630), (x + 2, 700), (x - 22, 770), (x - 66, 818)])
            canvas.paint(canvas.blurred(canvas.stroke(lock, 20), 5), HAIR_LIGHT, opacity, hair)
        for x in (770, 730, 692):
            lock = turn([(x, 640), (x, 710), (x - 24, 780), (x - 60, 816)])
            canvas.paint(canvas.blurred(canvas.stroke(lock, 4), 0.8), (34, 16, 18), 0.8, hair)


def draw() -> Image.Image:
    """The finished portrait, RGB."""
    canvas = Canvas()
    draw_background(canvas)
    back_hair = draw_back_hair(canvas)
    draw_body(canvas)
    draw_ears(canvas)
    face = draw_face(canvas)
    draw_nose(canvas)
    draw_eye(canvas, left=True)
    draw_eye(canvas, left=False)
    draw_mouth(canvas)
    draw_front_hair(canvas, face)
    draw_locks(canvas, ImageChops.subtract(back_hair, face))
    return canvas.finished()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python tools/draw_portrait.py OUT.png")
    draw().save(sys.argv[1], optimize=True)
