"""Lists that change, fail, are damaged or hang: a real child reads them, and the last good one stays in force."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.gateway.feeds_kernel import BAD, Kernel, Server, Start, add, write

pytestmark = pytest.mark.lab
pytest_plugins = ["tests.gateway.feeds_kernel"]


async def test_domains_are_known_by_list(start: Start, server: Server, tmp_path: Path) -> None:
    feeds = await start()
    assert not feeds.has_domains
    server.body = b"0.0.0.0 ads.example\n0.0.0.0 localhost\n"
    await add(feeds, server.url, "hosts")
    feed = await add(feeds, write(tmp_path / "names", "*.bad.example", "ads.example"), "names")
    assert (feed.format, feed.domains) == ("domains", 2)
    assert feeds.has_domains
    mask = feeds.match_domain("ads.example")
    assert {feeds.name_of(bit) for bit in range(32) if mask >> bit & 1} == {"hosts", "names"}
    assert feeds.match_domain("www.bad.example")
    assert not feeds.match_domain("good.example")
    assert feeds.feed("hosts").subtracted_examples == ("localhost: a name of the home",)


async def test_a_failing_refresh_keeps_the_last_good_list(
    kernel: Kernel, start: Start, server: Server
) -> None:
    feeds = await start()
    server.body = BAD.encode()
    feed = await add(feeds, server.url)
    assert feed.last_error is None
    assert feed.source.endswith("/list?…")
    before = feed.updated
    await feeds.refresh("drop")  # 304
    assert server.asked == 2
    assert feeds.feed("drop").updated == before
    for status, body in (
        (500, b"x"),
        (401, b"x"),
        (200, b"<html>"),
        (200, b"no\nlist\nat all!"),
        (200, b""),
    ):
        server.status, server.body = status, body
        (feed,) = await feeds.refresh()
        assert feed.last_error
        assert "secret" not in feed.last_error
        assert kernel.drops(BAD)
    server.status, server.body = 200, b"203.0.113.67\n"
    (feed,) = await feeds.refresh()
    assert feed.last_error is None
    assert kernel.drops("203.0.113.67")
    assert not kernel.drops(BAD)
    assert feed.packets == 5  # a swap does not begin to count anew


async def test_a_restart_needs_no_network(kernel: Kernel, start: Start, server: Server) -> None:
    feeds = await start()
    server.body = b"\n".join((BAD.encode(), b"203.0.113.53"))
    await add(feeds, server.url)
    assert kernel.drops(BAD)
    asked, server.status = server.asked, 503
    kernel.tables.set_feeds(0)  # as after a reboot
    for name in ("feed_ipv4_a", "feed_ipv4_b"):
        for key in list(kernel.tables.map(name).keys()):
            kernel.tables.map(name).delete(key)
    assert not kernel.drops(BAD)
    feeds = await start()
    assert kernel.drops(BAD)
    feed = feeds.feed("drop")
    assert (feed.packets, feed.addresses, feed.subtracted, server.asked) == (2, 1, 1, asked)


async def test_a_damaged_copy_is_said_and_fetched_again(
    kernel: Kernel, start: Start, server: Server, tmp_path: Path
) -> None:
    feeds = await start()
    server.body = BAD.encode()
    await add(feeds, server.url)
    copy = tmp_path / "feeds" / "drop.feed"
    copy.write_bytes(copy.read_bytes()[:-3])
    feeds = await start()
    assert "damaged" in (feeds.feed("drop").last_error or "")
    assert (tmp_path / "feeds" / "drop.feed.damaged").exists()
    await feeds.refresh()
    assert feeds.feed("drop").last_error is None
    assert kernel.drops(BAD)


async def test_another_source_under_the_same_name_replaces_the_list(
    kernel: Kernel, start: Start, tmp_path: Path
) -> None:
    feeds = await start()
    await add(feeds, write(tmp_path / "one", BAD))
    assert kernel.drops(BAD)
    feed = await add(feeds, str(tmp_path / "none"))
    assert "can't be read" in (feed.last_error or "")
    assert not kernel.drops(BAD)
    assert (feed.addresses, feed.packets) == (0, 0)


async def test_lines_of_a_file_that_only_root_reads_are_not_shown(
    start: Start, tmp_path: Path
) -> None:
    feeds = await start()
    feed = await add(feeds, write(tmp_path / "private", "root:s3cret", "x:y"))
    assert feed.last_error is not None
    assert "s3cret" not in str(feed)
    await add(feeds, write(tmp_path / "private", BAD, "root:s3cret"))
    assert "s3cret" not in (tmp_path / "feeds" / "feeds.json").read_text()


def children() -> list[int]:
    """The processes that this one has started and that read lists."""
    tasks = Path("/proc/self/task").iterdir()
    started = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [
        child
        for child in started
        if b"gather" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
    ]


async def test_one_child_at_a_time_and_none_is_left(
    kernel: Kernel, start: Start, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hearthwall_sensor.feeds import feeds as module  # noqa: PLC0415

    monkeypatch.setattr(module, "_PATIENCE", 0.5)
    feeds = await start()
    server.body, server.hold = BAD.encode(), asyncio.Event()
    feed = await add(feeds, server.url, "slow")
    # No answer yet, and the order is not kept waiting
    assert (feed.updated, feed.last_error) == (None, None)
    await add(feeds, write(tmp_path / "list", "203.0.113.67"), "quick")
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not kernel.drops("203.0.113.67"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert "the log may say why" in (feeds.feed("slow").last_error or "")
    await feeds.refresh("slow")
    assert len(children()) == 1
    server.hold.set()
    await feeds.stop()
    assert children() == []
    assert kernel.drops("203.0.113.67")
