"""CPU time, which tells what something costs also where others keep the machine busy."""

import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def of_tasks(*folders: Path) -> int:
    """Return the CPU time of tasks, by their folders in /proc, in ns."""
    return sum(int((each / "schedstat").read_text().split()[0]) for each in folders)


def of_process(pid: int) -> int:
    """Return the CPU time of all threads that a process has, in ns."""
    return of_tasks(*Path(f"/proc/{pid}/task").iterdir())


def of_thread_and_softirqs(cpus: Iterable[int]) -> int:
    """Return the CPU time of this thread, whose system calls do the kernel's part, and of what these CPUs' leave."""
    return time.thread_time_ns() + of_tasks(*(_softirq_thread(each) for each in cpus))


@cache
def _softirq_thread(cpu: int) -> Path:
    """Find the kernel thread that does what a CPU's softirqs leave undone."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "comm").read_text() == f"ksoftirqd/{cpu}\n":
                return entry
        except FileNotFoundError:
            continue  # ended meanwhile
    raise OSError(f"there is no ksoftirqd/{cpu}: is this a container?")
