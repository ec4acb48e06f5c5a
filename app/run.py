#!/usr/bin/python3 -I
"""What the app's container runs: the sensor as its options say, and word of it to Home Assistant.

With words behind the image's name it runs that command of the sensor instead: `docker exec` and `docker run … check`.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

SENSOR: Final = "/usr/sbin/hearthwall-sensor"
SUPERVISOR: Final = "http://supervisor/discovery"
#: Its name in the list of tokens.
TOKEN_NAME: Final = "Home Assistant app"  # noqa: S105, no token
#: Only this host reaches the sensor, unless the options say otherwise.
LISTEN: Final = "127.0.0.1:8447"
#: Options that are lists → what `run` calls each.
FLAGS: Final = {
    "interfaces": "--interface",
    "wan": "--wan",
    "dns_servers": "--dns-server",
    "floods": "--flood",
}
#: Of `run` that was ended by `unload`.
UNLOADED: Final = 3
_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
#: Between two starts of a sensor that failed, or two tries to tell Home Assistant, in seconds.
_PAUSES: Final = (1, 2, 4, 8, 15, 30, 60)
_PATIENCE: Final = 5.0
_MAX_ANSWER: Final = 1 << 16


def say(text: str) -> None:
    """Write a line into the app's log."""
    print(f"app: {text}", file=sys.stderr, flush=True)


def read_options(data: Path) -> dict[str, Any]:
    """Return what was chosen in Home Assistant, nothing where there is no Supervisor."""
    try:
        options: dict[str, Any] = json.loads((data / "options.json").read_text())
    except FileNotFoundError:
        return {}
    return options


def sensor_line(options: Mapping[str, Any], data: Path) -> list[str]:
    """Return the command that runs the sensor; in a container there are no processes of the host to watch."""
    line = [SENSOR, "run", "--wait", "--cgroup", "none", "--listen", listen_at(options)]
    settings = data / "sensor.toml"
    if settings.is_file():
        line += ["--config", str(settings)]
    for option, flag in FLAGS.items():
        for value in options.get(option, ()):
            line.append(f"{flag}={value}")
    return line


def listen_at(options: Mapping[str, Any]) -> str:
    """Return the address and port at which other hosts reach the sensor, or this one only."""
    return str(options.get("listen") or LISTEN)


def reached_at(listen: str) -> tuple[str, int]:
    """Return where Home Assistant on this host reaches a sensor that listens there."""
    address, _, port = listen.rpartition(":")
    everywhere = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104, what it stands for
    return everywhere.get(address, address.strip("[]")), int(port)


class Supervisor:
    """Home Assistant's Supervisor, which hands on to it where the sensor is."""

    def __init__(self, data: Path, options: Mapping[str, Any], key: str | None) -> None:
        """Take the folder that lasts, the options, and the app's key, None where there is no Supervisor."""
        self._kept = data / "discovery.json"
        self._place = reached_at(listen_at(options))
        self._key = key
        self._tries = 0
        self.due = time.monotonic() if key else None

    def tell(self) -> None:
        """Tell where the sensor is, once it listens; if that fails it is due again."""
        try:
            socket.create_connection(self._place, _PATIENCE).close()
        except OSError:  # the sensor is still starting
            self.due = time.monotonic() + _PAUSES[0]
            return
        pause = _PAUSES[min(self._tries, len(_PAUSES) - 1)]
        self._tries += 1
        try:
            self._post({"service": "hearthwall", "config": self._config()})
        except (OSError, ValueError, LookupError) as error:
            if self._tries == len(_PAUSES):
                say(f"Home Assistant can't be told of the sensor yet: {error}")
            self.due = time.monotonic() + pause
        else:
            say("Home Assistant was told of the sensor")
            self.due = None

    def _config(self) -> dict[str, Any]:
        """Return all that leads to the sensor; the token is made once, and anew when it was revoked."""
        fingerprint = asked("certificate")["fingerprint"]
        names = [each["name"] for each in asked("token", "--list")["tokens"]]
        token = self._kept_token() if TOKEN_NAME in names else None
        if token is None:
            if TOKEN_NAME in names:
                asked("token", TOKEN_NAME, "--revoke")
            token = asked("token", TOKEN_NAME)["token"]
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
            SUPERVISOR,
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


def asked(*words: str) -> Any:
    """Return what a command of the sensor says; raises OSError."""
    done = subprocess.run([SENSOR, *words, "--json"], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise OSError(answer["error"]["message"])
    return answer


class Runner:
    """The first process of the container: starts the sensor, again if it fails, and ends it when asked to."""

    def __init__(self, line: list[str], supervisor: Supervisor, *, unload: bool) -> None:
        """Take the sensor's command line, whom to tell, and whether nothing shall stay in the kernel at the end."""
        self._line = line
        self._supervisor = supervisor
        self._unload = unload
        self._pid = 0
        self._failed = 0
        self._start_at: float | None = time.monotonic()
        self._stopping = False
        self._status: int | None = None

    def run(self) -> int:
        """Run until the sensor has ended for good; return the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        while self._status is None:
            now = time.monotonic()
            if self._start_at is not None and now >= self._start_at:
                self._start()
            if self._pid and self._supervisor.due is not None and now >= self._supervisor.due:
                self._supervisor.tell()
            due = (self._start_at, self._supervisor.due if self._pid else None)
            waits = [each - time.monotonic() for each in due if each is not None]
            caught = signal.sigtimedwait(_SIGNALS, max(0.0, min(waits, default=60.0)))
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                self._stop()
            self._reap()
        return self._status

    def _start(self) -> None:
        """Start the sensor, which does not get the Supervisor's key."""
        self._start_at = None
        environment = {key: os.environ[key] for key in ("PATH", "TZ", "LANG") if key in os.environ}
        child = subprocess.Popen(
            self._line,
            stdin=subprocess.DEVNULL,
            env=environment,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS),  # noqa: PLW1509, no threads
        )
        self._pid = child.pid
        child.returncode = 0  # it is waited for below, among others

    def _stop(self) -> None:
        """End the sensor; the kernel goes on guarding unless it is to be left empty."""
        if self._stopping:
            return
        self._stopping = True
        if self._unload:
            say("Everything is taken out of the kernel")
            subprocess.run([SENSOR, "unload"], check=False, stdout=subprocess.DEVNULL)
        else:
            say("The kernel goes on guarding while the app is stopped")
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
        else:
            self._status = 0

    def _reap(self) -> None:
        """Bury processes that have ended: the sensor, and what it left behind."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._ended(os.waitstatus_to_exitcode(status))

    def _ended(self, status: int) -> None:
        """See what to do after the sensor."""
        self._pid = 0
        if self._stopping or status == UNLOADED:
            self._status = 0
            return
        pause = _PAUSES[min(self._failed, len(_PAUSES) - 1)]
        self._failed += 1
        say(f"The sensor ended with status {status}; it is started again in {pause} s")
        self._start_at = time.monotonic() + pause


def name_interfaces() -> None:
    """Say which interfaces there are to choose from."""
    say("Say which interface leads to the home, in the app's configuration. There are:")
    for each in asked("check")["interfaces"]:
        about = ", ".join((each["kind"], *each["addresses"], *(["proposed"] * each["proposed"])))
        say(f"  {each['name']} ({about})")


def main(words: list[str], data: Path = Path("/data")) -> int:
    """Run a command, or the app."""
    for folder in ("state", "cache"):
        (data / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    if words:
        os.execv(SENSOR, [SENSOR, *words])  # noqa: S606, the command in place of this one
    options = read_options(data)
    line = sensor_line(options, data)
    if not options.get("interfaces") and "--config" not in line:
        name_interfaces()
        return 1
    supervisor = Supervisor(data, options, os.environ.pop("SUPERVISOR_TOKEN", None))
    os.environ.pop("HASSIO_TOKEN", None)
    return Runner(line, supervisor, unload=bool(options.get("unload_on_stop"))).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
