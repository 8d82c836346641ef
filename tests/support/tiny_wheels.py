"""Wheels of a few bytes and a lock over them, for installations that take seconds instead of minutes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import uuid
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from project import BACKEND

LOCKS = BACKEND / "makeittalk" / "locks"
#: What stands for the backend: it finds fault where a package cannot be imported.
SERVE = """
import importlib, json
findings = []
for name in ("alpha", "beta", "torch"):
    try:
        findings.append({"name": name, "needed": True, "ok": True, "finding": importlib.import_module(name).WORD})
    except Exception as error:
        findings.append({"name": name, "needed": True, "ok": False, "finding": f"{type(error).__name__}: {error}"})
ok = all(item["ok"] for item in findings)
print(json.dumps({"ok": ok, "findings": findings}, indent=1))
raise SystemExit(0 if ok else 2)
"""


def write_wheel(folder: Path, name: str, version: str, code: str = "WORD = 'here'\n", ballast: int = 0) -> Path:
    """A wheel that holds one module; `ballast` bytes that do not compress lie beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info".replace("+", "+")
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr(f"{name}.py", code)
        if ballast:
            bundle.writestr(f"{name}_ballast.bin", os.urandom(ballast))
        bundle.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        bundle.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        bundle.writestr(f"{info}/RECORD", "")
    return path


def write_lock(folder: Path, wheels: list[Path], platform: str, download: int = 1000, disk: int = 1000) -> Path:
    """A lock over wheels for this Python, beside the project's own lock of pip and uv."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"# made by a test\n# download: {download}\n# disk: {disk}\n"]
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    path = folder / f"{platform}-py{sys.version_info[0]}{sys.version_info[1]}.txt"
    path.write_text("".join(lines))
    for name in ("pip.txt", "uv.txt"):
        (folder / name).write_bytes((LOCKS / name).read_bytes())
    return path


def fetch_pip(folder: Path) -> None:
    """Puts the pip that the project has locked into a folder of wheels."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--require-hashes", "-d", str(folder), "-r", str(LOCKS / "pip.txt")], check=True)


class Index:
    """A package index on the loopback, whose faults can be chosen.

    Attributes:
        manner: "well", "cut" (the download of beta ends half-way) or "slow" (it does not get on).
        asked: paths, in their order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.manner, self.asked = folder, "well", list[str]()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.answer(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        # pip keeps what it was given by address, between runs, and ports come again.
        self._root = f"/{uuid.uuid4().hex}"
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{self._root}/simple"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.removeprefix(self._root)
        self.asked.append(path)
        parts = path.strip("/").split("/")
        if parts[0] == "simple":
            own = [path.name for path in self.folder.iterdir() if path.name.split("-")[0].replace("_", "-") == parts[1]]
            body = "".join(f'<a href="{self._root}/files/{name}">{name}</a>' for name in own).encode()
            self._head(request, 200 if own else 404, "text/html", len(body))
            request.wfile.write(body)
            return
        content = (self.folder / parts[-1].replace("%2B", "+")).read_bytes()
        self._head(request, 200, "application/octet-stream", len(content))
        half = content[: len(content) // 2]
        if self.manner == "well" or not parts[-1].startswith("beta"):
            request.wfile.write(content)
            return
        request.wfile.write(half)
        request.wfile.flush()
        if self.manner == "slow":
            threading.Event().wait(60)
        request.connection.close()

    @staticmethod
    def _head(request: BaseHTTPRequestHandler, status: int, kind: str, length: int) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(length))
        request.send_header("Cache-Control", "max-age=365000000, immutable")  # as the real index says of its files
        request.end_headers()
