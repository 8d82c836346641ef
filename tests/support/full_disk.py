"""Disks that are full: a limit on the size of files, which any machine has, and a small file system of one's own.

The second is mounted in a mount namespace of the process's own, over a folder that the harness made: nobody else sees
it, and it goes with the process.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from job_runs import SHARED, TIDIES, Bench, Figures, sentences

_SCRIPT = r"""
set -u
work=$1; size=$2; old=$3; result=$4; shift 4
mount -t tmpfs -o size="$size" tmpfs "$work" || exit 97
mkdir "$work/out" "$work/tmp" && cp -a "$old/." "$work/out/" || exit 96
"$@" 2>"$result/said"
echo $? >"$result/status"
cp -a "$work/out" "$result/out"; ls -A "$work/tmp" >"$result/tmp"
rm -rf "$work/tmp"/* "$work/tmp"/.[!.]* 2>/dev/null
mount -o remount,size=1g "$work" || exit 95
"$@" 2>"$result/said-again"
echo $? >"$result/status-again"
cp -a "$work/out" "$result/out-again"
"""


@lru_cache(maxsize=1)
def no_mounts() -> str:
    """Why no file system can be mounted in a namespace of one's own; empty where it can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "there are no mount namespaces here"
    script = "mount -t tmpfs -o size=64k tmpfs /mnt"
    done = subprocess.run([*_UNSHARE, "sh", "-c", script], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no file system can be mounted: {done.stderr.strip()}"


_UNSHARE = ("unshare", "-rm", "--propagation", "private")


def fill(bench: Bench, times: int, chance: random.Random) -> Figures:
    """Runs a job on a file system that is full after an amount of chance, and again once it has grown."""
    figures = Figures()
    for turn in range(times):
        former = bench.reset(old=turn % 2 == 1)
        least = 4096 * (1 + len(former))
        most = max(bench.peak, least + 4096)
        size = chance.randint(least, most if turn % 3 else least + (most - least) // 4)
        result = bench.own.folder("result", str(turn))
        old = bench.own.folder("former", str(turn))
        for name, data in former.items():
            (old / name).parent.mkdir(parents=True, exist_ok=True)
            (old / name).write_bytes(data)
        bench.own.check(bench.work)
        arguments = [str(bench.work), str(size), str(old), str(result), *bench.command]
        done = subprocess.run(
            [*_UNSHARE, "sh", "-c", _SCRIPT, "_", *arguments],
            env=bench.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=500,
            check=False,
        )
        assert (result / "status-again").is_file(), done.stderr
        status = int((result / "status").read_text())
        told = f"{size} bytes: "
        left = (result / "tmp").read_text().split()
        _check(bench, status, (result / "said").read_text(), bench.job.contents(result / "out"), former, left, told)
        again = int((result / "status-again").read_text())
        assert again == 0, told + (result / "said-again").read_text()
        assert bench.job.contents(result / "out-again") == bench.whole, f"{told}the next run differs"
        figures.full += status != 0
        figures.fitted += status == 0
        shutil.rmtree(bench.own.check(result))
        shutil.rmtree(bench.own.check(old))
    return figures


def limit(bench: Bench, times: int, chance: random.Random) -> Figures:
    """Runs a job none of whose files may grow beyond a size of chance, and again without that limit."""
    import resource

    figures = Figures()
    largest = bench.sizes[-1]
    for turn in range(times):
        former = bench.reset(old=turn % 2 == 1)
        size = round(2.0 ** chance.uniform(5.0, float(largest.bit_length())))

        def limited(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        done = bench.run(preexec_fn=limited)
        left = bench.temporary()
        found = bench.job.contents(bench.out)
        _check(bench, done.returncode, done.stderr, found, former, left, f"files of {size} bytes: ")
        figures.full += done.returncode != 0
        figures.fitted += done.returncode == 0
        bench.check_next(figures)
    return figures


def _check(
    bench: Bench,
    status: int,
    said: str,
    found: dict[str, bytes],
    former: dict[str, bytes],
    left: list[str],
    told: str,
) -> None:
    """Sees to it that it ended well, or with one sentence and nothing lost or half-written."""
    lines = [line for line in sentences(said) if line not in bench.said]
    assert "Traceback" not in said, told + said
    temporary = [name for name in found if any(part.startswith((".mit-", ".new-")) for part in Path(name).parts)]
    assert not temporary, f"{told}left {temporary}"
    # Blender's own session folder is tidied by the backend where that tidies at all.
    allowed = SHARED if TIDIES else (*SHARED, "blender_")
    assert not [name for name in left if not name.startswith(allowed)], f"{told}left {left} in the temporary folder"
    if status == 0:
        assert found == bench.whole, f"{told}other files"
        return
    plain = all(line.startswith("makeittalk: ") for line in lines)
    assert status == 2 and 1 <= len(lines) <= bench.job.sentences and plain, f"{told}{status} {said}"
    assert "Internal error" not in said, told + said
    bench.check_whole(found, former)  # what was finished before may be there; nothing else has changed
