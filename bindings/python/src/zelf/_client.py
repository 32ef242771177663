"""Clients."""

from __future__ import annotations

import atexit
import logging
import os
import time
import weakref
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Callable, ContextManager, Iterable, Optional, Type, Union, cast

from . import _abi
from ._calls import Calls, next_number, on_response, on_session
from ._errors import Error, ShutDownError
from ._interrupts import begin_call, call_back, end_call
from ._library import (
    CallingHandle, Handle, Outcome, check, data, flag, function, lib, milliseconds, no_destroy,
    number, numbered, path_text, string, text,
)
from ._request import Request, Response, take_response
from ._session import Session, SessionOptions, options_handle, take_session
from ._typing import Self, Unpack

# The levels of `logging`, by those of the library.
_LEVELS = {
    _abi.ZELF_LOG_ERROR: logging.ERROR,
    _abi.ZELF_LOG_WARNING: logging.WARNING,
    _abi.ZELF_LOG_INFO: logging.INFO,
    _abi.ZELF_LOG_DEBUG: logging.DEBUG,
}


class _Log:
    """Where the log of a client goes."""

    __slots__ = ("write", "__weakref__")

    def __init__(self, write: Callable[[int, str], object]) -> None:
        self.write = write


def _write(level: int, message: bytes, number: int) -> None:
    log: Optional[_Log] = numbered.get(number)
    if log is not None:
        call_back(log.write, _LEVELS[level], message.decode())


_on_message = _abi.zelf_log_callback(_write)


class Client:
    """Creates sessions with one set of settings. All threads of a program can use one client.

    Close it, or use it in a `with` block.

    base_url: the address of the API: "https://host", with an optional port and path.
    origin: the Origin header; by default the origin of the base URL.
    user_agent: the User-Agent header.
    timeout: the limit of a whole session call in seconds; 15 by default.
    connect_timeout: the limit of one connection in seconds; 5 by default.
    max_attempts: how many attempts a call may make; 3 by default.
    ca_file: a PEM file with the only certificates to trust.
    ca_pem: the same certificates as text.
    pins: the server's key must be one of these: SHA-256 of the SubjectPublicKeyInfo in base64.
    proxy: the URL of a proxy: http, https, socks5 or socks5h.
    proxy_from_env: whether to take the proxy from the environment, unless one is set.
    log: is called with a level of `logging` and a message, such as logging.getLogger("zelf").log.
        It may run on a thread of the library, and on several threads at once. The call
        that it runs in raises its KeyboardInterrupt or SystemExit; sys.unraisablehook gets other
        exceptions.
    log_level: the most detailed level to report, one of ERROR, WARNING, INFO, DEBUG of `logging`.
    """

    def __init__(
        self,
        *,
        base_url: Optional[str] = None,
        origin: Optional[str] = None,
        user_agent: Optional[str] = None,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_attempts: Optional[int] = None,
        ca_file: Union[None, str, os.PathLike[str]] = None,
        ca_pem: Union[None, str, bytes] = None,
        pins: Iterable[str] = (),
        proxy: Optional[str] = None,
        proxy_from_env: bool = False,
        log: Optional[Callable[[int, str], object]] = None,
        log_level: int = logging.WARNING,
    ) -> None:
        config = lib.zelf_config_new()
        assert config
        try:
            lib.zelf_config_set_base_url(config, text("base_url", base_url))
            lib.zelf_config_set_origin(config, text("origin", origin))
            lib.zelf_config_set_user_agent(config, text("user_agent", user_agent))
            lib.zelf_config_set_timeout_ms(config, milliseconds("timeout", timeout))
            lib.zelf_config_set_connect_timeout_ms(
                config, milliseconds("connect_timeout", connect_timeout)
            )
            lib.zelf_config_set_max_attempts(config, number("max_attempts", max_attempts))
            lib.zelf_config_set_ca_file(config, path_text("ca_file", ca_file))
            if ca_pem is not None:
                pem = data("ca_pem", ca_pem)
                lib.zelf_config_set_ca_pem(config, pem, len(pem))
            for pin in pins:
                lib.zelf_config_add_pin(config, text("pin", pin))
            lib.zelf_config_set_proxy(config, text("proxy", proxy))
            lib.zelf_config_set_proxy_from_env(config, flag("proxy_from_env", proxy_from_env))
            write = function("log", log)
            self._log = None if write is None else _Log(write)
            if self._log:
                log_number = next_number()
                numbered[log_number] = self._log
                lib.zelf_config_set_log_callback(
                    config, _on_message, log_number, no_destroy, _log_level(log_level)
                )
            lib.zelf_config_set_dispatch(config, True)
            outcome = Outcome()
            begin_call()
            try:
                pointer = outcome.of(lib.zelf_client_new(config, outcome.error))
                self._handle = (CallingHandle if self._log else Handle)(
                    pointer, "client", lib.zelf_client_free
                )
            finally:
                end_call()
        finally:
            lib.zelf_config_free(config)
        self._calls = Calls(self._handle)
        self._base_url = string(lib.zelf_client_base_url(pointer))
        self._origin = string(lib.zelf_client_origin(pointer))
        if self._log:
            shut_down_at_exit(self._handle)

    @property
    def base_url(self) -> str:
        """The address of the API, without "/" at its end."""
        return self._base_url

    @property
    def origin(self) -> str:
        """The Origin header, which the server requires."""
        return self._origin

    def create(self, **options: Unpack[SessionOptions]) -> Session:
        """Creates a session. Blocks until the answer or the time limit."""
        outcome = Outcome()
        with self._handle as client, options_handle(options) as wanted:
            return take_session(outcome.of(lib.zelf_session_create(client, wanted, outcome.error)))

    async def create_async(self, **options: Unpack[SessionOptions]) -> Session:
        """Creates a session without blocking. Cancelling the task cancels the call."""
        with options_handle(options) as wanted:

            def start(number: int, error: Any) -> Optional[_abi.zelf_call]:
                with self._handle as client:
                    return lib.zelf_session_create_async(
                        client, wanted, on_session, number, no_destroy, error
                    )

            return cast(Session, await self._calls.run(start))

    def send(self, request: Request, session: Optional[Session] = None) -> Response:
        """Sends a request with a session, which is not renewed, or without any. Blocks."""
        outcome = Outcome()
        with self._handle as client, _handle(session) as whose, request._handle as what:
            return take_response(
                outcome.of(lib.zelf_session_send(client, whose, what, outcome.error))
            )

    async def send_async(self, request: Request, session: Optional[Session] = None) -> Response:
        """Sends a request like send, without blocking. Cancelling the task cancels the call.

        The server may have carried out a cancelled request.
        """

        def start(number: int, error: Any) -> Optional[_abi.zelf_call]:
            with self._handle as client, _handle(session) as whose, request._handle as what:
                return lib.zelf_session_send_async(
                    client, whose, what, on_response, number, no_destroy, error
                )

        return cast(Response, await self._calls.run(start))

    def shutdown(self, timeout: float = 1.0) -> None:
        """Cancels all asynchronous calls and ends the client's threads.

        New calls fail with ShutDownError. Raises TimeoutError if a log callback still runs.
        """
        with self._handle as client:
            check(lib.zelf_client_shutdown(client, milliseconds("timeout", timeout)))

    def close(self) -> None:
        """Cancels the asynchronous calls, and closes the connections.

        Blocking calls of other threads end as usual. Sessions and providers stay valid.
        """
        try:
            self.shutdown()
        except Error:
            # It is closed already, or the process is a forked child, or a log callback hangs.
            pass
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


def _handle(session: Optional[Session]) -> ContextManager[Optional[_abi.zelf_session]]:
    return session._handle if session else nullcontext()


def _log_level(level: int) -> int:
    """Returns the library's level for a level of `logging`, the next more severe one."""
    return max((ours for ours, theirs in _LEVELS.items() if theirs >= level), default=0)


# Clients whose I/O thread may call Python. Before 3.14, Python ends a thread that comes for its
# lock after the handlers of atexit.
_calling: weakref.WeakSet[Handle[_abi.zelf_client]] = weakref.WeakSet()


def shut_down_at_exit(client: Handle[_abi.zelf_client]) -> None:
    """Has the end of Python shut a client down, so that its I/O thread does not call Python."""
    _calling.add(client)


def _shut_down_all() -> None:
    ends_at = time.monotonic() + 0.5
    for is_waiting in (False, True):
        for handle in list(_calling):
            left_ms = max(0, int(1000 * (ends_at - time.monotonic()))) if is_waiting else 0
            try:
                with handle as client:
                    lib.zelf_client_shutdown(client, left_ms)
            except ShutDownError:
                pass


atexit.register(_shut_down_all)
