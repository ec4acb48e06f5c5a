"""What is said of a failure: in words, never with what a library's own text may hold of a secret."""

import errno
import traceback
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from .sink import RefusedError, SinkError

#: Letters of an error that are told.
_LONGEST: Final = 200
_PLAIN: Final = (SinkError, RefusedError, OSError, SensorError)
#: What Python says where there is no memory for a thread's stack: by its text alone it is known.
_NO_THREAD: Final = "can't start new thread"


def is_plain(error: Exception) -> bool:
    """Return whether it was to be expected; everything else is a mistake of ours or of a library."""
    return isinstance(error, _PLAIN)


def lacks_memory(error: BaseException | None) -> bool:
    """Return whether memory is what was missing: libraries tell that as a failure of theirs."""
    while error is not None and not _is_lack(error):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_lack(error: BaseException) -> bool:
    """Return whether an error itself says that memory is missing, for a thread or for the kernel.

    Not those of libraries: a server's answer may stand where the kernel's number does.
    """
    if type(error) is OSError:
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (
        type(error) is RuntimeError and str(error) == _NO_THREAD
    )


def told(error: Exception, patience: float) -> str:
    """Return what people are told of an error, that nothing came for so many seconds among them."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {patience:.0f} s"
    if not is_plain(error):
        return f"something went wrong that never should: {type(error).__name__}"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__)[:_LONGEST]


def where(error: Exception) -> str:
    """Return for the log where a mistake was made, nothing for an error that was to be expected."""
    frames = traceback.extract_tb(error.__traceback__)
    if is_plain(error) or not frames:
        return ""
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
