"""Where the preview lies in a viewport: whole, in the free part, whatever its size and the picture's."""

from __future__ import annotations

import pytest
from extension import part_outside

layout = part_outside("addon.core.preview_layout")
Box = layout.Box


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("aspect", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("width, height", [(1920, 1080), (500, 900), (420, 330)])
def test_all_parts_lie_in_the_card_and_that_in_the_free_part(width, height, aspect, scale):
    free = Box(70.0 * scale, 20.0, width * scale, height * scale)
    found = layout.Layout.fit(free, aspect, scale)
    for outer, inner in [(free, found.card), *((found.card, getattr(found, name)) for name in NAMES)]:
        assert outer.holds(inner.left, inner.bottom, 0.5)
        assert outer.holds(inner.left + inner.width, inner.bottom + inner.height, 0.5)
    for above, below in (("picture", "bar"), ("picture", "button"), ("bar", "texts")):
        top = getattr(found, below)
        assert getattr(found, above).bottom >= top.bottom + top.height - 0.5
    assert found.button.left + found.button.width < found.bar.left
    assert found.picture.width / found.picture.height == pytest.approx(aspect, rel=0.02)
    used = max(found.card.width / free.width, found.card.height / free.height)
    assert used > 0.85


NAMES = ("picture", "button", "bar", "texts")


def test_the_picture_lies_on_whole_pixels():
    found = layout.Layout.fit(Box(13.5, 0.25, 801.3, 633.7), 0.83, 1.25)
    for value in (found.picture.left, found.picture.bottom, found.picture.width, found.picture.height):
        assert value == round(value)


def test_the_bar_says_the_time():
    found = layout.Layout.fit(Box(0.0, 0.0, 800.0, 600.0), 1.0, 1.0)
    bar = found.bar
    assert [found.share(bar.left + part * bar.width) for part in (-1.0, 0.0, 0.25, 1.0, 2.0)] == [0, 0, 0.25, 1, 1]


def test_sidebars_and_headers_take_from_the_free_part():
    tools, side = Box(0.0, 0.0, 60.0, 700.0), Box(900.0, 0.0, 300.0, 700.0)
    header, bottom = Box(0.0, 660.0, 1200.0, 40.0), Box(0.0, 0.0, 1200.0, 30.0)
    found = layout.free_part(1200.0, 700.0, [tools, side, header, bottom])
    assert found == Box(60.0, 30.0, 840.0, 630.0)
    elsewhere = Box(300.0, 300.0, 50.0, 60.0)
    assert layout.free_part(1200.0, 700.0, [elsewhere]) == Box(0.0, 0.0, 1200.0, 700.0)
    assert layout.free_part(300.0, 700.0, [Box(20.0, 0.0, 280.0, 700.0)]) == Box(0.0, 0.0, 300.0, 700.0)
