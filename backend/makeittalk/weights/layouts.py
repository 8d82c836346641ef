"""What stands in the metadata of a file of weights: today's layout, and the older ones of each network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exchange import bounded_json

FORMAT = 1
CURRENT = "2"  # data: config and all else that using the network needs; notes: what training wrote down


def data_and_notes(meta: Mapping[str, str], kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The data and the notes in a file's metadata, as today's layout has them.

    Raises:
        ValueError, KeyError, TypeError, OverflowError: they are of another kind or format, or damaged.
    """
    if meta["kind"] != kind or int(meta["format"]) != FORMAT:
        raise ValueError("another kind")
    notes = dict(bounded_json.loads(meta.get("notes", "{}")))
    if kind == "content" and "data" not in meta:  # 0.1: one entry each
        data = {"config": bounded_json.loads(meta["config"]), "average": bounded_json.loads(meta["voice"])}
        return data | {"features": str(notes.get("features", "mel"))}, notes
    data = dict(bounded_json.loads(meta["data"]))
    if meta.get("layout") == CURRENT:
        return data, notes
    if kind == "speaker":
        return data | {"features": data["hears"]}, notes
    if kind == "image":
        return {"variant": str(data["kind"]), "config": data["config"]}, dict(data["notes"])
    return data, notes
