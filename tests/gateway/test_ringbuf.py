"""Reading a ring buffer: in order, bounded, readable until it is empty, and gone on with by the next reader."""

import ctypes
import select
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.kernel import pins
from hearthwall_sensor.kernel.libbpf import Handle, Program
from hearthwall_sensor.kernel.ringbuf import MAX_RECORDS, RingBuffer

pytestmark = pytest.mark.lab

PAGES = 64
RECORD = 1528
#: Each record takes its header of eight bytes as well.
ROOM = PAGES * 4096 // (RECORD + 8)

WRITER = r"""
import os, sys
os.environ["BCC_KERNEL_SOURCE"] = sys.argv[1]
from bcc import BPF
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.kernel import libbpf
unit = BPF(text='''
BPF_RINGBUF_OUTPUT(records, PAGES);
BPF_ARRAY(count, u64, 1);
struct record { u64 number; u8 rest[RECORD - 8]; };
int write(struct __sk_buff *skb)
{
	u32 zero = 0;
	u64 *number = count.lookup(&zero);
	struct record *record;

	if (!number)
		return 2;
	*number += 1;
	record = records.ringbuf_reserve(sizeof(*record));
	if (!record)
		return 1;
	record->number = *number;
	if (*number % 10 == 0)
		records.ringbuf_discard(record, 0);
	else
		records.ringbuf_submit(record, 0);
	return 0;
}
'''.replace("PAGES", sys.argv[3]).replace("RECORD", sys.argv[4]))
libbpf.Handle(unit.load_func("write", 3).fd).pin(sys.argv[2] + "/write")
libbpf.Handle(unit["records"].map_fd).pin(sys.argv[2] + "/records")
"""


class Writer:
    """A kernel program that writes a numbered record each time it runs, and discards every tenth."""

    def __init__(self, folder: Path) -> None:
        self.buffer: Handle = Handle.pinned(str(folder / "records"))
        self._program: Program = Program.pinned(str(folder / "write"))

    def write(self, records: int) -> int:
        """Return how many found no room."""
        return sum(self._program.run(bytes(64))[0] for _ in range(records))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    pins.mount()
    folder = pins.BPFFS / f"ringbuf-{tmp_path.name}"
    folder.mkdir()
    bpf = Path(__file__).resolve().parents[2] / "bpf"
    try:
        subprocess.run(
            ["/usr/bin/python3", "-c", WRITER, str(bpf), str(folder), str(PAGES), str(RECORD)],
            check=True,
        )
        made = Writer(folder)
        yield made
        made.buffer.close()
    finally:
        for name in ("write", "records"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def numbers(records: list[bytes]) -> list[int]:
    assert all(len(each) == RECORD for each in records)
    return [struct.unpack_from("<Q", each)[0] for each in records]


def readable(buffer: RingBuffer) -> bool:
    poll = select.epoll()
    poll.register(buffer.fileno(), select.EPOLLIN)
    found = bool(poll.poll(0))
    poll.close()
    return found


def test_records_come_in_order_without_the_discarded(writer: Writer) -> None:
    buffer = RingBuffer(writer.buffer.fd)
    assert not readable(buffer)
    assert buffer.read() == []
    assert writer.write(25) == 0
    assert readable(buffer)
    assert numbers(buffer.read()) == [n for n in range(1, 26) if n % 10]
    assert not readable(buffer)
    buffer.close()


def test_round_the_end_of_the_buffer_many_times(writer: Writer) -> None:
    buffer = RingBuffer(writer.buffer.fd)
    seen: list[int] = []
    for _ in range(20):
        assert writer.write(100) == 0
        seen += numbers(buffer.read())
    assert seen == [n for n in range(1, 2001) if n % 10]
    buffer.close()


def test_what_finds_no_room_is_known_and_reading_makes_room(writer: Writer) -> None:
    buffer = RingBuffer(writer.buffer.fd)
    lost = writer.write(ROOM + 50)
    assert 50 <= lost <= 60
    assert len(buffer.read()) == pytest.approx(ROOM * 0.9, abs=3)
    assert writer.write(10) == 0
    buffer.close()


def test_a_read_takes_no_more_than_its_bound_and_the_rest_stays_readable(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearthwall_sensor.kernel.ringbuf.MAX_RECORDS", 40)
    buffer = RingBuffer(writer.buffer.fd)
    writer.write(99)
    seen = []
    for size in (40, 40, 10):
        assert readable(buffer)
        found = numbers(buffer.read())
        assert len(found) == size
        seen += found
    assert seen == [n for n in range(1, 100) if n % 10]
    assert not readable(buffer)
    buffer.close()
    assert MAX_RECORDS >= ROOM


def test_the_next_reader_goes_on_where_the_last_one_ended(writer: Writer) -> None:
    first = RingBuffer(writer.buffer.fd)
    writer.write(5)
    first.read()
    writer.write(3)
    first.close()
    first.close()
    second = RingBuffer(writer.buffer.fd)
    assert numbers(second.read()) == [6, 7, 8]
    second.close()


def test_what_is_no_ring_buffer_is_refused() -> None:
    library = ctypes.CDLL("libbpf.so.1")
    array = library.bpf_map_create(2, b"array", 4, 4, 1, None)
    assert array >= 0
    with pytest.raises(OSError, match="EINVAL"):
        RingBuffer(array)
    Handle(array).close()
