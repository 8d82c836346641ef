"""What the add-on starts: `python -I backend/serve.py` serves the protocol, `… serve.py doctor` tries the installation.

Puts its own folder on the path: the package need not be installed.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path

#: Modules without which nothing can be answered; the lock brings more, which say so themselves when they are missed.
NEEDED = ("numpy", "torch", "scipy", "cv2", "av", "soundfile", "safetensors", "PIL")


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    if sys.argv[1:2] == ["doctor"]:
        from makeittalk.cli.main import main as command_line

        return command_line(["doctor", "--json"])
    from makeittalk.exchange.blas import use_one_thread, wait_asleep

    use_one_thread()
    wait_asleep()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return lament(missing)
    from makeittalk.jobs.server import serve

    return serve()


def lament(missing: list[str]) -> int:
    """Answers every request with the sentence that says what this Python lacks; standard library only."""
    message = f"This Python lacks {', '.join(missing)}: {sys.executable}."
    print(message, file=sys.stderr, flush=True)
    error = {"kind": "error", "code": "missing", "message": message, "hint": "Press Install Backend."}
    for line in sys.stdin.buffer:
        number = re.search(rb'"id": ?(\d{1,15})\b', line)
        if number is None:
            continue
        for reply in (error, {"kind": "done"}):
            sys.stdout.write(json.dumps({"id": int(number[1]), **reply}) + "\n")
        sys.stdout.flush()
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
