"""Where the project's files are, and the data beside it that tests use where it is there."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend"
SUPPORT = ROOT / "tests" / "support"
ASSETS = BACKEND / "makeittalk" / "assets"
CONFIGS = BACKEND / "makeittalk_lab" / "training" / "configs"
#: The training data, which is not part of the project.
DATA = Path(os.environ.get("MAKEITTALK_DATA") or ROOT.parent / "shared" / "data")
#: What the released networks answer for a known filling: released_networks.npz and .json.
REFERENCE = Path(os.environ.get("MAKEITTALK_REFERENCE") or ROOT.parent / "shared" / "reference")
