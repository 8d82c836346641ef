"""What the manifest says of the extension, beside what the extension does."""

from __future__ import annotations

import re
import tomllib

from project import ROOT

MANIFEST = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "addon").rglob("*.py"))
#: What an add-on does for which Blender wants each permission declared.
TRACES = {
    "clipboard": r"\.clipboard\b",
    "camera": r"\bVideoCapture\b",
    "microphone": r"\b(sounddevice|pyaudio|AudioRecord)\b",
}


def test_every_permission_is_used_and_every_use_declared():
    permissions = MANIFEST["permissions"]
    used = {name for name, trace in TRACES.items() if re.search(trace, CODE)}
    assert set(permissions) == {"files", "network", *used}
    for reason in (*permissions.values(), MANIFEST["tagline"]):
        assert len(reason) <= 64 and reason[-1].isalnum()


def test_nothing_connects_without_blenders_leave():
    """Whoever reaches for the network does it where online access is asked for; the add-on opens no connection."""
    assert not re.search(r"^\s*(import|from) (urllib\.request|http\.client|socket|requests|ssl)\b", CODE, re.MULTILINE)
    for path in (ROOT / "addon" / "jobs").glob("install.py"):
        assert "bpy.app.online_access" in path.read_text(encoding="utf-8")


def test_holders_of_copyright_are_those_of_the_licences():
    named = " ".join(MANIFEST["copyright"])
    licences = list((ROOT / "backend" / "makeittalk" / "weights").glob("LICENSE.*"))
    assert licences
    for path in licences:
        assert path.suffix[1:].lower() in named.lower(), path.name
