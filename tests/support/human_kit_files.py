"""Where the kit of human heads is, if it is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from makeittalk_lab.synthetic.human_kit import KIT_FILE, HumanKit


def human_kit(data_dir: Path) -> HumanKit:
    """The kit; the test is skipped without it."""
    folder = data_dir / "makehuman_heads"
    if not (folder / KIT_FILE).is_file():
        pytest.skip("the kit of human heads is missing")
    return HumanKit.load(folder)
