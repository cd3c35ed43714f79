"""What a receiver is handed, and in which order."""

from __future__ import annotations

import asyncio

from support.receiver import Recorder
from tvwire import ConnectionLost, TvWireError
from tvwire.net.delivery import Delivery


class Told(Recorder):
    """Remembers what came together."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[list[bytes]] = []

    def messages_received(self, messages: list[bytes]) -> None:
        super().messages_received(messages)
        self.together.append(messages)


class Broken(Told):
    """Fails at the first message."""

    def messages_received(self, messages: list[bytes]) -> None:
        super().messages_received(messages)
        raise KeyError("bug")


def raised(error: Exception) -> None:
    raise AssertionError(f"nobody expected {error!r}")


async def started(receiver: Recorder) -> Delivery:
    delivery = Delivery(receiver, raised)
    delivery.start_soon()
    await asyncio.sleep(0)
    return delivery


async def test_what_came_together_is_handed_over_together_and_once() -> None:
    told = Told()
    delivery = await started(told)
    delivery.flush()
    delivery.batch += [b"1", b"2"]
    delivery.flush()
    delivery.flush()
    delivery.batch.append(b"3")
    delivery.flush()
    assert told.together == [[b"1", b"2"], [b"3"]]
    assert told.losses == []


async def test_the_end_comes_behind_what_arrived_before_it_and_once() -> None:
    told, end = Told(), ConnectionLost("over")
    delivery = await started(told)
    delivery.batch.append(b"1")
    delivery.lost(end)
    delivery.lost(ConnectionLost("again"))
    delivery.batch.append(b"2")
    delivery.flush()
    assert (told.messages, told.losses) == ([b"1"], [end])
    assert delivery.ended


async def test_what_arrives_before_the_start_is_kept_and_what_follows_an_end_is_not() -> None:
    told, end = Told(), ConnectionLost("over")
    delivery = Delivery(told, raised)
    delivery.batch.append(b"1")
    delivery.flush()
    delivery.lost(end)
    delivery.batch.append(b"2")
    assert (told.messages, told.losses) == ([], [])
    delivery.start_soon()
    await asyncio.sleep(0)
    assert (told.messages, told.losses) == ([b"1"], [end])


async def test_nothing_is_delivered_after_the_owner_has_closed() -> None:
    told = Told()
    delivery = await started(told)
    delivery.batch.append(b"1")
    delivery.mute()
    delivery.flush()
    delivery.lost(ConnectionLost("over"))
    assert (told.messages, told.losses) == ([], [])


async def test_a_receiver_that_fails_at_the_end_is_told_of_its_failure() -> None:
    broken = Broken()
    delivery = await started(broken)
    delivery.batch += [b"1", b"2"]
    delivery.lost(ConnectionLost("over"))
    (loss,) = broken.losses
    assert isinstance(loss.__cause__, KeyError)


async def test_a_receiver_that_fails_with_what_was_kept_is_reported() -> None:
    broken, faults = Broken(), list[Exception]()
    delivery = Delivery(broken, faults.append)
    delivery.batch.append(b"1")
    delivery.start_soon()
    await asyncio.sleep(0)
    assert [type(fault) for fault in faults] == [KeyError]
    assert not isinstance(faults[0], TvWireError)
