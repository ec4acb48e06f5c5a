"""Answers scrapes in OpenMetrics, or in Prometheus' classic text for those who do not ask for it."""

import asyncio
import logging
import time
from typing import Final

from ..protocol import SensorError
from .families import FAMILIES
from .family import Measured
from .serving import Text
from .view import View

_LOGGER = logging.getLogger(__name__)

OPENMETRICS: Final = "application/openmetrics-text"
#: What is written, by the format's media type.
CONTENT_TYPES: Final = {
    OPENMETRICS: f"{OPENMETRICS}; version=1.0.0; charset=utf-8",
    "text/plain": "text/plain; version=0.0.4; charset=utf-8",
}
#: Whoever asks more often than this (seconds) gets what was written last: nobody can keep the sensor busy with it.
FRESH: Final = 1.0


class Exposition:
    """What a sensor tells whoever scrapes it."""

    def __init__(self, view: View) -> None:
        """Take what is told of."""
        self._view = view
        self._last: dict[str, Text] = {}
        #: Families that had too many series, which was told.
        self._told: set[str] = set()
        self._writing = asyncio.Lock()

    async def text(self, accept: str) -> Text:
        """Return the metrics in the format that is asked for; raises SensorError `missing_capability`."""
        media_type = negotiated(accept)
        async with self._writing:  # one after the other: who comes meanwhile gets the same
            last = self._last.get(media_type)
            if last is not None and time.monotonic() - last.written < FRESH:
                return last
            measured = measure(self._view)
            self._tell(measured)
            body = await asyncio.to_thread(written, measured, media_type)
            text = Text(CONTENT_TYPES[media_type], body, time.monotonic())
            self._last[media_type] = text
            return text

    def _tell(self, measured: Measured) -> None:
        """Log, once, of which families only some series are told."""
        for family, samples in measured:
            if len(samples) > family.series and family.name not in self._told:
                self._told.add(family.name)
                _LOGGER.warning(
                    "Metrics: of the %d series of %s the first %d are told",
                    *(len(samples), family.told, family.series),
                )


def negotiated(accept: str) -> str:
    """Return the media type that is written for a request's Accept: OpenMetrics where its first version is taken."""
    for each in accept[:1024].lower().split(","):
        media_type, *parameters = (word.strip() for word in each.split(";"))
        said = dict(word.partition("=")[::2] for word in parameters)
        is_taken = said.get("q", "1").strip("0.") != ""
        if media_type == OPENMETRICS and is_taken and said.get("version", "1.0.0") == "1.0.0":
            return OPENMETRICS
    return "text/plain"


def measure(view: View) -> Measured:
    """Return the values of all families as they are now."""
    scene = view.scene()
    return [(family, tuple(family.read(scene))) for family in FAMILIES]


def written(measured: Measured, media_type: str) -> bytes:
    """Return the text in a format; raises SensorError `missing_capability`."""
    try:
        from .rendering import rendered
    except ImportError as error:
        raise SensorError(
            "missing_capability",
            "metrics are written by python3-prometheus-client: apt-get install python3-prometheus-client",
        ) from error
    return rendered(measured, is_openmetrics=media_type == OPENMETRICS)
