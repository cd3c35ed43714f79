"""The bridge from threads to the event loop: one background thread with one loop, and a typed descriptor.

The thread makes blocking calls work in scripts, in worker threads and in notebooks, where a loop is already
running. Not here: what is called; see ``sync_client.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from ..errors import Closed, InputError

__all__ = ["Blocking", "HasPortal", "Portal", "blocking"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)

_CLEAN_UP = 2.0
"""Seconds that an interrupted call may take to clean up."""


class Portal:
    """A thread that runs an event loop until :meth:`close`."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # a daemon, so that a client nobody closed cannot keep the interpreter from ending
        self._thread = threading.Thread(target=self._run, name="tvwire-loop", daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._stop = asyncio.Event()
            self._ready.set()
            runner.run(self._stop.wait())

    @property
    def is_alive(self) -> bool:
        """Whether calls can be made."""
        return self._pid == os.getpid() and self._thread.is_alive()

    def call(self, make: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run a coroutine on the loop and wait for its result.

        An interrupt (Ctrl-C) cancels the coroutine, waits for its clean-up and is raised.

        Raises:
            Closed: The thread has ended, or belongs to the parent of this forked process.
            InputError: Called on the loop's own thread, where it would wait for itself.
        """
        if self._pid != os.getpid():
            raise Closed("the client was made before a fork", hint="make a client in the child process")
        loop = self._loop
        if loop is None or not self._thread.is_alive():
            raise Closed("the client is closed")
        if threading.current_thread() is self._thread:
            raise InputError("a blocking call inside the client's own loop", hint="use AsyncClient there")
        # No lock is shared with the loop: an interrupt while this thread holds one (as Future.result() does) would
        # leave it held, and the loop waiting for it for ever.
        over: queue.SimpleQueue[asyncio.Task[R]] = queue.SimpleQueue()
        running: list[asyncio.Task[R]] = []

        def start() -> None:
            task = loop.create_task(make())
            running.append(task)
            task.add_done_callback(over.put)

        def cancel() -> None:
            for task in running:
                task.cancel()

        try:
            loop.call_soon_threadsafe(start)
            task = over.get()
        except BaseException:
            loop.call_soon_threadsafe(cancel)
            with contextlib.suppress(queue.Empty):
                over.get(timeout=_CLEAN_UP)
            raise
        if task.cancelled():
            raise Closed("the call was cancelled")
        return task.result()

    def close(self) -> None:
        """End the loop and join its thread. Idempotent."""
        if self._pid != os.getpid() or self._loop is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            if threading.current_thread() is not self._thread:
                self._thread.join(timeout=5.0)


class HasPortal(Protocol[C_co]):
    """A blocking client: an asynchronous one and the thread it lives on."""

    def _enter(self) -> tuple[C_co, Portal]: ...


class Blocking(Generic[C, P, R]):
    """A method of the blocking client that runs a method of the asynchronous one."""

    def __init__(self, method: Callable[Concatenate[C, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: HasPortal[C] | None, cls: type) -> Callable[P, R]:
        method = self._method
        if owner is None:
            return method  # type: ignore[return-value]  # documentation tools look at the class

        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            client, portal = owner._enter()
            return portal.call(lambda: method(client, *args, **kwargs))

        return call


def blocking(method: Callable[Concatenate[C, P], Coroutine[Any, Any, R]]) -> Blocking[C, P, R]:
    """Make the blocking twin of an asynchronous method: ``candles = blocking(AsyncClient.candles)``."""
    return Blocking(method)
