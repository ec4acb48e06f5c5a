"""The compiler, bcc with LLVM: which one is there is known without mapping it."""

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from . import compiled
from .units import SOURCES, Unit

#: Where the dynamic linker of a Debian or another Linux looks.
_FOLDERS: Final = (
    "usr/local/lib",
    "usr/local/lib64",
    "usr/local/lib/*-linux-gnu*",
    "usr/lib",
    "usr/lib64",
    "usr/lib/*-linux-gnu*",
)
#: bcc's library, and what of LLVM it may be linked with: each is named after its version, and so is its file.
_LIBRARY: Final = re.compile(r"libbcc\.so\.0.*|libclang-cpp.*\.so.*|libLLVM.*\.so.*")
_BCC: Final = "libbcc.so.0"


def identity(root: Path = Path("/")) -> str | None:
    """Return a digest of the compiler's files, None where there is none.

    The files' names hold the versions; size and time tell two builds of one version apart. All copies count,
    also an LLVM that bcc does not use: one compilation too many is cheaper than parsing what the linker would do.
    """
    wrapper = importlib.util.find_spec("bcc")  # finds it, and does not import it
    libraries = dict(_libraries(root))
    if wrapper is None or wrapper.origin is None or _BCC not in libraries:
        return None
    version = Path(wrapper.origin).with_name("version.py")
    told = sorted({*map(_told, libraries.values()), _told(version)})
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _libraries(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the names and paths of the compiler's libraries."""
    for pattern in _FOLDERS:
        for folder in root.glob(pattern):
            with os.scandir(folder) as entries:
                names = [each.name for each in entries if _LIBRARY.fullmatch(each.name)]
            yield from ((name, folder / name) for name in names)


def _told(path: Path) -> str:
    """Return what a file's state tells of its version; of a link, the file that it leads to."""
    try:
        said = path.stat()
    except OSError:
        return f"{path} is not there"
    return f"{path.resolve()} {said.st_size} {said.st_mtime_ns}"


def compile_unit(source: Unit) -> tuple[compiled.Unit, str]:
    """Compile with bcc; return what came of it, and bcc's version.

    Raises SensorError `missing_capability` or `kernel_refused`.
    """
    # bcc looks for the kernel's headers here first, and then needs no others.
    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES)
    try:
        from bcc import BPF, __version__
    except ImportError as error:
        raise SensorError(
            "missing_capability", f"bcc is missing: apt-get install python3-bpfcc ({error})"
        ) from error
    try:
        unit = BPF(text=source.source(), cflags=source.defines())
    except Exception as error:  # bcc raises plain Exception for whatever clang refuses
        raise SensorError(
            "kernel_refused", f"the kernel programs do not compile: {error}"
        ) from error
    fds = {unit[name].map_fd: name for name in source.all_tables}
    made = compiled.Unit(
        {name: compiled.shape(fd) for fd, name in fds.items()},
        {
            name: compiled.code(kind, unit.dump_func(name), fds, attach_type)
            for name, (kind, attach_type) in source.programs().items()
        },
    )
    if (wrong := source.differs(made)) is not None:
        raise SensorError("internal", wrong)
    return made, __version__.decode() if isinstance(__version__, bytes) else str(__version__)
