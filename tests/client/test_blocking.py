from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from tvwire import Client, Closed, InputError
from tvwire.client.blocking import Portal


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


def test_a_portal_runs_coroutines_of_many_threads() -> None:
    portal = Portal()
    results: list[int] = []
    threads = [threading.Thread(target=lambda i=i: results.append(portal.call(lambda: answer(i)))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    portal.close()
    portal.close()
    assert sorted(results) == list(range(20))


def test_an_ended_portal_says_so() -> None:
    portal = Portal()
    portal.close()
    with pytest.raises(Closed):
        portal.call(lambda: answer(1))


def test_a_blocking_call_inside_the_clients_own_loop_is_refused() -> None:
    portal = Portal()

    async def wrong() -> int:
        return portal.call(lambda: answer(1))

    with pytest.raises(InputError, match="own loop"):
        portal.call(wrong)
    portal.close()


def test_an_interrupt_cancels_the_call_and_waits_for_its_end() -> None:
    portal = Portal()
    cleaned = threading.Event()
    started = threading.Event()

    async def long() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    def interrupt() -> None:
        started.wait(5)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    # what Ctrl-C does while the main thread waits
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(long)
    assert cleaned.wait(5)
    portal.close()


def test_a_client_that_was_never_used_starts_no_thread() -> None:
    before = threading.active_count()
    client = Client()
    assert threading.active_count() == before
    client.close()
    with pytest.raises(Closed):
        client.symbol("NASDAQ:AAPL")


def test_a_forked_child_is_told_to_make_its_own_client() -> None:
    portal = Portal()
    portal._pid = os.getpid() + 1  # what a child sees after a fork
    with pytest.raises(Closed, match="fork"):
        portal.call(lambda: answer(1))
    portal._pid = os.getpid()
    portal.close()


def test_a_client_that_is_dropped_unclosed_warns() -> None:
    clients = [Client()]
    clients[0]._enter()
    portal = clients[0]._portal
    with pytest.warns(ResourceWarning, match="unclosed"):
        clients.clear()
    assert portal is not None
    portal.close()
