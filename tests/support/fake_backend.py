"""A backend that misbehaves on request: `python fake_backend.py MANNER`. It speaks the protocol, nothing more."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

manner = sys.argv[1]


def say(**reply: object) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def main() -> None:
    if manner == "dies at once":
        sys.exit("ModuleNotFoundError: No module named 'torch'")
    if manner == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        number, method = message["id"], message["method"]
        if method == "hello":
            say(id=number, kind="result", data={"version": 99 if manner == "other version" else 1, "devices": ["cpu"]})
            say(id=number, kind="done")
        elif method == "cancel":
            if manner not in ("slow", "deaf"):
                say(id=message["params"]["target"], kind="error", code="cancelled", message="Cancelled.")
                say(id=message["params"]["target"], kind="done")
                say(id=number, kind="done")
        elif method == "shutdown":
            return
        else:
            work(number, message["params"])


def work(number: int, params: dict) -> None:
    say(id=number, kind="progress", fraction=0.25, stage="Listening", seconds_left=3.0)
    if manner == "crashes":
        print("RuntimeError: out of memory", file=sys.stderr, flush=True)
        os._exit(3)
    if manner == "chatty":
        sys.stdout.write("Loaded the voice encoder model on cpu\n{\n[1]\n" + "x" * 3_000_000 + "\n")
        say(id=number, kind="no such kind")
        say(id=number + 1000, kind="result", data={})
    if manner in ("slow", "deaf"):
        time.sleep(60)
    if manner == "patient":
        return  # it waits for the cancel
    if manner == "refuses":
        say(id=number, kind="error", code="input", message="x.png holds no face.", hint="Choose another picture.")
    else:
        data = {"portrait": params.get("portrait", ""), "environment": dict(os.environ)}
        say(id=number, kind="result", data=data)
    say(id=number, kind="done")


main()
