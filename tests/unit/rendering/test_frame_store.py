"""The folder of finished frames, with a record and with files that somebody else has put there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.errors import OutputError
from makeittalk.rendering.frame_store import RECORD, FrameStore, Shown, encode
from measured import measured

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


@pytest.mark.parametrize("line", [b"0\n", b'{"frame": 1}\n', b"x" * 1_000 + b"\n"], ids=["0", "frames", "long"])
def test_a_record_of_other_lines_is_set_aside(tmp_path: Path, line: bytes) -> None:
    """Neither a wait nor the end of every later run: the frames are drawn anew."""
    with FrameStore(tmp_path) as store:
        store.put(1, PNG, SHOWN)
    (tmp_path / RECORD).write_bytes(line * (30_000_000 // len(line)))
    with FrameStore(tmp_path) as store:
        assert not store.has(1, SHOWN)
        assert [notice.count("set aside as frames.damaged.jsonl") for notice in store.notices] == [1]
        store.put(1, PNG, SHOWN)
    with FrameStore(tmp_path) as store:
        assert store.has(1, SHOWN) and not store.notices


def test_a_record_of_empty_lines_is_read_in_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(b'{"format": 1}\n' + b"\n" * 255 * 2**20)
    read = (
        "from makeittalk.rendering.frame_store import FrameStore\nwith FrameStore(sys.argv[2]) as s: print(s.notices)"
    )
    said, memory = measured(read, tmp_path)
    assert said == "[]" and memory < 800, memory


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
