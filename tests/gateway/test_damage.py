"""Damaged state files of a real sensor: set aside, told of, and gone when someone says so."""

import asyncio
import time

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.requests import DiscardDamaged
from tests.devices import CAMERA
from tests.gateway.sensor_process import SensorProcess


async def discarded(sensor: SensorProcess) -> dict[str, list[str]]:
    async with unix_session(sensor.socket) as session:
        client = Client(session, name="test")
        await client.connect()
        try:
            answer: dict[str, list[str]] = await client.call(DiscardDamaged())
        finally:
            await client.close()
        return answer


def test_damaged_files_are_told_of_until_they_are_discarded(idle: SensorProcess) -> None:
    sensor = idle.start()
    status = sensor.call("status")
    assert status["damaged"] == []
    assert abs(status["time"] - time.time()) < 5
    sensor.call("block", CAMERA)
    sensor.call("unblock", CAMERA)
    assert sensor.stop() == 0
    for name in ("rules.json", "events.db", "devices.db"):
        content = (sensor.state / name).read_bytes()
        (sensor.state / name).write_bytes(b"\0" * len(content))

    sensor.start()
    names = ["devices.db", "events.db", "rules.json"]
    assert sensor.call("status")["damaged"] == names
    assert all((sensor.state / f"{name}.damaged").exists() for name in names)
    assert sensor.stop() == 0
    sensor.start()
    assert sensor.call("status")["damaged"] == names, "a restart does not bring back what is lost"
    assert asyncio.run(discarded(sensor)) == {"files": names}
    assert sensor.call("status")["damaged"] == []
    assert not list(sensor.state.glob("*.damaged*"))
    sensor.call("block", CAMERA)
