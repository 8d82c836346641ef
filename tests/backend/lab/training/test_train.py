"""Every shipped recipe belongs to a network that can be trained by its name."""

from __future__ import annotations

import pytest
from makeittalk_lab.training.train import TASKS
from project import CONFIGS


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.toml")))
def test_shipped_recipes_can_be_read(name: str) -> None:
    config, _ = TASKS[name.partition("_")[0]]
    assert config.load(CONFIGS / f"{name}.toml").steps > 0
