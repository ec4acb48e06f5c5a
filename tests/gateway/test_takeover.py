"""What an earlier version left in the kernel: its counters are read although its tables are not quite ours."""

import dataclasses
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor import takeover
from hearthwall_sensor.kernel import compiled, pins
from hearthwall_sensor.kernel.compiled import Table
from hearthwall_sensor.kernel.layouts import TABLES, Counters, Entry
from hearthwall_sensor.kernel.libbpf import Map, possible_cpus
from hearthwall_sensor.targets import Target
from tests.gateway.unattached import Programs

pytestmark = pytest.mark.lab

MAC = "00:00:5e:00:53:21"
#: `struct device` before it bounded samples.
OLD_DEVICE = 13 * 8


@pytest.fixture
def shapes(programs: Programs) -> dict[str, Table]:
    """The tables of this version."""
    return {name: compiled.shape(programs.tables.map(name).fd) for name in TABLES}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = pins.BPFFS / f"takeover-{tmp_path.name}"
    folder.mkdir()
    yield folder
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


def pin(shapes: dict[str, Table], folder: Path) -> None:
    """Make tables and pin them as a generation's."""
    for name, table in shapes.items():
        made = compiled._make(name, table)
        made.pin(str(folder / name))
        made.close()


def test_counters_of_before_there_were_flows_are_taken_over(
    shapes: dict[str, Table], folder: Path
) -> None:
    del shapes["flows"]
    shapes["devices"] = dataclasses.replace(shapes["devices"], value_size=OLD_DEVICE)
    pin(shapes, folder)
    devices = Map.pinned(str(folder / "devices"), 12, OLD_DEVICE)
    devices.value_size = OLD_DEVICE * possible_cpus()
    key = struct.pack("<6s2xI", bytes.fromhex(MAC.replace(":", "")), 3)
    cpus = [struct.pack("<13Q", 7 * (not cpu), *range(1, 13)) for cpu in range(possible_cpus())]
    devices.put(key, b"".join(cpus))
    with takeover.opened(folder) as tables:
        assert tables is not None
        tables.put_rule(Target("mac", MAC), Entry(9, 1, 0, 0, Counters(5, 500)))
        assert tables.rule(Target("mac", MAC)) == Entry(9, 1, 0, 0, Counters(5, 500))
        counted = tables.devices()[MAC, 3]
    assert counted.created == 7
    assert counted.scopes == tuple(
        tuple(each * possible_cpus() for each in scope)
        for scope in ((1, 2, 7, 8), (3, 4, 9, 10), (5, 6, 11, 12))
    )


def test_a_table_of_another_shape_is_not_misread(shapes: dict[str, Table], folder: Path) -> None:
    shapes["mac_rules"] = dataclasses.replace(shapes["mac_rules"], value_size=72)
    pin(shapes, folder)
    with takeover.opened(folder) as tables:
        assert tables is None


def test_without_a_table_that_all_versions_have_nothing_is_taken_over(
    shapes: dict[str, Table], folder: Path
) -> None:
    del shapes["devices"]
    pin(shapes, folder)
    with takeover.opened(folder) as tables:
        assert tables is None
