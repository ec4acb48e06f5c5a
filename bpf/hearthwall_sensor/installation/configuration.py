"""The settings that a fresh installation has: what is guarded, and the rest as examples to uncomment."""

import json
from collections.abc import Sequence

from .places import GROUP

_TEXT = """\
# Hearthwall's sensor on this gateway. After a change: systemctl restart hearthwall-sensor
# What each setting means: https://github.com/hearthwall/hearthwall/blob/main/docs/sensor.md#run
# Only root may change this file, as it says which files root reads and writes. Passwords and tokens are in files of
# their own.

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

# Look at DNS answers only while a rule or a feed is on a name.
# watch_dns = false

# Packets per second of one source, beyond which they are dropped.
# floods = ["wan:syn=200", "lan:udp=5000"]

# Countries and networks of peers, by files such as DB-IP Lite or GeoLite2.
# geo = ["/var/lib/hearthwall/country.mmdb"]

# What is said of devices, detectors and responses.
# policy = "/var/lib/hearthwall/policy.toml"

# Which processes of this host are watched: those of a cgroup, or none.
# cgroup = "none"

# How programs are attached, where the kernel's best way is not to be used: tcx or clsact; link, netlink or off.
# tc = "clsact"
# xdp = "off"

# How long events are kept, in days, and in how many megabytes at most.
# events_days = 30
# events_mb = 32

# Whether metrics name devices: off, pseudonym or mac.
# metrics_devices = "pseudonym"

# Where events are delivered to beside Home Assistant, each in a table of its own. Tables come last: what stands below
# one is a part of it. https://github.com/hearthwall/hearthwall/blob/main/docs/sensor.md#sinks
# [[sink]]
# name = "log"
# type = "file"
# path = "/var/log/hearthwall/events.json"
"""


def text(interfaces: Sequence[str], wan: Sequence[str] = ()) -> str:
    """Return the file's text."""
    said = f"wan = {_listed(wan)}" if wan else '# wan = ["eth0"]'
    return _TEXT.format(interfaces=_listed(interfaces), wan=said, group=GROUP)


def _listed(names: Sequence[str]) -> str:
    """Return names as TOML has them: JSON's text, but no halves of a character beyond 16 bits, and no DEL."""
    return json.dumps(list(names), ensure_ascii=False).replace("\x7f", "\\u007f")
