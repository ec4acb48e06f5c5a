"""Opens as many TCP connections as it is told, as fast as it can, and holds those that it gets.

Prints how many there were of each kind at the end: `open` ones that are held still, and those that were `refused`.
"""

import errno
import json
import resource
import select
import socket
import sys
import time

#: Connections that may be on their way at once: the other side's queue is no longer anyway.
_ON_THEIR_WAY = 512


def main(host: str, port: int, count: int, seconds: float) -> None:
    """Open them all, hold them until standard input ends, and tell."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
    poll = select.epoll()
    known: dict[int, socket.socket] = {}
    waiting: set[int] = set()
    begun = refused = 0
    news = time.monotonic()
    deadline = news + seconds
    # What is open may be ended yet: it waits in the other side's queue.
    while (begun < count or waiting or time.monotonic() - news < 1) and time.monotonic() < deadline:
        while begun < count and len(waiting) < _ON_THEIR_WAY:
            connection = socket.socket()
            connection.setblocking(False)
            begun += 1
            if connection.connect_ex((host, port)) not in (0, errno.EINPROGRESS):
                refused += 1
                connection.close()
                continue
            known[connection.fileno()] = connection
            waiting.add(connection.fileno())
            poll.register(connection, select.EPOLLOUT | select.EPOLLRDHUP)
        for number, what in poll.poll(0.1):
            news = time.monotonic()
            waiting.discard(number)
            if what & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                refused += 1
                poll.unregister(number)
                known.pop(number).close()
            else:
                poll.modify(number, select.EPOLLRDHUP)
    print(
        json.dumps({"begun": begun, "refused": refused, "open": len(known) - len(waiting)}),
        flush=True,
    )
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
