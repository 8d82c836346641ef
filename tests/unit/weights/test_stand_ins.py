"""Empty modules: there while a library is imported, gone afterwards, never in the place of what is loaded."""

from __future__ import annotations

import importlib
import sys
import types

import pytest
from makeittalk.weights.stand_ins import empty_modules

NAMES = ("no_such_package", "no_such_package.plot")


def test_a_missing_package_can_be_imported_meanwhile() -> None:
    with empty_modules(*NAMES):
        import no_such_package.plot as plot  # type: ignore[import-not-found]

        assert plot is sys.modules["no_such_package"].plot and not hasattr(plot, "figure")
    assert not set(NAMES) & sys.modules.keys()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_package.plot")


def test_what_is_loaded_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    real = types.ModuleType("no_such_package")
    monkeypatch.setitem(sys.modules, "no_such_package", real)
    with empty_modules(*NAMES):
        assert sys.modules["no_such_package"] is real
    assert sys.modules["no_such_package"] is real and "no_such_package.plot" not in sys.modules


def test_the_names_are_free_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), empty_modules(*NAMES):
        1 / 0  # noqa: B018
    assert not set(NAMES) & sys.modules.keys()
