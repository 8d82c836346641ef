"""`python backend/wheels.py FOLDER` from the unpacked extension: see `makeittalk/cli/wheels.py`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from makeittalk.cli.wheels import main

    raise SystemExit(main())
