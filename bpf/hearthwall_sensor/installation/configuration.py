"""The settings that a fresh installation has: what is guarded, and the rest as examples to uncomment."""

import json
from collections.abc import Sequence

from .places import GROUP

_TEXT = """\
# Hearthwall's sensor on this gateway. After a change: systemctl restart hearthwall-sensor
# All settings: docs/sensor.md. Only root may read this file, since tokens and passwords may be in it.

# What leads to the home: a bridge stands for its ports.
interfaces = {interfaces}

# What leads to the internet, to be guarded against what comes from there.
{wan}

# Whose members may talk to the sensor, beside root: Home Assistant's user, if it is not root.
group = "{group}"

# Home Assistant's address, if it is not on this host: no rule ever cuts it off.
# home_assistant = "192.168.1.5"

# Let a Home Assistant on another host talk to the sensor, over TLS and with a token.
# listen = "192.168.1.1:8447"

# A DNS server in the home whose answers are believed: rules on domains need them.
# dns_servers = ["192.168.1.2"]

# Packets per second of one source, beyond which they are dropped.
# floods = ["wan:syn=200", "lan:udp=5000"]

# Countries and networks of peers, by files such as DB-IP Lite or GeoLite2.
# geo = ["/var/lib/hearthwall/country.mmdb"]

# How long events are kept, in days, and in how many megabytes at most.
# events_days = 30
# events_mb = 32
"""


def text(interfaces: Sequence[str], wan: Sequence[str] = ()) -> str:
    """Return the file's text."""
    said = f"wan = {json.dumps(list(wan))}" if wan else '# wan = ["eth0"]'
    return _TEXT.format(interfaces=json.dumps(list(interfaces)), wan=said, group=GROUP)
