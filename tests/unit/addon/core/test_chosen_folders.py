"""Folders that the user has chosen, remembered from one session to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from extension import part_outside

folders = part_outside("addon.core.chosen_folders")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(folders, "_session", [])
    return tmp_path / "home"


def test_a_folder_is_chosen_with_all_that_lies_in_it_and_in_later_sessions(home, tmp_path, monkeypatch):
    frames = tmp_path / "frames"
    assert not folders.is_chosen(frames)
    folders.remember(frames)
    monkeypatch.setattr(folders, "_session", [])  # Blender is started again
    assert folders.is_chosen(frames) and folders.is_chosen(frames / "shot")
    assert not folders.is_chosen(tmp_path) and not folders.is_chosen(tmp_path / "frames2")
    assert not folders.is_chosen(frames / ".." / "other")


def test_links_are_followed(home, tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    folders.remember(tmp_path / "frames")
    assert folders.is_chosen(tmp_path / "link" / "frames")
    (tmp_path / "frames" / "out").symlink_to(tmp_path / "elsewhere")
    assert not folders.is_chosen(tmp_path / "frames" / "out")


def test_the_newest_two_hundred_are_kept(home, tmp_path):
    for number in range(205):
        folders.remember(tmp_path / f"f{number}")
    assert folders.is_chosen(tmp_path / "f204") and not folders.is_chosen(tmp_path / "f4")
    assert len(json.loads((home / "folders.json").read_text())["folders"]) == 200


@pytest.mark.parametrize("text", ["", "{", "[]", '{"folders": 5}', '{"folders": [5, "x", "../y", null]}', "[" * 90_000])
def test_a_damaged_file_names_none(home, tmp_path, text):
    home.mkdir()
    (home / "folders.json").write_text(text)
    assert not folders.is_chosen(Path("x")) and not folders.is_chosen(tmp_path)
    folders.remember(tmp_path / "frames")
    assert folders.is_chosen(tmp_path / "frames")


def test_where_nothing_can_be_kept_it_is_known_for_the_session(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(folders, "_session", [])
    folders.remember(tmp_path / "frames")
    assert folders.is_chosen(tmp_path / "frames")


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, ""])
def test_what_is_no_path_is_not_chosen(home, path):
    folders.remember(Path(path))
    assert not folders.is_chosen(Path("/somewhere"))
