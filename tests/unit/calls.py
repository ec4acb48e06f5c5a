"""Records of system calls as the kernel's programs write them, for tests."""

import socket
from typing import Any

from hearthwall_sensor.kernel.call_layouts import CALL, CALLS, TEXT_BYTES
from hearthwall_sensor.kernel.process_layouts import CALLED, HEAD
from hearthwall_sensor.processes.image import Image

V4 = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1")


def record(name: str, text: bytes | None = None, **fields: Any) -> bytes:
    """Return a call's record as the kernel's programs write it."""
    said = {"result": 0, "first": 0, "second": 0, "peer": bytes(16), "port": 0, "family": 0}
    said |= {"fd": -100, "wanted": 1, "pid": 7, "image": 9, "comm": b"curl", "uid": 1000} | fields
    words = b"" if text is None else text.ljust(TEXT_BYTES, b"\0")[:TEXT_BYTES]
    call = CALL.pack(
        *(1_500, said["result"], said["first"], said["second"], said["peer"], said["port"]),
        *(said["family"], said["fd"], said["wanted"]),
    )
    head = HEAD.pack(
        *(CALLED, CALLS[name].number, len(call + words), said["pid"], 1_000_000_000),
        *(said["image"], 1, 1, said["uid"], said["comm"]),
    )
    return head + call + words


def image(executable: str = "/usr/bin/curl", **fields: Any) -> Image:
    said = {"number": 9, "pid": 7, "parent_pid": 1, "uid": 1000, "file": executable, "comm": "curl"}
    said |= {"command_line": "curl x", "started": 0.0} | fields
    return Image(executable=executable, **said)
