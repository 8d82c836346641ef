"""What the add-on starts: `python -I backend/serve.py`. Puts its own folder on the path and serves the protocol."""

import os
import sys
from pathlib import Path


def main() -> int:
    # The protocol keeps its own copy of standard output; whatever a library prints goes to the log instead.
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from makeittalk.server import Server

    return Server(sys.stdin.buffer, channel).run()


if __name__ == "__main__":
    raise SystemExit(main())
