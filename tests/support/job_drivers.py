"""Programs around jobs that no command runs: `python job_drivers.py serve|import|install …`.

Each ends with 0, or with 2 and one sentence on standard error, as commands do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WIDTH = 60_000  # numbers along the first tensor of a checkpoint: 5 MB a network


def serve(request_file: str) -> int:
    """Starts the backend as the add-on does, sends it what the file holds, and waits until that is done."""
    from makeittalk.exchange import protocol
    from project import BACKEND

    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    command = [sys.executable, "-I", str(BACKEND / "serve.py")]
    backend = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert backend.stdin is not None and backend.stdout is not None
    backend.stdin.write((json.dumps({"id": 1, **request}) + "\n").encode())
    backend.stdin.flush()
    status = 3
    for line in backend.stdout:
        reply = protocol.decode_reply(line)
        if reply.kind == "error":
            print(f"makeittalk: {reply.message} {reply.hint}".strip(), file=sys.stderr)
            status = 2
        elif reply.kind == "result":
            status = 0
        if reply.kind == "done":
            break
    backend.stdin.close()
    backend.wait()
    return status


def import_weights(clone: str) -> int:
    """`makeittalk weights import` of checkpoints in which each network has a few small tensors."""
    import released_clone
    from makeittalk.cli.main import main
    from makeittalk.weights import importer

    layout = released_clone.small_layout(WIDTH)
    importer.released_layout = lambda: layout
    return main(["weights", "import", clone])


def install(bench: str, home: str) -> int:
    """Installs the environment of a folder with `wheels`, `locks` and `backend`."""
    from extension import part_outside

    installer, installation = part_outside("addon.core.installer"), part_outside("addon.core.installation")
    root = Path(bench)
    plan = installer.Plan(
        "cpu", root / "wheels", own=Path(sys._base_executable), locks=root / "locks", backend=root / "backend"
    )
    running = installer.Installer(plan, installation.Installation(Path(home), "test"))
    running.start()
    running.join()
    if running.error is not None:
        print(f"makeittalk: {running.error.message} {running.error.hint}".strip(), file=sys.stderr)
        return 2
    return 0 if running.finished_well else 3


if __name__ == "__main__":
    programs = {"serve": serve, "import": import_weights, "install": install}
    raise SystemExit(programs[sys.argv[1]](*sys.argv[2:]))
