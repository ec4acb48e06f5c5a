"""What a sensor remembers of its own past: since when it knows this home, and until when it told of flows."""

import time
from collections.abc import Mapping
from typing import Any, Final

from ..devices import Devices
from ..notation import boot_id, boot_ns

_SINCE: Final = "since"
_LOOKED: Final = "looked"


class Past:
    """One sensor's."""

    def __init__(self, kept: Mapping[str, Any], devices: Devices) -> None:
        """Take what was kept, and the devices: an earlier version of the sensor kept only these."""
        since, now = kept.get(_SINCE), time.time()
        earliest = min((each.first_seen for each in devices.accounts.values()), default=now)
        #: When a sensor was started here for the first time, seconds since the epoch.
        #: Not in the future: a clock that was ahead would make all new until then.
        self.since = min(now, float(since) if isinstance(since, int | float) else earliest)
        self.looked = _looked(kept.get(_LOOKED))
        """Until when flows were told of, on the kernel's clock; 0 where that is not known."""

    def now(self, looked: int) -> dict[str, Any]:
        """Return what is to be kept, where flows were told of until a time on the kernel's clock."""
        return {_SINCE: self.since, _LOOKED: [boot_id(), looked]}


def _looked(kept: object) -> int:
    """Return a time on the kernel's clock that was kept; what another start of the host left is none."""
    match kept:
        case [str(boot), int(looked)] if boot == boot_id() and looked <= boot_ns():
            return looked
    return 0
