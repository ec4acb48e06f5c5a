"""Runs tshark in a way that no user's settings change."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from tests.capture_oracle.errors import OracleError

#: Separates the values of a field that a packet has several times; no value holds it.
BETWEEN: Final = "\x1f"

#: Fragments are not put together on either side: a piece counts where it is, and says what it says.
_AS_IT_IS: Final = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    # Sizes that offloading left at zero; a captured checksum says no more than that about its packet
    "ip.tso_support:TRUE",
    "ip.check_checksum:FALSE",
    "tcp.check_checksum:FALSE",
    "udp.check_checksum:FALSE",
)
#: A stream is put together whatever the order of its segments.
_STREAMS: Final = (
    "tcp.desegment_tcp_streams:TRUE",
    "tcp.reassemble_out_of_order:TRUE",
    "tls.desegment_ssl_records:TRUE",
    "http.desegment_headers:TRUE",
    "dns.desegment_dns_messages:TRUE",
)
#: Each segment says what it says, though the rest of a request or hello never came.
_SEGMENTS: Final = ("tcp.desegment_tcp_streams:FALSE",)
#: All that a packet's conversation depends on. What is within is not looked at: an IP packet in a
#: tunnel or in an ICMP error is not the conversation of the packet that carries it.
_HEADERS: Final = frozenset(
    (
        *("frame", "data", "communityid", "eth", "ethertype", "vlan", "sll", "null", "loop", "raw"),
        *(
            "ppp",
            "ip",
            "ipv6",
            "ipv6.hopopts",
            "ipv6.routing",
            "ipv6.fraghdr",
            "ipv6.dstopts",
            "ah",
        ),
        *("tcp", "udp", "sctp", "icmp", "icmpv6"),
    )
)

#: What tshark says of a file whose end is missing; it has told all that there is.
_CUT_SHORT: Final = "cut short in the middle of a packet"


class Tshark:
    """tshark with settings of its own; only made by `tshark`."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._full = folder / "full"
        self._headers = folder / "headers"
        self._full.mkdir()
        self._headers.mkdir()
        others = (line.split("\t") for line in self._output("-G", "protocols").splitlines())
        (self._headers / "disabled_protos").write_text(
            "".join(f"{name}\n" for _, _, name, *_ in others if name not in _HEADERS)
        )

    def version(self) -> str:
        """Return which tshark it is."""
        return self._output("--version").partition("\n")[0]

    def headers(self, capture: Path, fields: Sequence[str]) -> Iterator[list[str]]:
        """Yield the fields of every packet, with nothing dissected above the transport."""
        options = ("--enable-protocol", "communityid", *_options(_AS_IT_IS))
        yield from self._fields(self._headers, capture, fields, options)

    def streams(
        self,
        capture: Path,
        fields: Sequence[str],
        choice: str,
        decode_as: Iterable[str] = (),
        *,
        apart: bool = False,
    ) -> Iterator[list[str]]:
        """Yield the fields of the packets that a display filter chooses, with streams reassembled or kept apart."""
        settings = (*_AS_IT_IS, *(_SEGMENTS if apart else _STREAMS))
        options = [*_options(settings), "-Y", choice]
        for each in decode_as:
            options += ["-d", each]
        yield from self._fields(self._full, capture, fields, options)

    @contextmanager
    def details(self, capture: Path, protocols: Sequence[str]) -> Iterator[IO[bytes]]:
        """Give the details (PDML) of the packets that have one of the protocols, and nothing else of them."""
        options = [
            *_options((*_AS_IT_IS, *_STREAMS)),
            *("-Y", " || ".join(protocols), "-T", "pdml", "-J", " ".join(protocols)),
        ]
        with self._run(self._full, capture, options) as stdout:
            yield stdout

    def _fields(
        self, settings: Path, capture: Path, fields: Sequence[str], options: Iterable[str]
    ) -> Iterator[list[str]]:
        wanted = [word for field in fields for word in ("-e", field)]
        form = ("-T", "fields", "-E", "occurrence=a", "-E", f"aggregator={BETWEEN}", *wanted)
        with self._run(settings, capture, (*options, *form)) as stdout:
            for line in stdout:
                yield line.decode(errors="replace").rstrip("\n").split("\t")

    def _output(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, *arguments],
            env=self._environment(self._full),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise OracleError(f"tshark {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    @contextmanager
    def _run(self, settings: Path, capture: Path, options: Iterable[str]) -> Iterator[IO[bytes]]:
        """Run tshark over a capture; raises OracleError if it could not read all of it."""
        with (
            TemporaryDirectory() as folder,
            (Path(folder) / "stderr").open("w+b") as said,
            subprocess.Popen(
                [self._program, "-n", "-r", str(capture), *options],
                env=self._environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            ) as process,
        ):
            assert process.stdout is not None
            yield process.stdout
            if process.wait():
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines()
                reason = next((line for line in reversed(lines) if "tshark" in line), "no reason")
                if _CUT_SHORT not in reason:
                    raise OracleError(f"{capture}: {reason}")

    @staticmethod
    def _environment(settings: Path) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(settings),
            "WIRESHARK_CONFIG_DIR": str(settings),
        }


def _options(settings: Iterable[str]) -> list[str]:
    return [word for setting in settings for word in ("-o", setting)]


@contextmanager
def tshark() -> Iterator[Tshark]:
    """Give a tshark with settings of its own; raises OracleError if there is none."""
    program = shutil.which("tshark")
    if program is None:
        raise OracleError("tshark is missing: run apt-get install tshark")
    with TemporaryDirectory(prefix="oracle-") as folder:
        yield Tshark(program, Path(folder))
