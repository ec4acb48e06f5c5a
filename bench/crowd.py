"""65,536 flows of one device, put into the kernel's table as if their packets had been seen."""

import ipaddress
from typing import Final

from bench import frames
from hearthwall_sensor.flows.flow import COUNTED, UDP, UPLOAD, Counted, FlowKey
from hearthwall_sensor.kernel.libbpf import Map
from hearthwall_sensor.notation import boot_ns, mapped

FLOWS: Final = 65_536
#: Of UDP, so many packets of each direction are sampled.
_SAMPLED: Final = 2


def fill(table: Map) -> None:
    """Put a flow for each of the device's ports; nothing more of them is sampled."""
    now = boot_ns()
    counted = Counted(
        first=now,
        last=now,
        upload_bytes=64,
        upload_packets=1,
        upload_start=0,
        upload_window=_SAMPLED,
        upload_sampled=_SAMPLED,
        upload_flags=0,
        download_bytes=64,
        download_packets=1,
        download_start=0,
        download_window=_SAMPLED,
        download_sampled=_SAMPLED,
        download_flags=0,
        interface=1,
        opener=UPLOAD,
    )
    mac = bytes.fromhex(frames.SENDER.replace(":", ""))
    near, far = (mapped(ipaddress.ip_address(each)) for each in (frames.INNOCENT, frames.FAR))
    for port in range(FLOWS):
        key = FlowKey(mac, port, frames.PORT, UDP, 0, near, far)
        table.put(key.pack(), COUNTED.pack(*counted))
