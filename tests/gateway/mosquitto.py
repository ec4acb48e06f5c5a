"""A real MQTT broker with users, rights and TLS, and a client of another make that sees what is published."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import Lab
from tests.unit.receivers import Certified, certified

#: Name → password. The gateway may do what its topics ask for; the automation gives orders; the guest only looks.
USERS = {"gateway": "gatepw", "automation": "autopw", "guest": "guestpw"}
RIGHTS = """
user gateway
topic write walls/+/event
topic write walls/+/status
topic write walls/+/device/+/rate
topic write walls/+/command/result
topic read walls/+/command

user automation
topic readwrite walls/#

user guest
topic read walls/#
"""


@dataclass
class Watcher:
    """What mosquitto_sub has seen: topic, payload, and whether the broker had kept it."""

    process: subprocess.Popen[str]
    seen: list[tuple[str, str, bool]] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.seen.append((said["topic"], said["payload"], bool(said["retain"])))

    def on(self, end: str) -> list[Any]:
        """Return the JSON that was published on topics that end so."""
        return [json.loads(payload) for topic, payload, _ in list(self.seen) if topic.endswith(end)]


@dataclass
class Broker:
    """One broker, in a namespace or here."""

    folder: Path
    host: str
    port: int
    tls_port: int
    made: Certified
    wrap: Callable[[list[str]], list[str]]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.wrap(["mosquitto", "-c", str(self.folder / "broker.conf")]),
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 10
        while subprocess.run(
            self.publisher("guest", "x", "y"), capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < deadline, (self.folder / "broker.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def _client(self, name: str, user: str, topic: str) -> list[str]:
        to = ["-h", self.host, "-p", str(self.port), "-u", user, "-P", USERS[user]]
        return self.wrap([name, *to, "-t", topic])

    def publisher(self, user: str, topic: str, payload: str, *more: str) -> list[str]:
        """Return the line that publishes."""
        return [*self._client("mosquitto_pub", user, topic), "-q", "1", "-m", payload, *more]

    def publish(self, user: str, topic: str, payload: str, *more: str) -> None:
        """Publish as one of the users."""
        subprocess.run(self.publisher(user, topic, payload, *more), check=True, timeout=10)

    @contextmanager
    def watching(self, topic: str = "walls/#") -> Iterator[Watcher]:
        """Yield what is seen while it is watched."""
        line = [*self._client("mosquitto_sub", "automation", topic), "-q", "1", "-F", "%j"]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        watcher = Watcher(process)
        thread = threading.Thread(target=watcher.read, daemon=True)
        thread.start()
        time.sleep(0.3)
        try:
            yield watcher
        finally:
            process.kill()
            process.wait(10)
            thread.join(5)


def configured(folder: Path, host: str, wrap: Callable[[list[str]], list[str]] = list) -> Broker:
    """Return a broker that is not started, with its users, rights and certificate in a folder."""
    folder.mkdir()
    made = certified(folder)
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{password}\n" for name, password in USERS.items()))
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    (folder / "rights").write_text(RIGHTS)
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, tls_port = one.getsockname()[1], two.getsockname()[1]
    (folder / "broker.conf").write_text(
        f"user root\npersistence false\nallow_anonymous false\npassword_file {passwords}\n"
        f"acl_file {folder / 'rights'}\nlistener {port} {host}\n"
        f"listener {tls_port} {host}\ncertfile {made.path}\nkeyfile {made.key}\n"
    )
    return Broker(folder, host, port, tls_port, made, wrap)


def on_host(lab: Lab, host: str) -> Callable[[list[str]], list[str]]:
    """Return what has a command run on a host of the lab."""
    return lambda line: lab.argv(host, line)
