"""What sensors of tests say of a device: fields that both halves of the protocol take."""

from time import time
from typing import Any

CAMERA = "00:00:5e:00:53:21"
TV = "00:00:5e:00:53:13"
PHONE = "02:00:5e:00:53:12"


def device_fields(mac: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a device that was seen just now and has moved nothing."""
    said: dict[str, Any] = {
        "mac": mac,
        "addresses": ("192.168.20.21",),
        "hostname": None,
        "vendor": None,
        "randomised": False,
        "interface": "camera",
        "first_seen": 1_700_000_000.0,
        "last_seen": time(),
        "upload_bytes": 0,
        "download_bytes": 0,
        "upload_packets": 0,
        "download_packets": 0,
        "upload_rate": 0.0,
        "download_rate": 0.0,
        "by_scope": {},
        "rule": None,
    }
    return said | fields
