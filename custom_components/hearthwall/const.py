"""Names and defaults of the Hearthwall integration."""

import logging
from typing import Final

DOMAIN: Final = "hearthwall"
LOGGER: Final = logging.getLogger(__package__)

# Entry data. Interfaces and state folder are there when Home Assistant runs the sensor itself.
CONF_SOCKET: Final = "socket"
CONF_INTERFACES: Final = "interfaces"
CONF_WAN: Final = "wan"
CONF_STATE_DIR: Final = "state_dir"
#: Of a sensor on another host, beside its address, port and token: its certificate's SHA-256.
CONF_FINGERPRINT: Final = "fingerprint"

DEFAULT_STATE_DIR: Final = "/var/lib/hearthwall"

# Entry options, times in seconds, those of removals in days (0: never)
CONF_WRITE_INTERVAL: Final = "write_interval"
CONF_CONSIDER_HOME: Final = "consider_home"
CONF_GIVE_HINTS: Final = "give_hints"
CONF_REMOVE_AFTER: Final = "remove_after"
CONF_RANDOMISED_DEVICES: Final = "randomised_devices"
CONF_REMOVE_RANDOMISED_AFTER: Final = "remove_randomised_after"

DEFAULT_WRITE_INTERVAL: Final = 30
DEFAULT_CONSIDER_HOME: Final = 180
DEFAULT_GIVE_HINTS: Final = True
DEFAULT_REMOVE_AFTER: Final = 90
DEFAULT_RANDOMISED_DEVICES: Final = True
DEFAULT_REMOVE_RANDOMISED_AFTER: Final = 7

#: What a rule's reason says when nobody gave one.
QUARANTINE_REASON: Final = "Quarantined from Home Assistant"

#: The dispatcher's signal for each event that is handed on, with the hub and the event.
SIGNAL_EVENT: Final = f"{DOMAIN}_event"
