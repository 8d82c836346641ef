"""The folder of finished frames, with a record and with files that somebody else has put there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.errors import OutputError
from makeittalk.rendering.frame_store import RECORD, FrameStore, Shown, encode

SHOWN = Shown("character", "vertices")
PNG = encode(np.full((4, 4, 4), 255, np.uint8))
WHOLE = '{"frame": 1, "character": "character", "vertices": "vertices"}'


@pytest.mark.parametrize(
    "line",
    [
        '{"frame": 1e400}',
        '{"frame": 1e400, "character": "", "vertices": ""}',
        '{"frame": 1' + "0" * 400 + "}",
        '{"frame": NaN}',
        '{"frame": [1]}',
        "[" * 100_000,
        '{"vertices": ' + "[" * 90 + "]" * 90 + "}",
        "[]",
        "\ufffd",
    ],
    ids=lambda line: line[:24],
)
def test_a_bad_line_of_the_record_spoils_no_other(tmp_path: Path, line: str) -> None:
    with FrameStore(tmp_path) as store:
        store.put(1, PNG, SHOWN)
    record = tmp_path / RECORD
    record.write_text(f'{{"format": 1}}\n{line}\n{WHOLE}\n{line}\n', encoding="utf-8")
    with FrameStore(tmp_path) as store:
        assert store.has(1, SHOWN)
    assert record.read_text() == f'{{"format": 1}}\n{WHOLE}\n'


def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    with FrameStore(tmp_path) as store:
        store.put(1, PNG, SHOWN)
        store.path(1).unlink()
        os.mkfifo(store.path(1))
        assert not store.has(1, SHOWN)
        with pytest.raises(OutputError, match="pipe"):
            store.put(1, PNG, SHOWN)
        assert store.path(1).is_fifo()
    (tmp_path / RECORD).unlink()
    os.mkfifo(tmp_path / RECORD)
    with pytest.raises(OutputError, match="pipe"):
        FrameStore(tmp_path)
