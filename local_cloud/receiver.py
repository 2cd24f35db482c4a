"""The customer's URL, as far as trying things out needs one: takes every push, shows it, keeps it.

`POST /_mode` with `{"status": 500}`, `{"hang_s": 20}` or `{"status": 200}` makes it fail, hang or work again;
`"headers"` adds headers to its answers, `"times"` ends the mode after so many pushes.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from local_cloud.lifeline import announce, live_with_parent


@dataclass(frozen=True)
class Mode:
    """How pushes are answered, and how many of them; -1 for all."""

    status: int = 200
    hang_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    times: int = -1


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, file: Path, quiet: bool) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._file, self._quiet = file, quiet
        self._lock = threading.Lock()
        self._mode = Mode()
        file.touch()

    def set_mode(self, wanted: dict[str, object]) -> None:
        with self._lock:
            self._mode = Mode(**wanted)  # type: ignore[arg-type] # a wrong key or type is the tester's own

    def take(self, push: dict[str, object]) -> Mode:
        """Keeps one push; how to answer it."""
        with self._lock:
            mode = self._mode
            if mode.times > 0:
                self._mode = Mode(mode.status, mode.hang_s, mode.headers, mode.times - 1) if mode.times > 1 else Mode()
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**push, "answered": mode.status}, ensure_ascii=False) + "\n")
        if not self._quiet:
            print(describe(push, mode), flush=True)
        return mode


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_mode":
            self.server.set_mode(json.loads(body))
            self._answer(Mode())
        else:
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        mode = self.server.take(self._push(body))
        time.sleep(mode.hang_s)
        self._answer(mode)

    def _push(self, body: bytes) -> dict[str, object]:
        url = urlsplit(self.path)
        parameters = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        return {
            "at": time.time(),
            "method": self.command,
            "target": self.path,
            "path": url.path,
            "parameters": json.loads(body) if body else parameters,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(errors="replace"),
        }

    def _answer(self, mode: Mode) -> None:
        self.send_response(mode.status)
        for name, value in mode.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What there is to say, `describe` says."""


def describe(push: dict[str, object], mode: Mode) -> str:
    """One line for a person: no text, and of the number only its end."""
    found = push["parameters"]
    parameters: dict[str, object] = found if isinstance(found, dict) else {}
    number = str(parameters.get("phonenumber", ""))
    what = " ".join(str(parameters.get(name, "")) for name in ("type", "status", "portname", "id"))
    return f"push {what} …{number[-3:]} → {mode.status}"


def main() -> None:
    live_with_parent()
    parser = argparse.ArgumentParser(prog="local_cloud.receiver")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--file", type=Path, required=True, help="JSON lines, one a push")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    options = parser.parse_args()
    receiver = Receiver(options.port, options.file, options.quiet)
    announce(receiver.server_port)
    receiver.serve_forever()


if __name__ == "__main__":
    main()
