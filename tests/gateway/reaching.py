"""What a host of the lab reaches through a gateway with rules, asked with real packets."""

import subprocess
import time
from typing import Any

from lab import Lab
from lab.home import SINK_PORT, SITES
from tests.gateway.sensor_process import SensorProcess

BAD = SITES["bad.example"]
NEWS = SITES["news.example"]
#: Around WEB (.10, ::10) and not around the others (.20 and more, ::20 and more).
WEB_PREFIX = {4: "203.0.113.0/28", 6: "2001:db8:ffff::/123"}
FAMILIES = (4, 6)


def at(host: Any, family: int) -> str:
    """Return a host's or a site's address."""
    return str(host.ipv4 if family == 4 else host.ipv6)


def start_on_both_sides(sensor: SensorProcess) -> None:
    """Start the sensor, with a gate only where a rule needs one: none for floods."""
    config = sensor.state.with_name("config.toml")
    floods = ", ".join(f'"wan:{kind}=0"' for kind in ("syn", "udp", "icmp"))
    config.write_text(f"floods = [{floods}]\n")
    sensor.start("--wan", "wan", "--config", str(config))


def reaches(lab: Lab, host: str, address: str) -> bool:
    return lab.run(host, ["ping", "-c1", "-W1", address]).returncode == 0


def fetches(lab: Lab, host: str, address: str, port: int = 80) -> bool:
    shown = f"[{address}]" if ":" in address else address
    scheme = "https" if port == 443 else "http"
    url = f"{scheme}://{shown}:{port}/"
    line = ["curl", "--silent", "--insecure", "--max-time", "2", "--output", "/dev/null", url]
    return lab.run(host, line).returncode == 0


def sends(lab: Lab, host: str, address: str, count: int = 50, rate: int = 500) -> int:
    """Send datagrams to the sink; return how many came through."""
    lab.reset_sink()
    shown = f"[{address}]" if ":" in address else address
    line = ("send", "--from", host, "--to", f"{shown}:{SINK_PORT}", "--rate", str(rate))
    subprocess.run(
        lab.command(*line, "--seconds", str(count / rate)), check=True, capture_output=True
    )
    time.sleep(0.1)
    return sum(each["count"] for each in lab.sink()["streams"])


def only(sensor: SensorProcess) -> dict[str, Any]:
    """Return the one rule that there is."""
    (block,) = sensor.call("blocks")
    assert isinstance(block, dict)
    return block
