#!/usr/bin/python3 -I
"""What the app's container runs: the sensor as its options say, and word of it to Home Assistant.

With words behind the image's name it runs that command of the sensor instead: `docker exec` and `docker run … check`.
`run` is watched over like the app's own sensor.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent))  # of which -I keeps clear

from chosen import LISTEN, SENSOR, Chosen, read_options
from supervisor import PAUSES, Supervisor, asked, say
from watch import Watch

#: Of `run` that was ended by `unload`, with its help or as the last way.
UNLOADED: Final = (3, -signal.SIGUSR1)
#: Where the sensor says that it is alive.
NOTICES: Final = Path("/run/hearthwall-app/notices")
_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_LOOK: Final = 2.0
#: How long a sensor may take to end, or to write where it hangs, and `unload` to do its work, in seconds.
_GRACE: Final = 8.0
_UNLOADING: Final = 20.0
#: How long the code for pairing holds.
_MINUTES: Final = 15


class Runner:
    """The first process of the container: starts the sensor, again if it fails or hangs, and ends it when asked to."""

    def __init__(
        self,
        line: list[str],
        supervisor: Supervisor | None = None,
        *,
        unload: bool = False,
        pair: bool = False,
        restart: bool = True,
    ) -> None:
        """Take the sensor's command line, whom to tell, and whether nothing of it shall stay in the kernel at the end.

        With `pair` a code is told when the sensor guards for the first time. Without `restart` the container ends with
        the sensor, and whoever runs the container starts it again.
        """
        self._line = line
        self._supervisor = supervisor
        self._unload = unload
        self._pair = pair
        self._restart = restart
        self._watch = Watch(NOTICES)
        self._pid = 0
        self._failed = 0
        self._start_at: float | None = time.monotonic()
        #: When a sensor that was asked to end is no longer waited for.
        self._kill_at: float | None = None
        self._stopping = False
        self._status: int | None = None

    def run(self) -> int:
        """Run until the sensor has ended for good; return the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        while self._status is None:
            if self._start_at is not None and time.monotonic() >= self._start_at:
                self._start()
            if self._pid:
                self._look()
            caught = signal.sigtimedwait(_SIGNALS, self._until_next())
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                self._stop()
            self._reap()
        return self._status

    def _until_next(self) -> float:
        """Return for how long nothing is to be done unless a signal comes."""
        told = self._supervisor.due if self._supervisor is not None and self._pid else None
        looked = time.monotonic() + _LOOK if self._pid else None
        due = (self._start_at, self._kill_at, told, looked)
        waits = [each - time.monotonic() for each in due if each is not None]
        return max(0.0, min(waits, default=60.0))

    def _start(self) -> None:
        """Start the sensor, which does not get the Supervisor's key."""
        self._start_at = None
        child = subprocess.Popen(
            self._line,
            stdin=subprocess.DEVNULL,
            env=self._environment() | self._watch.begin(),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS),  # noqa: PLW1509, no threads
        )
        self._pid = child.pid
        child.returncode = 0  # it is waited for below, among others

    def _environment(self) -> dict[str, str]:
        """Return what is no secret of the environment."""
        return {key: os.environ[key] for key in ("PATH", "TZ", "LANG") if key in os.environ}

    def _look(self) -> None:
        """See to what is due while the sensor runs."""
        now = time.monotonic()
        self._watch.listen()
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._signal(signal.SIGKILL)
            return
        if self._watch.is_overdue:
            say("The sensor hangs: it is ended. The kernel goes on guarding")
            self._end(signal.SIGABRT)  # it writes where it hangs, if it still can
            return
        if self._watch.is_up and self._pair:
            self._pair = False
            self._offer()
        supervisor = self._supervisor
        if supervisor is not None and supervisor.due is not None and now >= supervisor.due:
            supervisor.tell()

    def _offer(self) -> None:
        """Let a Home Assistant on another host in, by a code that is told in the log."""
        child = subprocess.Popen(
            [SENSOR, "pair", "--minutes", str(_MINUTES)],
            stdin=subprocess.DEVNULL,
            env=self._environment(),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS),  # noqa: PLW1509, no threads
        )
        child.returncode = 0  # it is waited for below, among others

    def _end(self, how: signal.Signals) -> None:
        """End the sensor, at last without asking it."""
        self._kill_at = time.monotonic() + _GRACE
        self._signal(how)

    def _signal(self, how: signal.Signals) -> None:
        """Send the sensor a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, how)

    def _stop(self) -> None:
        """End the sensor, and then the container."""
        if self._stopping:
            return
        self._stopping = True
        self._start_at = None
        if self._pid:
            self._end(signal.SIGTERM)
        else:
            self._leave()

    def _leave(self) -> None:
        """End the container; the kernel goes on guarding unless it is to be left empty."""
        self._status = 0
        if not self._unload:
            say("The kernel goes on guarding what it guarded, while the app is stopped")
            return
        try:
            done = subprocess.run(
                [SENSOR, "unload"],
                check=False,
                stdout=subprocess.DEVNULL,
                timeout=_UNLOADING,
                env=self._environment(),
            )
            self._status = done.returncode
        except subprocess.TimeoutExpired:
            self._status = 1
        say(
            "The sensor and its rules are out of the kernel"
            if self._status == 0
            else "Not all could be taken out of the kernel: devices may still be cut off. Start the app and stop it"
            " again; a restart of the host takes everything out"
        )

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
        self._kill_at = None
        if self._stopping:
            self._leave()
        elif status in UNLOADED:  # an engine would start what ended, and that would guard again
            self._unload = False
            say(
                "`unload` has taken the sensor out of the kernel. It comes back when the container is started anew"
            )
        elif not self._restart:
            self._status = status if status >= 0 else 128 - status
        else:
            pause = PAUSES[min(self._failed, len(PAUSES) - 1)]
            self._failed += 1
            say(f"The sensor ended with status {status}; it is started again in {pause} s")
            self._start_at = time.monotonic() + pause


def name_interfaces() -> None:
    """Say which interfaces there are to choose from."""
    say("Say which interface leads to the home, in the app's configuration. There are:")
    for each in asked("check", until=time.monotonic() + 60)["interfaces"]:
        about = ", ".join((each["kind"], *each["addresses"], *(["proposed"] * each["proposed"])))
        say(f"  {each['name']} ({about})")


def main(words: list[str], data: Path = Path("/data"), config: Path = Path("/config")) -> int:
    """Run a command, or the app."""
    for folder in ("state", "cache"):
        (data / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    key = os.environ.pop("SUPERVISOR_TOKEN", None)
    os.environ.pop("HASSIO_TOKEN", None)
    if words[:1] == ["run"]:
        return Runner([SENSOR, *words], restart=False).run()
    if words:
        os.execv(SENSOR, [SENSOR, *words])  # noqa: S606, the command in place of this one
    try:
        chosen = Chosen(read_options(data), (config, data))
    except (OSError, ValueError) as error:
        say(f"sensor.toml can't be read: {error}")
        return 1
    if not chosen.has_interfaces:
        name_interfaces()
        return 1
    for name, value in chosen.refused.items():
        say(f"{name} in sensor.toml is not taken: here it is {value}")
    pair = bool(chosen.options.get("pair"))
    if pair and chosen.listen == LISTEN:
        say("No code for pairing: say first where other hosts reach the sensor, by `listen`")
    return Runner(
        chosen.line(alone=key is not None),
        Supervisor(data, chosen.listen, key),
        unload=bool(chosen.options.get("unload_on_stop")),
        pair=pair and chosen.listen != LISTEN,
    ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
