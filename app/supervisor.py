"""What Home Assistant's Supervisor is told, and what the sensor is asked for that."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from chosen import SENSOR

DISCOVERY: Final = "http://supervisor/discovery"
#: Its name in the list of tokens.
TOKEN_NAME: Final = "Home Assistant app"  # noqa: S105, no token
#: Between two tries, in seconds.
PAUSES: Final = (1, 2, 4, 8, 15, 30, 60)
_PATIENCE: Final = 5.0
#: For all that is asked of the sensor's commands at once.
_ANSWERS: Final = 10.0
_MAX_ANSWER: Final = 1 << 16


def say(text: str) -> None:
    """Write a line into the app's log."""
    print(f"app: {text}", file=sys.stderr, flush=True)


def reached_at(listen: str) -> tuple[str, int]:
    """Return where Home Assistant on this host reaches a sensor that listens there."""
    address, _, port = listen.rpartition(":")
    everywhere = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104, what it stands for
    return everywhere.get(address, address.strip("[]")), int(port)


class Supervisor:
    """Home Assistant's Supervisor, which hands on to it where the sensor is."""

    def __init__(self, data: Path, listen: str, key: str | None) -> None:
        """Take the folder that lasts, where the sensor listens, and the app's key, None without a Supervisor."""
        self._kept = data / "discovery.json"
        self._place = reached_at(listen)
        self._key = key
        self._tries = 0
        self.due = time.monotonic() if key else None

    def tell(self) -> None:
        """Tell where the sensor is, once it listens; if that fails it is due again."""
        try:
            socket.create_connection(self._place, _PATIENCE).close()
        except OSError:  # the sensor is still starting
            self.due = time.monotonic() + PAUSES[0]
            return
        pause = PAUSES[min(self._tries, len(PAUSES) - 1)]
        self._tries += 1
        try:
            self._post({"service": "hearthwall", "config": self._config()})
        except (OSError, ValueError, LookupError) as error:
            if self._tries == len(PAUSES):
                say(f"Home Assistant can't be told of the sensor yet: {error}")
            self.due = time.monotonic() + pause
        else:
            say("Home Assistant was told of the sensor")
            self.due = None

    def _config(self) -> dict[str, Any]:
        """Return all that leads to the sensor; the token is made once, and anew when it was revoked."""
        until = time.monotonic() + _ANSWERS
        fingerprint = asked("certificate", until=until)["fingerprint"]
        names = [each["name"] for each in asked("token", "--list", until=until)["tokens"]]
        token = self._kept_token() if TOKEN_NAME in names else None
        if token is None:
            if TOKEN_NAME in names:
                asked("token", TOKEN_NAME, "--revoke", until=until)
            token = asked("token", TOKEN_NAME, until=until)["token"]
            self._keep(token)
        host, port = self._place
        return {"host": host, "port": port, "token": token, "fingerprint": fingerprint}

    def _kept_token(self) -> str | None:
        """Return the token of an earlier start, None where it is not to be had."""
        try:
            return str(json.loads(self._kept.read_text())["token"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _keep(self, token: str) -> None:
        """Keep the token for the next start, as the Supervisor itself does."""
        fresh = self._kept.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(fresh, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump({"token": token}, file)
        fresh.replace(self._kept)

    def _post(self, message: dict[str, Any]) -> None:
        """Send a message; raises OSError, also for a refusal. Nobody else is told: no proxy, no redirection."""
        request = urllib.request.Request(
            DISCOVERY,
            json.dumps(message).encode(),
            {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirection)
        with opener.open(request, timeout=_PATIENCE) as answer:
            answer.read(_MAX_ANSWER)


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else with a key."""

    def redirect_request(self, *_: Any) -> None:
        """Take a redirection for a failure."""


def asked(*words: str, until: float) -> Any:
    """Return what a command of the sensor says until then; raises OSError."""
    try:
        done = subprocess.run(
            [SENSOR, *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=max(0.1, until - time.monotonic()),
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{words[0]} does not answer") from error
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise OSError(answer["error"]["message"])
    return answer
