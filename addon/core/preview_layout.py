"""Where the preview lies in a viewport: its card, the picture, the button, the bar of time, two lines of text. No bpy
here."""

from __future__ import annotations

from dataclasses import dataclass

_MARGIN, _PADDING = 16.0, 10.0  # px at Blender's interface scale 1, as all that follow
_LINE = 20.0  # a line of text
_BUTTON = 28.0  # the row of button and bar
_NARROWEST = 300.0  # of a card: its texts need that
_SHARE = 0.92  # of the free height


@dataclass(frozen=True)
class Box:
    """A rectangle of a region, px from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    def holds(self, x: float, y: float, around: float = 0.0) -> bool:
        """Whether a place is in it, or no further than `around` from it."""
        inside = self.left - around <= x <= self.left + self.width + around
        return inside and self.bottom - around <= y <= self.bottom + self.height + around


@dataclass(frozen=True)
class Layout:
    """The parts of the preview. `texts` has room for two lines below the bar."""

    card: Box
    picture: Box
    button: Box
    bar: Box
    texts: Box

    @classmethod
    def fit(cls, free: Box, aspect: float, scale: float) -> Layout:
        """The largest that a part of a region holds.

        Args:
            free: what nothing covers. aspect: width over height of the picture. scale: Blender's interface scale.
        """
        margin, padding, line, row = (scale * size for size in (_MARGIN, _PADDING, _LINE, _BUTTON))
        below = row + line + 2.0 * padding
        high = max(16.0, min(_SHARE * free.height, free.height - 2.0 * margin) - below - 2.0 * padding)
        wide = max(16.0, free.width - 2.0 * (margin + padding))
        height = float(round(min(high, wide / aspect)))
        width = float(round(height * aspect))
        across = min(max(width, scale * _NARROWEST), max(width, wide))
        card = Box(
            round(free.left + (free.width - across) / 2.0 - padding),
            round(free.bottom + (free.height - height - below - 2.0 * padding) / 2.0),
            across + 2.0 * padding,
            height + below + 2.0 * padding,
        )
        inner = card.left + padding
        picture = Box(round(inner + (across - width) / 2.0), round(card.bottom + padding + below), width, height)
        texts = Box(inner, card.bottom + padding, across, line)
        button = Box(inner, texts.bottom + line + padding / 2.0, row, row)
        bar = Box(inner + row + padding, button.bottom, across - row - 1.5 * padding, row)
        return cls(card, picture, button, bar, texts)

    def share(self, x: float) -> float:
        """How far along the bar a place is, 0 to 1."""
        return min(max((x - self.bar.left) / max(self.bar.width, 1.0), 0.0), 1.0)


def free_part(width: float, height: float, covers: list[Box]) -> Box:
    """What sidebars and headers leave free of a region.

    Args:
        covers: what lies over its edges, px of the region.
    """
    left, right, bottom, top = 0.0, width, 0.0, height
    for cover in covers:
        if cover.height >= cover.width:
            if cover.left <= left + 1.0:
                left = max(left, cover.left + cover.width)
            elif cover.left + cover.width >= right - 1.0:
                right = min(right, cover.left)
        elif cover.bottom <= bottom + 1.0:
            bottom = max(bottom, cover.bottom + cover.height)
        elif cover.bottom + cover.height >= top - 1.0:
            top = min(top, cover.bottom)
    if right - left < width / 4.0 or top - bottom < height / 4.0:  # so little that it is better seen under them
        return Box(0.0, 0.0, width, height)
    return Box(left, bottom, right - left, top - bottom)
