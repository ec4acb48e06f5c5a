"""Rates from successive readings of totals."""

from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple

#: Readings that follow one another faster (seconds) would give a rate of noise.
_LEAST: Final = 0.2
#: What was not read for so long (seconds) is forgotten; its next reading gives no rate.
_MEMORY: Final = 30.0


class Total(NamedTuple):
    """What was counted of something in all, up and down, since it began so many seconds ago."""

    key: Hashable
    upload: int
    download: int
    age: float


class Rate(NamedTuple):
    """Bytes per second."""

    upload: float = 0.0
    download: float = 0.0

    @property
    def both(self) -> float:
        """Of both ways."""
        return self.upload + self.download

    def to_wire(self) -> dict[str, float]:
        """Return the fields of a JSON object."""
        return {"upload_rate": round(self.upload, 1), "download_rate": round(self.download, 1)}


class _Known(NamedTuple):
    """The last reading of one total."""

    time: float
    upload: int
    download: int
    rate: Rate


class Rates:
    """The last reading of each total, and the rates that it gave."""

    def __init__(self) -> None:
        """Begin with no reading."""
        self._known: dict[Hashable, _Known] = {}
        self._last: float | None = None

    def read(self, now: float, totals: Iterable[Total]) -> dict[Hashable, Rate]:
        """Return the rates since each total's reading before, as of now (monotonic seconds)."""
        rates = {}
        for total in totals:
            known = self._known.get(total.key)
            if known is None or now - known.time >= _LEAST:
                rate = self._rate(now, total, known)
                known = _Known(now, total.upload, total.download, rate)
                self._known[total.key] = known
            rates[total.key] = known.rate
        self._last = now
        if any(now - each.time > _MEMORY for each in self._known.values()):
            self._known = {
                key: each for key, each in self._known.items() if now - each.time <= _MEMORY
            }
        return rates

    def _rate(self, now: float, total: Total, known: _Known | None) -> Rate:
        """Return what a total has grown by in a second."""
        if known is None:
            if self._last is None or total.age > now - self._last:
                return Rate()  # it began before the last reading: nobody knows when its bytes came
            elapsed = max(now - self._last, _LEAST)
            return Rate(total.upload / elapsed, total.download / elapsed)
        elapsed = now - known.time
        if total.upload < known.upload or total.download < known.download:  # it was begun anew
            return Rate(total.upload / elapsed, total.download / elapsed)
        return Rate(
            (total.upload - known.upload) / elapsed, (total.download - known.download) / elapsed
        )
