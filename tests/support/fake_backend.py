"""A backend that misbehaves on request: `python fake_backend.py MANNER`. It speaks the protocol, nothing more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "backend"))
from makeittalk.exchange.protocol import MAX_LINE, VERSION

#: Lines that are no replies, whatever their reader makes of numbers and of nesting.
HOSTILE = (
    '{"id": 1' + "0" * 400 + "}",
    '{"id": ID, "kind": "progress", "fraction": 1' + "0" * 400 + "}",
    '{"id": ID, "kind": "progress", "fraction": 1e400}',
    '{"id": ID, "kind": "progress", "seconds_left": NaN}',
    '{"id": ID, "kind": "result", "data": {"x": [' + "9" * 5000 + "]}}",
    "[" * 100_000,
    '{"id": ID, "kind": "result", "data": ' + '{"a":' * 900 + "1" + "}" * 901,
    "x" * MAX_LINE + '{"id": ID, "kind": "done"}',
    "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
)

#: What a request is answered with.
REPLIES = (
    {"kind": "progress", "fraction": 0.5},
    {"kind": "part", "data": {"portrait": "p"}},
    {"kind": "result", "data": {"portrait": "p"}},
    {"kind": "done"},
)
manner = sys.argv[1]


def say(**reply: object) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def main() -> None:
    if manner == "held":  # a child keeps its output open beyond its death
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])
    if manner == "dies at once":
        sys.exit("ModuleNotFoundError: No module named 'torch'")
    if manner == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        number, method = message["id"], message["method"]
        if method == "hello":
            say(
                id=number,
                kind="result",
                data={"version": 99 if manner == "other version" else VERSION, "devices": ["cpu"]},
            )
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
    if manner.startswith("dies after"):
        last = int(manner.rpartition(" ")[2])
        for written, reply in enumerate(REPLIES):
            if written == last:
                sys.stdout.write(json.dumps({"id": number, **reply})[: 20 * (last % 2)])  # or in the middle of a line
                sys.stdout.flush()
                os._exit(3)
            say(id=number, **reply)
    if manner == "held":
        say(id=number, kind="result", data={"portrait": "p"})
        say(id=number, kind="done")
        os._exit(3)
    if manner == "says nothing":
        return say(id=number, kind="done")
    if manner == "done twice":
        for _ in range(2):
            say(id=number, kind="result", data={"portrait": params["portrait"]})
            say(id=number, kind="done")
        say(id=number, kind="error", code="input", message="Too late.")
        return say(id=number, kind="progress", fraction=0.1)
    if manner == "floods":
        line = json.dumps({"id": number, "kind": "progress", "fraction": 0.5, "stage": "x" * 100_000}) + "\n"
        for _ in range(3000):
            sys.stdout.write(line)
    if manner == "chatty":
        sys.stdout.write("Loaded the voice encoder model on cpu\n{\n[1]\n" + "x" * 3_000_000 + "\n")
        say(id=number, kind="no such kind")
        say(id=number + 1000, kind="result", data={})
    if manner == "hostile":
        # What names the job ends it; here everything is said about a job that nobody has asked for.
        sys.stdout.write("".join(line.replace("ID", str(number + 1000)) + "\n" for line in HOSTILE))
    if manner == "unreadable":
        say(id=number, kind="result", data={"seconds": 1e30, "x": 10**400})
        return say(id=number, kind="done")
    if manner in ("slow", "deaf"):
        time.sleep(60)
    if manner == "patient":
        return  # it waits for the cancel
    if manner == "refuses":
        say(id=number, kind="error", code="input", message="x.png holds no face.", hint="Choose another picture.")
    else:
        if manner == "shows parts":
            for until in (0.0, 4.0, 20.0):
                say(id=number, kind="part", data={"portrait": "p.png", "until": until, "final": until == 20.0})
        if manner == "unreadable part":
            say(id=number, kind="part", data={"until": 1e30})
        data = {"portrait": params.get("portrait", ""), "environment": dict(os.environ)}
        say(id=number, kind="result", data=data)
    say(id=number, kind="done")


main()
