"""The lab's internet in one process: web, DNS, mining pool, UDP sink and a silent address."""

import asyncio
import json
import os
import signal
import ssl
from dataclasses import asdict
from pathlib import Path

from lab import datagram, dns, home, silent, stratum, web
from lab.process import Process
from lab.sink import Sink

#: A server that cannot even start must not hold the lab's lock for ever.
START_SECONDS = 15


def _announce(ready: int, lock: int) -> None:
    """Tell `up` that we serve and let go of the lab's lock; if `up` is gone, so are we."""
    process = Process.current()
    os.write(ready, json.dumps(asdict(process)).encode())
    os.close(ready)
    os.close(lock)


async def _serve(certificate: Path, key: Path, ready: int, lock: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    sink = Sink()
    runner = await web.start(sink, tls)
    for site in home.SITES.values():
        for address in map(str, site.addresses):
            if site.service == "dns":
                await dns.start(address)
            elif site.service == "stratum":
                await stratum.start(address)
            elif site.service == "silent":
                await silent.start(address)
    for address in map(str, home.WEB.addresses):
        sink.listen(address, home.SINK_PORT)
        await datagram.start(address, home.ECHO_PORT, bytes)

    signal.alarm(0)
    _announce(ready, lock)
    await stop.wait()
    await runner.cleanup()


def serve(certificate: Path, key: Path, ready: int, lock: int) -> None:
    """Serve until SIGTERM; the calling process must be in the internet's namespace already."""
    signal.alarm(START_SECONDS)
    asyncio.run(_serve(certificate, key, ready, lock))
