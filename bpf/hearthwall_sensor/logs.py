"""The log's lines: what devices, files and people wrote reaches no terminal raw, and makes no line of its own."""

import logging
import sys
from typing import Any

from .words.cells import clean


class Formatter(logging.Formatter):
    """Cleans what it formats."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802, logging's name
        """Return a record's line."""
        return clean(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802, logging's name
        """Return the lines of a traceback, which ends with what was wrong."""
        return "\n".join(map(clean, super().formatException(ei).splitlines()))


def begin(*, verbose: bool) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter("%(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if verbose else logging.INFO)
