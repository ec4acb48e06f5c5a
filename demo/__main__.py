"""The part of scripts/demo that runs in Home Assistant's venv; the shell has made that and counted its steps."""

import argparse
import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import BinaryIO, Final

from demo.check import check
from demo.errors import DemoError
from demo.progress import Progress
from demo.running import Demo, running
from demo.stage import Stage
from lab import LabError

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _options() -> argparse.Namespace:
    """Read what the shell hands over; people's options are explained there."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--duration", type=float)
    parser.add_argument("--headless-check", action="store_true")
    parser.add_argument("--screenshots", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs=2, metavar=("DONE", "TOTAL"), required=True)
    parser.add_argument("--began", type=float, required=True)
    return parser.parse_args()


class _Course:
    """One run: what is done, what ends it, and what is taken down then in any case."""

    def __init__(self, options: argparse.Namespace, stage: Stage, log: BinaryIO) -> None:
        self._options = options
        self._stage = stage
        self._log = log
        self._progress = Progress(options.steps[0], options.steps[1], options.began)
        self._stopped_by: signal.Signals | None = None
        self._up = False

    async def run(self) -> int:
        """Run; return the exit code."""
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(self._work())
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop, work, number)
        try:
            await work
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it was, there is a person to tell
            if self._stopped_by is None:
                return self._fail(error)
        if self._stopped_by is None or self._up:
            return 0
        return 128 + self._stopped_by

    def _stop(self, work: asyncio.Task[None], number: signal.Signals) -> None:
        """End the work once; what comes later has to wait until everything is taken down."""
        if self._stopped_by is None:
            self._stopped_by = number
            self._progress.say("Taking everything down")
            work.cancel()

    def _fail(self, error: Exception) -> int:
        """Say in a sentence what went wrong, and where the rest is."""
        self._log.write("".join(traceback.format_exception(error)).encode())
        _complain(str(error) if isinstance(error, DemoError | LabError) else repr(error))
        sys.stderr.write(f"      Details are in {self._options.log}\n")
        return 1

    async def _work(self) -> None:
        stage = self._stage
        if stage.is_left():
            self._progress.say("taking down what an earlier demo left")
            stage.clear(self._log)
        try:
            async with running(stage, self._options.port, self._progress, self._log) as demo:
                if self._options.headless_check:
                    self._options.screenshots.mkdir(parents=True, exist_ok=True)
                    await check(demo, self._options.screenshots, self._progress)
                    self._progress.say(f"Screenshots are in {self._options.screenshots}")
                else:
                    await self._show(demo)
                self._progress.say("Taking everything down")
        finally:
            stage.clear(self._log)

    async def _show(self, demo: Demo) -> None:
        """Tell how to get in, and stay."""
        self._up = True
        duration = self._options.duration
        end = "" if duration is None else f", as do {duration:g} seconds"
        sys.stdout.write(
            f"\n  {demo.url}\n\n"
            f"  User:     {demo.log_in.username}\n"
            f"  Password: {demo.log_in.password}\n\n"
            "Programs of this machine are seen, too, and told of: the gateway's kernel is this one's.\n"
            f"Ctrl-C takes everything down{end}. Log: {self._options.log}\n"
        )
        sys.stdout.flush()
        await demo.wait(duration)


def _complain(sentence: str) -> None:
    sys.stderr.write(f"\ndemo: {sentence}\n")


def main() -> int:
    """Run the demo."""
    options = _options()
    # Nobody but root may change what root runs
    os.umask(0o022)
    stage = Stage(options.name)
    try:
        stage.claim()
    except DemoError as error:
        _complain(str(error))
        return 1
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with options.log.open("wb", buffering=0) as log:
        return asyncio.run(_Course(options, stage, log).run())


sys.exit(main())
