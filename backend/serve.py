"""What the add-on starts: `python -I backend/serve.py`. Puts its own folder on the path and serves the protocol."""

import sys
from pathlib import Path


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from makeittalk.jobs.server import serve

    return serve()


if __name__ == "__main__":
    raise SystemExit(main())
