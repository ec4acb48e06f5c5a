"""Home Assistant's Supervisor as far as an app needs it: takes discovery messages, from whoever has the key.

Run as a program it listens on loopback, port 80, and prints each message that it takes as a line of JSON.
"""

import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY = sys.argv[1] if __name__ == "__main__" else ""
#: So many requests are refused at first, as by a Supervisor that is still starting.
BUSY = 2


class Supervisor(BaseHTTPRequestHandler):
    """Answers as the Supervisor's API does, with `result` and what is asked for in `data`."""

    asked = 0

    def do_POST(self) -> None:
        """Take a discovery message."""
        Supervisor.asked += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/discovery" or self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(403, {"result": "error", "message": "forbidden"})
        elif Supervisor.asked <= BUSY:
            self._answer(400, {"result": "error", "message": "System is not ready with state"})
        elif set(body) != {"service", "config"} or not isinstance(body["config"], dict):
            self._answer(400, {"result": "error", "message": "expected service and config"})
        else:
            print(json.dumps(body), flush=True)
            self._answer(200, {"result": "ok", "data": {"uuid": uuid.uuid4().hex}})

    def _answer(self, status: int, message: dict[str, object]) -> None:
        content = json.dumps(message).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 80), Supervisor).serve_forever()
