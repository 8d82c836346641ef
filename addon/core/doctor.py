"""Reads what `makeittalk doctor --json` has found. No bpy here."""

from __future__ import annotations

from typing import Any

from ...backend.makeittalk.exchange import bounded_json


def fault(text: str) -> str:
    """What is wrong, as the end of a sentence; empty where everything that is needed works.

    Args:
        text: what the doctor has printed; libraries may have said something before.
    """
    found = findings(text)
    if not found:
        said = next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")
        return said.strip()[:300]
    wrong = [item for item in found if item.get("needed") and not item.get("ok")]
    return f"{wrong[0].get('name', '?')}: {str(wrong[0].get('finding', ''))[:300]}" if wrong else ""


def praise(text: str) -> str:
    """A sentence for an installation without a fault."""
    found = findings(text)
    torch = next((str(item.get("finding")) for item in found if item.get("name") == "torch"), "?")
    lacking = [str(item.get("name")) for item in found if not item.get("ok")]
    without = f" Not there, and not needed: {', '.join(lacking)}." if lacking else ""
    return f"Everything that is needed works: torch {torch}.{without}"


def findings(text: str) -> list[dict[str, Any]]:
    """The single findings; none where the text holds none."""
    start = text.find('{\n "ok"')
    try:
        value = bounded_json.loads(text[start : text.rindex("}") + 1] if start >= 0 else "")
        return [item for item in value["findings"] if isinstance(item, dict)]
    except (ValueError, TypeError, KeyError):
        return []
