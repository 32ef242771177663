"""Requests and responses."""

from __future__ import annotations

import ctypes
import json as _json
from typing import Any, Mapping, NoReturn, Optional, Union

from . import _abi
from ._library import Handle, data, flag, lib, milliseconds, number, optional, text


class Request:
    """A request to any route of the server. It is immutable, and can be sent many times.

    method: an HTTP method, in the case that the server expects.
    target: path and query, percent-encoded, without the base URL.
    headers: headers that the library does not set itself.
    body: the body; content_type is its Content-Type header.
    json: a value to send as JSON, instead of a body.
    timeout: the limit of the whole call in seconds; 30 by default.
    max_response_bytes: the limit of the response's body; 8 MiB by default.
    repeatable: whether the server may carry the request out more than once; by default only
        for GET and HEAD.
    """

    __slots__ = ("_handle",)

    def __init__(
        self,
        method: str,
        target: str,
        *,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[None, bytes, str] = None,
        content_type: Optional[str] = None,
        json: Any = None,
        timeout: Optional[float] = None,
        max_response_bytes: Optional[int] = None,
        repeatable: Optional[bool] = None,
    ) -> None:
        pointer = lib.zelf_request_new(text("method", method), text("target", target))
        assert pointer
        self._handle = Handle(pointer, "request", lib.zelf_request_free)
        for name, value in (headers or {}).items():
            lib.zelf_request_set_header(pointer, text("header", name), text(name, value))
        if json is not None:
            if body is not None:
                raise TypeError("a request has a body or json, not both")
            body, content_type = _json.dumps(json), content_type or "application/json"
        if body is not None:
            sent = data("body", body)
            lib.zelf_request_set_body(pointer, sent, len(sent), text("content_type", content_type))
        lib.zelf_request_set_timeout_ms(pointer, milliseconds("timeout", timeout))
        lib.zelf_request_set_max_response_bytes(
            pointer,
            number("max_response_bytes", max_response_bytes, bits=8 * ctypes.sizeof(ctypes.c_size_t)),
        )
        if repeatable is not None:
            lib.zelf_request_set_repeatable(pointer, flag("repeatable", repeatable))


class Response:
    """A complete answer of the server, with any status. It is immutable."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle[_abi.zelf_response]) -> None:
        self._handle = handle

    @property
    def http_status(self) -> int:
        """The HTTP status, such as 200."""
        with self._handle as response:
            return lib.zelf_response_http_status(response)

    @property
    def body(self) -> bytes:
        """The body. Each access copies it."""
        length = ctypes.c_size_t()
        with self._handle as response:
            start = lib.zelf_response_body(response, ctypes.byref(length))
            assert start is not None
            return ctypes.string_at(start, length.value)

    @property
    def server_message(self) -> Optional[str]:
        """The server's words if the status is 400 or more. Display them as plain text only."""
        with self._handle as response:
            return optional(lib.zelf_response_server_message(response))

    def header(self, name: str) -> Optional[str]:
        """Returns the first header with this name, in any case.

        U+FFFD stands for bytes that are not UTF-8.
        """
        with self._handle as response:
            return optional(lib.zelf_response_header(response, text("name", name)))

    def json(self) -> Any:
        """Returns the body as JSON. Raises ValueError if it is not JSON."""
        return _json.loads(self.body)

    def __repr__(self) -> str:
        return f"<zelf.Response {self.http_status}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a response cannot be copied or pickled")


def take_response(pointer: _abi.zelf_response) -> Response:
    """Makes a Response that owns this object."""
    return Response(Handle(pointer, "response", lib.zelf_response_free))
