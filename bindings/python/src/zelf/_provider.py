"""Session providers."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Callable, Optional, Type, Union, cast

from . import _abi
from ._abi import Renewal
from ._calls import next_number, on_response, on_session
from ._client import Client, shut_down_at_exit
from ._errors import Error
from ._interrupts import call_back
from ._library import (
    CallingHandle, Handle, Outcome, data, flag, function, int32, lib, no_destroy, number, numbered,
    path_text, take_error,
)
from ._request import Request, Response, take_response
from ._session import Session, SessionOptions, options_handle, take_session
from ._typing import Self, Unpack


class _Renewed:
    """Who is told of another session."""

    __slots__ = ("tell", "__weakref__")

    def __init__(self, tell: Callable[[Session], object]) -> None:
        self.tell = tell


def _tell(pointer: int, number: int) -> None:
    renewed: Optional[_Renewed] = numbered.get(number)
    if renewed is not None:
        borrowed = Handle(_abi.zelf_session(pointer), "session that was lent to on_renewed", None)
        try:
            call_back(renewed.tell, Session(borrowed))
        finally:
            borrowed.give_back()


_on_renewed = _abi.zelf_renewed_callback(_tell)


class SessionProvider:
    """Keeps one session for a program and renews it, so that a valid token is always there.

    Close it, or use it in a `with` block. The client may be closed earlier: then the current
    session is handed out until its end.

    min_valid: how many seconds a session must have left to be handed out; 5 by default.
    renewal: when to renew, and whether to end the old session.
    background: whether the client's thread renews sessions ahead of time.
    directory: where the session is stored, so that short-lived processes share it.
    on_renewed: is called with each new session, which is valid during the call. It runs on
        a thread that renews: with background and for awaited calls, the client's I/O thread.
        It must not wait for the server, as create and send do. On the I/O thread they fail.
    options: what to ask of the sessions; an identifier is required.
    """

    def __init__(
        self,
        client: Client,
        *,
        min_valid: Optional[int] = None,
        renewal: Renewal = Renewal.AT_EXPIRY,
        background: bool = False,
        directory: Union[None, str, os.PathLike[str]] = None,
        on_renewed: Optional[Callable[[Session], object]] = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        kept = lib.zelf_provider_options_new()
        assert kept
        try:
            if min_valid is not None:
                lib.zelf_provider_options_set_min_valid_s(kept, number("min_valid", min_valid, 0))
            lib.zelf_provider_options_set_renewal(kept, int32("renewal", renewal))
            lib.zelf_provider_options_set_background(kept, flag("background", background))
            lib.zelf_provider_options_set_directory(kept, path_text("directory", directory))
            tell = function("on_renewed", on_renewed)
            self._renewed = None if tell is None else _Renewed(tell)
            if self._renewed:
                renewed_number = next_number()
                numbered[renewed_number] = self._renewed
                lib.zelf_provider_options_set_renewed_callback(
                    kept, _on_renewed, renewed_number, no_destroy
                )
            outcome = Outcome()
            with client._handle as maker, options_handle(options) as wanted:
                pointer = outcome.of(
                    lib.zelf_session_provider_new(maker, wanted, kept, outcome.error)
                )
        finally:
            lib.zelf_provider_options_free(kept)
        self._client = client
        if self._renewed:
            # Also without background: get_async renews on the I/O thread.
            shut_down_at_exit(client._handle)
        calls_back = self._renewed or client._log
        self._handle = (CallingHandle if calls_back else Handle)(
            pointer, "provider", lib.zelf_session_provider_free
        )

    def get(self) -> Session:
        """Returns a session with at least min_valid seconds left. Blocks if it has to renew."""
        outcome = Outcome()
        with self._handle as provider:
            return take_session(outcome.of(lib.zelf_session_provider_get(provider, outcome.error)))

    async def get_async(self) -> Session:
        """Returns a session like get, without blocking. Cancelling the task cancels the call."""
        with self._handle as provider:
            current = lib.zelf_session_provider_current(provider)
        if current:
            return take_session(current)

        def start(number: int, error: Any) -> Optional[_abi.zelf_call]:
            with self._client._handle, self._handle as provider:
                return lib.zelf_session_provider_get_async(
                    provider, on_session, number, no_destroy, error
                )

        return cast(Session, await self._client._calls.run(start))

    def send(self, request: Request) -> Response:
        """Sends a request with the provider's session, and renews it if the server refuses it.

        Blocks for at most the request's time limit.
        """
        outcome = Outcome()
        with self._handle as provider, request._handle as what:
            return take_response(
                outcome.of(lib.zelf_session_provider_send(provider, what, outcome.error))
            )

    async def send_async(self, request: Request) -> Response:
        """Sends a request like send, without blocking. Cancelling the task cancels the call.

        The server may have carried out a cancelled request.
        """

        def start(number: int, error: Any) -> Optional[_abi.zelf_call]:
            with self._client._handle, self._handle as provider, request._handle as what:
                return lib.zelf_session_provider_send_async(
                    provider, what, on_response, number, no_destroy, error
                )

        return cast(Response, await self._client._calls.run(start))

    def invalidate(self, rejected: Session) -> bool:
        """Tells the provider that a route refused this session. The next get asks for another.

        Returns whether the provider held it.
        """
        with self._handle as provider, rejected._handle as session:
            return lib.zelf_session_provider_invalidate(provider, session)

    def invalidate_if_refused(self, session: Session, http_status: int, body: bytes) -> bool:
        """Judges the answer to a request that was sent with this session by another client.

        If it refuses the session, the provider invalidates it and this returns true: repeat
        the request once, with the session of the next get. 64 KiB of the body are enough.
        """
        status, start = int32("http_status", http_status), data("body", body)
        with self._handle as provider, session._handle as sent:
            return lib.zelf_session_provider_invalidate_if_refused(
                provider, sent, status, start, len(start)
            )

    @property
    def last_error(self) -> Optional[Error]:
        """Why the last renewal failed; None if it worked, or there was none."""
        with self._handle as provider:
            error = lib.zelf_session_provider_last_error(provider)
            return take_error(error) if error else None

    def close(self) -> None:
        """Frees the provider. Its sessions stay valid, and its asynchronous calls continue."""
        self._handle.close()

    def __enter__(self) -> Self:
        with self._handle:
            return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()
