"""A backend that is asked for everything, over and over, with cancels, bad lines and kills: what it promises, it keeps.

Memory is the resident size of the process, measured when nothing is asked for and the memory of idle networks has been
given back (`serve --idle-seconds`). It is settled when the process that is not killed has been asked for everything
once, and for a third of the rest.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from campaign_figures import record
from makeittalk.exchange import owner, protocol, temporary
from mixed_requests import BAD_LINES, SHARES, Mixed
from project import BACKEND

SEED = int(os.environ.get("MAKEITTALK_SEED", "17"))
IDLE = 0.4  # s until memory is given back
LONGEST = 240.0  # s that an answer may take, and that it may take until nothing is done any more
STILL = 5 * IDLE  # s without work after which there is none
AT_ONCE = 4  # requests that are open together

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory and children are read in /proc")


class Asked:
    """A running backend and what it has said."""

    def __init__(self, work: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(BACKEND), "MAKEITTALK_HOME": str(work / "home")}
        environment |= temporary.environment(work / "temp")
        command = [sys.executable, "-m", "makeittalk.cli.main", "serve", "--idle-seconds", str(IDLE)]
        self._log = open(work / "log", "ab")  # noqa: SIM115 (closed with the process)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            cwd=work,
            start_new_session=True,
        )
        self.done: Counter[int] = Counter()
        self.results: dict[int, dict] = {}
        self.codes: Counter[str] = Counter()
        self.of_nobody = 0  # errors about lines without an id
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # killed in the middle of it
            reply = protocol.decode_reply(line)
            with self._changed:
                if reply.kind == "error":
                    self.codes[reply.code] += 1
                    self.of_nobody += reply.id == 0
                elif reply.kind == "result":
                    self.results[reply.id] = reply.data
                elif reply.kind == "done":
                    self.done[reply.id] += 1
                self._changed.notify_all()

    def send(self, line: bytes) -> None:
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def wait(self, numbers: list[int], left: int = 0) -> None:
        """Waits until of some requests only `left` are not done."""
        with self._changed:
            over = self._changed.wait_for(lambda: sum(not self.done[n] for n in numbers) <= left, LONGEST)
        assert over, f"no answer to {[n for n in numbers if not self.done[n]]}"

    def memory(self, what: str = "VmRSS") -> int:
        """Its resident bytes now; "VmHWM" for the most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1]) * 1024

    def memory_at_rest(self) -> int:
        """Its resident bytes once it has nothing more to do: it has loaded what it loads after a greeting, and has then
        given back what it can. Whoever does either takes a core, even a shared one."""
        until = time.monotonic() + LONGEST
        worked, since = self._work(), time.monotonic()
        while time.monotonic() < since + STILL:
            assert time.monotonic() < until, "it does not come to rest"
            time.sleep(0.1)
            if self._work() > worked + 0.02:
                worked, since = self._work(), time.monotonic()
        return self.memory()

    def _work(self) -> float:
        """Seconds of a core that it has taken."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        self.process.stdin.close()
        status = self.process.wait(60)
        self._reader.join(60)
        self.process.stdout.close()
        self._log.close()
        return status

    def left(self) -> list[int]:
        """Processes of its session."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    told = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(told[3]) == self.process.pid and told[0] not in "ZX":
                    found.append(int(entry.name))
        return found


def remove_jobs(work: Path, done: Counter[int] | None) -> None:
    """Removes the folders of jobs that are done, or of all, as the add-on does; but for what the first has made."""
    for folder in (work / "jobs").iterdir():
        if folder.name != "0" and (done is None or done[int(folder.name)]):
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("requests", "kills"),
    [pytest.param(200, 2, id="200"), pytest.param(2000, 12, id="2000", marks=[pytest.mark.campaign])],
)
@pytest.mark.timeout(3600)
def test_every_request_is_done_once_and_nothing_is_left(requests: int, kills: int, tmp_path: Path) -> None:
    print(f"seed {SEED}: MAKEITTALK_SEED names another", flush=True)
    begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    rng = random.Random(SEED)
    (tmp_path / "temp").mkdir()
    mixed = Mixed(rng, tmp_path)
    backend = Asked(tmp_path)
    first = mixed.first(tmp_path / "jobs" / "0")
    backend.send(protocol.encode_request(1, first))
    backend.wait([1])
    at_work, at_rest = backend.memory("VmHWM"), backend.memory_at_rest()
    assert at_rest < 0.85 * at_work, "idle memory does not return"
    mixed.take(protocol.AnimateData.from_dict(backend.results[1]))

    # The first third of all is asked of processes that are killed, the rest of one that lives.
    deaths = sorted(rng.sample(range(2, requests // 3), kills), reverse=True)
    once = list(SHARES)
    kinds: Counter[str] = Counter()
    sent: list[int] = [1]  # of this process
    settled, number, lives_from, lines_without_id, lost = 0, 1, 1, 0, 0
    of_nobody, codes = 0, Counter[str]()

    def check() -> None:
        """Each request of this process is done once at most, and each that it lived for exactly once."""
        assert set(backend.done) <= set(sent) and set(backend.done.values()) <= {1}

    while number < requests:
        number += 1
        folder = tmp_path / "jobs" / str(number)
        if not deaths and once:
            kind, request = mixed.request(folder, once.pop())
            line = protocol.encode_request(number, request)
        elif rng.random() < 0.15:
            target = rng.choice([number - 1, number - 1, rng.choice(sent or [1]), number + 1, number, -1, 0, 2**31 - 1])
            line, kind = protocol.encode_request(number, protocol.Cancel(target)), "cancel"
        else:
            kind, request = mixed.request(folder)
            line, hostile = mixed.line(number, request)
            kind = "hostile" if hostile else kind
        if rng.random() < 0.1:
            backend.send(rng.choice(BAD_LINES))
            lines_without_id += 1
        if rng.random() < 0.02:
            backend.send(b'{"id": 3, "method": "hello", "x": "' + b"x" * rng.randrange(2**20, 3 * 2**20) + b'"}\n')
            lines_without_id += 1
        kinds[kind] += 1
        sent.append(number)
        backend.send(line)
        backend.wait(sent[-3 * AT_ONCE :], left=AT_ONCE - 1)
        if deaths and number >= deaths[-1]:
            deaths.pop()
            time.sleep(rng.random() * 0.5)
            backend.kill()
            check()
            assert backend.left() == []
            lost += sum(not backend.done[n] for n in sent)
            of_nobody, codes = of_nobody + backend.of_nobody, codes + backend.codes
            backend, sent, lines_without_id = Asked(tmp_path), [], 0  # what a killed one would have said is not known
            lives_from = number
            remove_jobs(tmp_path, None)  # as the add-on does whose backend has died
        if not deaths and not settled and number >= lives_from + (requests - lives_from) // 3:
            backend.wait(sent)
            settled = backend.memory_at_rest()
        remove_jobs(tmp_path, backend.done)
    backend.wait(sent)
    last = backend.memory_at_rest()
    peak = backend.memory("VmHWM")
    assert backend.end() == 0 and backend.left() == []
    assert backend.done == Counter(sent), "each exactly once"
    check()
    assert backend.of_nobody == lines_without_id
    codes += backend.codes
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    record(
        "requests of the backend",
        {
            "seed": SEED,
            "requests": number,
            "kinds": dict(kinds),
            "errors": dict(codes),
            "lines without an id": of_nobody + backend.of_nobody,
            "kills": kills,
            "lost with a killed process": lost,
            "memory after one character, then at rest, MB": [round(value / 1e6) for value in (at_work, at_rest)],
            "memory at rest, settled and last, MB": [round(value / 1e6, 1) for value in (settled, last)],
            "memory, change": f"{(last - settled) / settled:+.1%}",
            "memory at most, MB": round(peak / 1e6),
            "seconds": round(time.monotonic() - begun),
            "seconds of a core": round(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime),
        },
    )
    assert codes["internal"] == 0, (tmp_path / "log").read_text(errors="replace")[-3000:]
    assert abs(last - settled) <= 0.05 * settled
    assert list((tmp_path / "temp").iterdir()) == []
    assert [path for path in tmp_path.rglob(f"{temporary.BESIDE}*") if owner.mine() not in path.name] == []
