"""Running the sensor's program: what is really run here is a program of the test's."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from custom_components.hearthwall import process
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import EXIT_UNLOADED, SensorError
from custom_components.hearthwall.process import ProcessError, SensorProcess, run_command

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the sensor")

WriteProgram = Callable[[str], Path]

HEALTHY = """
import os, sys
print("INFO guarding", file=sys.stderr, flush=True)
print("WARNING watch out", file=sys.stderr, flush=True)
print("READY", flush=True)
sys.stdin.read()
"""


@pytest.fixture
async def sensor() -> AsyncIterator[SensorProcess]:
    sensor = SensorProcess(interfaces=["br-lan", "lan2"], socket="/run/x.sock", state_dir="/var/x")
    yield sensor
    await sensor.stop()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def gone(pid: int) -> None:
    async with asyncio.timeout(8):
        while alive(pid):
            await asyncio.sleep(0.02)


async def test_start_and_stop(
    sensor: SensorProcess, program: WriteProgram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    program(HEALTHY)
    await sensor.start()
    assert sensor.running
    assert sensor._process is not None
    pid = sensor._process.pid
    await sensor.stop()
    assert not sensor.running
    await gone(pid)
    said = {(each.levelno, each.getMessage()) for each in caplog.records}
    assert (logging.WARNING, "Sensor: watch out") in said
    assert (logging.DEBUG, "Sensor: guarding") in said


async def test_arguments_and_environment(
    sensor: SensorProcess,
    program: WriteProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SECRET", "token")
    program(
        "import json, os, sys\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write("
        "json.dumps([sys.argv[1:], sorted(os.environ), os.getcwd(), sys.flags.isolated]))\n"
        + HEALTHY
    )
    await sensor.start()
    import json  # noqa: PLC0415

    arguments, environment, folder, isolated = json.loads((tmp_path / "seen").read_text())
    assert arguments == [
        "run",
        "--supervised",
        "--interface",
        "br-lan",
        "--interface",
        "lan2",
        "--socket",
        "/run/x.sock",
        "--state-dir",
        "/var/x",
        "--json",
    ]
    assert set(environment) <= {"PATH", "LANG", "LC_CTYPE"}
    assert (folder, isolated) == ("/", 1)


async def test_it_ends_with_its_parent(program: WriteProgram, tmp_path: Path) -> None:
    program(HEALTHY)
    sensor = SensorProcess(interfaces=["x"], socket="/run/x.sock", state_dir="/var/x")
    await sensor.start()
    assert sensor._process is not None
    assert sensor._process.stdin is not None
    pid = sensor._process.pid
    sensor._process.stdin.close()
    await gone(pid)
    await sensor.stop()


async def test_one_that_does_not_end_is_killed(
    sensor: SensorProcess, program: WriteProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_TIMEOUT", 0.3)
    program(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('READY', flush=True)\ntime.sleep(60)\n"
    )
    await sensor.start()
    assert sensor._process is not None
    pid = sensor._process.pid
    await sensor.stop()
    await gone(pid)


async def test_a_reported_error_is_that_error(sensor: SensorProcess, program: WriteProgram) -> None:
    program(
        """print('{"error":\\n {"code": "interface_in_use", "message": "on lan0"}}'); exit(1)"""
    )
    with pytest.raises(SensorError, match="on lan0") as raised:
        await sensor.start()
    assert raised.value.code == "interface_in_use"
    assert not sensor.running


@pytest.mark.parametrize(
    "source",
    ["exit(0)", "exit(1)", "this is not Python", "print('hello')", "print('x' * 100_000)"],
)
async def test_an_end_without_an_answer(
    sensor: SensorProcess, program: WriteProgram, source: str
) -> None:
    program(source)
    with pytest.raises(ProcessError) as raised:
        await sensor.start()
    assert raised.value.code == "unreadable_output"


async def test_one_that_never_gets_ready(
    sensor: SensorProcess,
    program: WriteProgram,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(process, "START_TIMEOUT", 0.5)
    program("import sys, time\nprint('odd line', file=sys.stderr, flush=True)\ntime.sleep(60)")
    with pytest.raises(ProcessError) as raised:
        await sensor.start()
    assert raised.value.code == "start_timeout"
    assert "odd line" in caplog.text
    assert not sensor.running


async def test_an_unexpected_end_is_logged_with_its_last_lines(
    sensor: SensorProcess, program: WriteProgram, caplog: pytest.LogCaptureFixture
) -> None:
    program(
        "import sys\nprint('READY', flush=True)\n"
        "for n in range(99): print('Traceback line', n, file=sys.stderr)\n"
        "sys.stderr.flush()\nexit(7)"
    )
    await sensor.start()
    async with asyncio.timeout(5):
        while sensor.running:
            await asyncio.sleep(0.02)
    assert "Traceback" not in caplog.text
    program(HEALTHY)
    await sensor.start()
    assert "exit status 7" in caplog.text
    assert "Traceback line 98" in caplog.text
    assert "Traceback line 48" not in caplog.text


async def test_after_unload_it_is_not_started_again(
    sensor: SensorProcess, program: WriteProgram
) -> None:
    program(f"print('READY', flush=True)\nexit({EXIT_UNLOADED})")
    await sensor.start()
    async with asyncio.timeout(5):
        while sensor.running:
            await asyncio.sleep(0.02)
    program(HEALTHY)
    with pytest.raises(ProcessError) as raised:
        await sensor.start()
    assert raised.value.code == "unloaded"


async def test_long_log_lines_do_no_harm(sensor: SensorProcess, program: WriteProgram) -> None:
    program("import sys\nprint('x' * 1_000_000, file=sys.stderr, flush=True)\n" + HEALTHY)
    await sensor.start()
    assert sensor.running


async def test_a_file_that_others_could_change_is_not_run(
    sensor: SensorProcess, program: WriteProgram
) -> None:
    path = program(HEALTHY)
    path.chmod(0o757)
    with pytest.raises(SensorError) as raised:
        await sensor.start()
    assert raised.value.code == "unsafe_files"
    assert raised.value.message == str(path)


async def test_without_python(
    program: WriteProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("")
    monkeypatch.setattr(process, "PYTHON", str(tmp_path / "python3"))
    with pytest.raises(ProcessError) as raised:
        await run_command("check")
    assert raised.value.code == "python_missing"


async def test_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "LAUNCHER", tmp_path / "nowhere" / "hearthwall-sensor")
    with pytest.raises(ProcessError) as raised:
        await run_command("check")
    assert raised.value.code == "launcher_missing"


async def test_a_command_that_hangs_is_ended(
    program: WriteProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "COMMAND_TIMEOUT", 0.3)
    program("import time\ntime.sleep(60)")
    with pytest.raises(ProcessError) as raised:
        await run_command("check")
    assert raised.value.code == "command_timeout"


async def test_only_root_runs_it(program: WriteProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    program(HEALTHY)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ProcessError) as raised:
        await run_command("check")
    assert raised.value.code == "not_root"
