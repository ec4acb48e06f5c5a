"""Images: what a process became, read from real processes, or told by the kernel's record where they have gone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.kernel.process_layouts import EXECUTED, Executed, Head
from hearthwall_sensor.processes.image import MAX_ANCESTORS, Image
from hearthwall_sensor.processes.images import Images

SLEEP = os.path.realpath(shutil.which("sleep") or "/bin/sleep")
GONE = 2**22 + 1
NUMBER = 0x1200


class Kernel:
    """The kernel's table of processes, as far as the sensor asks it."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.resolved: list[tuple[Image, bytes]] = []
        self.images = Images(lambda ns: ns / 1e9, self.numbers.get)
        self.images.on_resolved = lambda image, path: self.resolved.append((image, path))

    def execute(self, pid: int, number: int, path: bytes, *words: bytes, **fields: int) -> Image:
        record = executed(pid, number, path, *words, **fields)
        return self.images.executed(record)


def executed(pid: int, number: int, path: bytes, *words: bytes, **fields: int) -> Executed:
    head = Head(
        EXECUTED, 0, 0, pid, 5 * 10**9, number, fields.get("cgroup", 1), fields.get("parent", 0), 1000,
        b"comm\x1b\0junk\0\0\0\0\0\0"[:16],
    )  # fmt: skip
    return Executed(head, fields.get("previous", 0), path, words, False)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([SLEEP, "60"])
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        pass  # it is being executed
    yield process
    process.kill()
    process.wait()


def test_what_runs_is_read_and_what_was_asked_for_is_kept(
    kernel: Kernel, sleeper: subprocess.Popen[bytes]
) -> None:
    kernel.numbers[sleeper.pid] = NUMBER
    image = kernel.execute(sleeper.pid, NUMBER, b"./alias", b"./alias", b"60")
    assert (image.executable, image.file, image.is_read) == (SLEEP, "./alias", True)
    assert (image.pid, image.parent_pid, image.uid) == (sleeper.pid, os.getpid(), os.geteuid())
    assert image.started == 5.0
    assert image.command_line == f"{SLEEP} 60"
    assert kernel.resolved[-1] == (image, os.fsencode(SLEEP))
    assert kernel.images.of(NUMBER, sleeper.pid) is image


def test_a_process_that_became_something_else_meanwhile_is_not_taken_for_it(
    kernel: Kernel, sleeper: subprocess.Popen[bytes]
) -> None:
    kernel.numbers[sleeper.pid] = NUMBER + 256
    image = kernel.execute(sleeper.pid, NUMBER, b"/no/such", b"/no/such", b"--token", b"hunter2")
    assert (image.executable, image.is_read) == ("/no/such", False)
    assert image.command_line == "/no/such --token ***"
    assert (image.comm, image.uid) == (r"comm\x1b", 1000)
    assert kernel.images.unread == 1


def test_what_ended_before_it_was_read_is_called_by_its_own_path(
    kernel: Kernel, tmp_path: Path
) -> None:
    """The link may lead elsewhere by now: nobody else is blamed; rules on what it leads to hold for it."""
    (tmp_path / "link").symlink_to(SLEEP)
    image = kernel.execute(GONE, NUMBER, os.fsencode(tmp_path / "link"))
    assert (image.executable, image.file) == (str(tmp_path / "link"),) * 2
    assert not image.is_read
    assert kernel.resolved == [(image, os.fsencode(SLEEP))]


@pytest.mark.parametrize("line", ["#!{sleep}\n", "#! {sleep} 60\nrest", "#!\t{sleep}"])
def test_a_script_that_ended_before_it_was_read_is_held_by_its_interpreter(
    kernel: Kernel, tmp_path: Path, line: str
) -> None:
    script = tmp_path / "script"
    script.write_text(line.format(sleep=SLEEP))
    image = kernel.execute(GONE, NUMBER, os.fsencode(script))
    assert (image.executable, image.file) == (str(script),) * 2
    assert kernel.resolved == [(image, os.fsencode(SLEEP))]


@pytest.mark.parametrize("line", ["#!", "#!\n", "#!env foo\n", "#!/no/such\n", "\x7fELF", ""])
def test_a_script_without_an_interpreter_is_itself(
    kernel: Kernel, tmp_path: Path, line: str
) -> None:
    script = tmp_path / "script"
    script.write_text(line)
    kernel.execute(GONE, NUMBER, os.fsencode(script))
    assert kernel.resolved[-1][1] == os.fsencode(script)


def test_only_regular_files_are_opened(kernel: Kernel, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (os.fsencode(tmp_path / "fifo"), b"/dev/null", os.fsencode(tmp_path)):
        kernel.execute(GONE, NUMBER, path)
        assert kernel.resolved[-1][1] == path


@pytest.mark.parametrize(
    "path", [b"/proc/self/exe", b"/dev/fd/3", b"sleep", b"./sleep", b"", b"/a\0b"]
)
def test_paths_that_mean_something_else_here_are_left_alone(kernel: Kernel, path: bytes) -> None:
    image = kernel.execute(GONE, NUMBER, path)
    assert image.executable == path.decode().replace("\0", r"\x00")


def test_a_path_in_a_container_is_not_looked_for_on_this_host(
    kernel: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(SLEEP)
    outer = Image(1, 1, 0, 0, "/x", "/x", "", "x", 0.0, container="4f1b9a6b7e0c")
    kernel.images.add(NUMBER - 256, outer)
    image = kernel.execute(GONE, NUMBER, os.fsencode(tmp_path / "link"), previous=NUMBER - 256)
    assert image.executable == str(tmp_path / "link")
    assert image.container == "4f1b9a6b7e0c"
    assert image.program == f"exe:{tmp_path / 'link'}@4f1b9a6b7e0c"


def test_a_path_that_is_no_utf_8_is_escaped_and_its_bytes_are_told(kernel: Kernel) -> None:
    image = kernel.execute(GONE, NUMBER, b"/no/\xff\x1b[2J")
    assert image.executable == r"/no/\xff\x1b[2J"
    assert kernel.resolved == [(image, b"/no/\xff\x1b[2J")]


def test_long_paths_are_cut_and_still_told_apart(kernel: Kernel) -> None:
    first = kernel.execute(GONE, NUMBER, b"/" + b"\xff" * 240 + b"a")
    second = kernel.execute(GONE, NUMBER + 256, b"/" + b"\xff" * 240 + b"b")
    assert len(first.executable) < 600
    assert first.executable != second.executable


def test_lineage_is_what_it_was_before_and_no_longer_than_is_kept(kernel: Kernel) -> None:
    for number in range(1, 30):
        image = kernel.execute(GONE, number * 256, b"/no/%d" % number, previous=(number - 1) * 256)
    assert [each.executable for each in image.lineage()] == [
        f"/no/{number}" for number in range(29, 29 - MAX_ANCESTORS - 1, -1)
    ]


def test_a_parent_that_the_kernel_did_not_number_is_looked_for(
    kernel: Kernel, sleeper: subprocess.Popen[bytes]
) -> None:
    image = kernel.execute(GONE, NUMBER, b"/no/such", parent=sleeper.pid)
    assert image.parent is not None
    assert image.parent.executable == SLEEP
    assert image.parent.parent is not None
    assert image.parent.parent.pid == os.getpid()


def test_images_are_bounded_and_those_asked_for_stay() -> None:
    images = Images(float, {}.get, limit=64)
    images.executed(executed(GONE, 256, b"/no/first"))
    for number in range(2, 500):
        images.executed(executed(GONE, number * 256, b"/no/%d" % number, previous=256))
    assert len(images) <= 64
    assert images.find(256) is not None
    assert images.find(512) is None
    assert images.evicted >= 499 - 64


def test_a_process_from_before_is_read_once(
    kernel: Kernel, sleeper: subprocess.Popen[bytes]
) -> None:
    image = kernel.images.of(0, sleeper.pid)
    assert (image.number, image.executable, image.is_read) == (0, SLEEP, True)
    assert kernel.images.of(0, sleeper.pid) is image
    assert kernel.resolved.count((image, os.fsencode(SLEEP))) == 1
    kernel.numbers[sleeper.pid] = NUMBER
    numbered = kernel.images.of(NUMBER, sleeper.pid)
    assert (numbered.number, numbered.executable) == (NUMBER, SLEEP)


def test_a_process_from_before_that_execs_unseen_is_read_anew(kernel: Kernel) -> None:
    line = ["/bin/sh", "-c", f"read line; exec {SLEEP} 60"]
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        shell = kernel.images.of(0, process.pid)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        while kernel.images.of(0, process.pid).executable == shell.executable:
            pass
        assert kernel.images.of(0, process.pid).executable == SLEEP
        process.kill()


def test_a_process_that_is_not_known_and_has_gone_passes_for_no_program(kernel: Kernel) -> None:
    head = executed(GONE, 0, b"").head._replace(comm=b"/usr/sbin/sshd\0\0")
    image = kernel.images.of(0, GONE, head)
    assert (image.executable, image.is_read) == ("[/usr/sbin/sshd]", False)
    assert kernel.images.of(0, GONE).executable == "[?]"


def test_the_kernels_own_threads_are_one_program(kernel: Kernel) -> None:
    threads = [
        int(each.parent.name)
        for each in Path("/proc").glob("[0-9]*/stat")
        if int(each.read_text().rpartition(")")[2].split()[6]) & 0x200000
    ][:5]
    if not threads:
        pytest.skip("this host shows no threads of the kernel")
    names = {kernel.images.of(0, each).executable for each in threads}
    assert names == {"[kernel's own threads]"}
