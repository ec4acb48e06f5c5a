"""Sums of real devices' flows agree with the flows and with the devices' totals."""

from collections import Counter
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.sensor_process import SensorProcess
from tests.gateway.test_flows import fetch, flows

pytestmark = pytest.mark.lab

CAMERA, TV = DEVICES["camera"], DEVICES["tv"]


def usage(sensor: SensorProcess, *by: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    asked = [word for each in by for word in ("--by", each)]
    found: dict[str, Any] = sensor.call("usage", *asked, *options)
    return found


def moved(row: dict[str, Any]) -> tuple[int, int]:
    return row["upload_bytes"], row["download_bytes"]


def test_sums_agree_with_flows_and_with_the_devices_totals(lab: Lab, sensor: SensorProcess) -> None:
    before = {each["mac"]: moved(each) for each in sensor.call("devices")}
    fetch(lab, "camera", "https://storage.vendor.example/bytes/400000")
    fetch(lab, "camera", "http://firmware.vendor.example/bytes/300000")
    fetch(lab, "tv", "http://video.example/bytes/2000000")
    told = [each for each in flows(sensor, "--limit", "2000") if each["mac"] is not None]
    by_mac = {row["mac"]: row for row in usage(sensor, "mac")["rows"]}
    devices = {each["mac"]: each for each in sensor.call("devices")}
    for device in (CAMERA, TV):
        of_flows = [each for each in told if each["mac"] == device.mac]
        row = by_mac[device.mac]
        assert row["flows"] == len(of_flows)
        assert moved(row) == tuple(map(sum, zip(*map(moved, of_flows), strict=True)))
        totals = moved(devices[device.mac])
        since = [
            now - then for now, then in zip(totals, before.get(device.mac, (0, 0)), strict=True)
        ]
        assert since == pytest.approx(moved(row), rel=0.01, abs=2_000), "beside ARP and the like"

    peers: Counter[str] = Counter()
    for each in told:
        peers[each["peer_name"] or each["peer_address"]] += sum(moved(each))
    rows = usage(sensor, "peer", options=("--limit", "2000"))["rows"]
    assert {row["peer"]: sum(moved(row)) for row in rows} == peers

    of_camera = usage(sensor, "domain", "application", options=("--device", CAMERA.mac))
    rows = {(row["domain"], row["application"]): row for row in of_camera["rows"]}
    assert rows["vendor.example", "tls"]["download_bytes"] > 400_000
    assert rows["vendor.example", "http"]["download_bytes"] > 300_000
    assert ("video.example", "http") not in rows
    assert moved(of_camera) == moved(by_mac[CAMERA.mac])
    assert usage(sensor, "mac", options=("--since", "2100-01-01"))["flows"] == 0
