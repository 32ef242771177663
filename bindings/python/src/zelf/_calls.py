"""Asynchronous calls, run by the event loop of asyncio.

The client queues its callbacks, and its descriptor is readable while some are due. Each event
loop with calls under way watches the descriptor and runs the callbacks. So no thread of the
library enters Python for a call.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import weakref
from typing import Any, Callable, Dict, Optional, Set

from . import _abi
from ._errors import Error, ShutDownError, SystemError
from ._library import Handle, Outcome, check, lib, numbered, take_error
from ._request import take_response
from ._session import take_session

next_number = itertools.count(1).__next__


class Call:
    """A call under way. The task that awaits it may be gone already."""

    __slots__ = ("future", "watch", "__weakref__")

    def __init__(self, watch: Watch) -> None:
        self.future: asyncio.Future[Any] = watch.loop.create_future()
        self.watch = watch


class Watch:
    """Watches a client's descriptor in one event loop, as long as the loop has calls of it."""

    def __init__(self, owner: Calls, loop: asyncio.AbstractEventLoop) -> None:
        self.owner = owner
        self.loop = loop
        self.calls: Set[Call] = set()
        self.descriptor: Optional[int] = None

    def begin(self) -> None:
        """Runs in the loop's thread, before each new call starts: it may fail."""
        if self.descriptor is None:
            with self.owner.client as client:
                descriptor = lib.zelf_client_descriptor(client)
                if descriptor < 0:
                    # This is a forked child, or the system has none left.
                    check(lib.zelf_client_dispatch(client))
                    check(_abi.ZELF_ERROR_SYSTEM)
                try:
                    # A copy, because the loop may have it longer than the client lives.
                    self.descriptor = os.dup(descriptor)
                except OSError as error:
                    raise SystemError(f"no descriptor for the event loop: {error.strerror}") from error
            weakref.finalize(self, os.close, self.descriptor).atexit = False
            self.loop.add_reader(self.descriptor, self.dispatch)

    def dispatch(self) -> None:
        """Runs the callbacks that are due, also those of other loops."""
        try:
            with self.owner.client as client:
                lib.zelf_client_dispatch(client)
        except ShutDownError:
            # The client is closed, and has run all callbacks.
            self.end()

    def deliver(self, call: Call, result: object) -> None:
        """Hands over a result. Runs in the thread that dispatches, or that closes the client."""
        try:
            self.loop.call_soon_threadsafe(self.finish, call, result)
        except RuntimeError:
            # The loop is closed, and its task is gone.
            self.calls.discard(call)
            if not self.calls:
                self.owner.watches.pop(self.loop, None)

    def finish(self, call: Call, result: object) -> None:
        """Ends a call. Runs in the loop's thread."""
        self.calls.discard(call)
        if not call.future.done():
            if isinstance(result, Error):
                call.future.set_exception(result)
            else:
                call.future.set_result(result)
        if not self.calls:
            self.end()

    def end(self) -> None:
        """Stops watching. Runs in the loop's thread."""
        self.owner.watches.pop(self.loop, None)
        if self.descriptor is not None:
            self.loop.remove_reader(self.descriptor)


class Calls:
    """The asynchronous calls of a client."""

    def __init__(self, client: Handle[_abi.zelf_client]) -> None:
        self.client = client
        self.watches: Dict[asyncio.AbstractEventLoop, Watch] = {}

    async def run(self, start: Callable[[int, Any], Optional[_abi.zelf_call]]) -> Any:
        """Starts a call with its number and the place for an error, and awaits its result."""
        loop = asyncio.get_running_loop()
        watch = self.watches.get(loop)
        if watch is None:
            watch = self.watches[loop] = Watch(self, loop)
        call, number, outcome = Call(watch), next_number(), Outcome()
        numbered[number] = call
        watch.calls.add(call)
        try:
            watch.begin()
            handle = outcome.of(start(number, outcome.error))
        except BaseException:
            watch.calls.discard(call)
            if not watch.calls:
                watch.end()
            raise
        try:
            return await call.future
        finally:
            # Cancelling a call that has ended does nothing.
            lib.zelf_call_cancel(handle)
            lib.zelf_call_free(handle)


def _deliver(number: int, result: object) -> None:
    call: Optional[Call] = numbered.get(number)
    if call is not None:
        call.watch.deliver(call, result)


def _on_session(session: Optional[int], error: Optional[int], number: int) -> None:
    _deliver(number, take_session(_abi.zelf_session(session)) if session else take_error(error or 0))


def _on_response(response: Optional[int], error: Optional[int], number: int) -> None:
    _deliver(
        number, take_response(_abi.zelf_response(response)) if response else take_error(error or 0)
    )


# They live as long as Python.
on_session = _abi.zelf_session_callback(_on_session)
on_response = _abi.zelf_response_callback(_on_response)
