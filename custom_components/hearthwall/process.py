"""The sensor's commands and its process, run by a Home Assistant that is root."""

import asyncio
import contextlib
import json
import logging
import os
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from .bpf.hearthwall_sensor.protocol import EXIT_UNLOADED, SensorError
from .const import LOGGER
from .trust import find_untrusted

#: The system's Python, because python3-bpfcc is installed for no other.
PYTHON: Final = "/usr/bin/python3"
LAUNCHER: Final = Path(__file__).parent / "bpf" / "hearthwall-sensor"

#: Nothing of Home Assistant's environment may lead root's Python to other code.
ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

COMMAND_TIMEOUT: Final = 60
START_TIMEOUT: Final = 30
TERMINATE_TIMEOUT: Final = 5
READY: Final = b"READY"

_KEPT_LOG_LINES: Final = 50
_MAX_OUTPUT_LINES: Final = 5000
_LOG_LEVELS: Final[Mapping[str, int]] = {
    "DEBUG": logging.DEBUG,
    # What the sensor finds worth noting is detail in the log of a whole home.
    "INFO": logging.DEBUG,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}

#: Failures to run a command at all, beside those that the sensor itself reports.
PROCESS_ERRORS: Final[Mapping[str, str]] = {
    "not_root": "only a Home Assistant that runs as root can run the sensor",
    "python_missing": f"there is no {PYTHON} beside Home Assistant",
    "launcher_missing": "the integration's folder lacks the sensor's program",
    "unreadable_output": "the sensor's program ended without an answer",
    "unloaded": "someone took the sensor out of the kernel; reload Hearthwall to start it again",
    "start_timeout": f"the sensor was not ready within {START_TIMEOUT} seconds",
    "command_timeout": f"the sensor's program did not end within {COMMAND_TIMEOUT} seconds",
}


class ProcessError(SensorError):
    """The sensor's program could not be run; the code is one of `PROCESS_ERRORS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        """Take a code and what is known beside it."""
        sentence = PROCESS_ERRORS[code]
        super().__init__("internal", f"{sentence}: {detail}" if detail else sentence)
        self.code = code
        #: The two by themselves, for whoever says one of them in other words.
        self.sentence, self.detail = sentence, detail


async def run_command(name: str, *arguments: str) -> Any:
    """Run one of the sensor's commands to its end and return the JSON that it prints.

    Raises the SensorError that the command reports, or ProcessError.
    """
    process = await _spawn(name, *arguments, stdin=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            output, log = await process.communicate()
    except TimeoutError as error:
        raise ProcessError("command_timeout") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read_output(output, log.decode(errors="replace").splitlines())


class SensorProcess:
    """The long-lived sensor: started, read and ended, but not judged. That is the hub's part."""

    def __init__(
        self, *, interfaces: Sequence[str], wan: Sequence[str] = (), socket: str, state_dir: str
    ) -> None:
        """Take what the sensor shall guard on both sides, where it listens and keeps its state."""
        self._arguments = [
            "--supervised",
            *(word for name in interfaces for word in ("--interface", name)),
            *(word for name in wan for word in ("--wan", name)),
            "--socket",
            socket,
            "--state-dir",
            state_dir,
        ]
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._log: deque[str] = deque(maxlen=_KEPT_LOG_LINES)

    @property
    def running(self) -> bool:
        """Return whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def last_words(self) -> tuple[str, ...]:
        """Return the last lines of the log of the run before, or of this one."""
        return tuple(self._log)

    async def start(self) -> None:
        """Start the sensor and return when it answers on its socket.

        Raises the SensorError with which the sensor ended, or ProcessError; `unloaded` if someone
        took the sensor out by hand, which only a new SensorProcess undoes.
        """
        if self._process is not None and self._process.returncode == EXIT_UNLOADED:
            raise ProcessError("unloaded")
        await self._bury()
        self._log.clear()
        process = self._process = await _spawn(
            "run",
            *self._arguments,
            # Held open: a supervised sensor ends when the pipe closes, so none outlives its parent.
            stdin=asyncio.subprocess.PIPE,
        )
        stdout = cast(asyncio.StreamReader, process.stdout)
        stderr = cast(asyncio.StreamReader, process.stderr)
        self._readers = [asyncio.create_task(self._read_log(stderr))]
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await self._wait_ready(stdout)
        except TimeoutError as error:
            self._log_last_lines()
            await self.stop()
            raise ProcessError("start_timeout") from error
        except BaseException:
            await self.stop()
            raise
        self._readers.append(asyncio.create_task(_drain(stdout)))

    async def stop(self) -> None:
        """End the sensor, gracefully if it lets us; the kernel goes on enforcing."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(TERMINATE_TIMEOUT):
                await process.wait()
        except TimeoutError:
            LOGGER.warning("The sensor did not end when asked to; killing it")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await self._finish_readers()

    async def _bury(self) -> None:
        """Say what is known of a process that ended unasked."""
        if self._process is None:
            return
        status = self._process.returncode
        await self.stop()
        LOGGER.warning("The sensor ended unexpectedly (exit status %s)", status)
        self._log_last_lines()

    async def _wait_ready(self, stdout: asyncio.StreamReader) -> None:
        """Return when the sensor says that it is ready; raise what it says if it ends instead."""
        lines: deque[bytes] = deque(maxlen=_MAX_OUTPUT_LINES)
        try:
            async for line in stdout:
                if line.strip() == READY:
                    return
                lines.append(line)
        except ValueError as error:
            raise ProcessError("unreadable_output", "a line without end") from error
        await self._finish_readers()
        _read_output(b"".join(lines), list(self._log))
        raise ProcessError("unreadable_output", "it never said that it was ready")

    async def _read_log(self, stderr: asyncio.StreamReader) -> None:
        """Pass the sensor's log on, each line at its own level."""
        while True:
            try:
                line = await stderr.readline()
            except ValueError:
                # Longer than the reader's buffer, which is dropped with this error.
                continue
            if not line:
                return
            text = line.decode(errors="replace").strip()
            level, _, message = text.partition(" ")
            self._log.append(text)
            if level in _LOG_LEVELS:
                LOGGER.log(_LOG_LEVELS[level], "Sensor: %s", message)

    async def _finish_readers(self) -> None:
        """Let the readers come to the end of what was written."""
        if self._readers:
            await asyncio.wait(self._readers, timeout=1)
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        self._readers.clear()

    def _log_last_lines(self) -> None:
        """Write what the sensor last said into the log, for whoever looks for the cause."""
        if self._log:
            LOGGER.warning("The sensor's last lines:\n%s", "\n".join(self._log))


async def _spawn(name: str, *arguments: str, stdin: int) -> asyncio.subprocess.Process:
    """Start one of the sensor's commands as root; raises ProcessError or SensorError `unsafe_files`."""
    if os.geteuid() != 0:
        raise ProcessError("not_root")
    try:
        untrusted = await asyncio.to_thread(find_untrusted, LAUNCHER.parent)
    except OSError as error:
        raise ProcessError("launcher_missing", str(error)) from error
    if untrusted is not None:
        raise SensorError("unsafe_files", str(untrusted))
    try:
        return await asyncio.create_subprocess_exec(
            PYTHON,
            "-I",
            str(LAUNCHER.resolve()),
            name,
            *arguments,
            "--json",
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            # A Ctrl-C meant for Home Assistant must not reach the sensor beside it.
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessError("python_missing", str(error)) from error


async def _drain(stream: asyncio.StreamReader) -> None:
    """Read a stream to its end, so that its writer never waits."""
    while await stream.read(4096):
        pass


def _read_output(output: bytes, log: Sequence[str]) -> Any:
    """Return the JSON document that a command printed; raises the error that it reports."""
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise ProcessError("unreadable_output", log[-1] if log else "it said nothing") from error
    if isinstance(answer, dict) and isinstance(reported := answer.get("error"), dict):
        raise SensorError(str(reported.get("code")), str(reported.get("message")))
    return answer
