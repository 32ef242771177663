"""Authentication for requests."""

from __future__ import annotations

import io
from typing import Any, Optional

import requests
import requests.auth
import requests.utils
import urllib3

from ._auth import JUDGED_BYTES, JUDGED_STATUSES, Signer
from ._provider import SessionProvider
from ._session import Session


class Auth(requests.auth.AuthBase):
    """Puts the provider's token on requests, and renews the session once if it is refused.

    Requests to another origin than that of the client's base URL stay as they are. A request
    whose body is a generator is not sent again.
    """

    def __init__(self, provider: SessionProvider) -> None:
        self._signer = Signer(provider)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not self._covers(request.url):
            return request
        session = self._signer.provider.get()
        request.headers.update(self._signer.headers(session))

        def renew(response: requests.Response, **settings: Any) -> requests.Response:
            return self._renew(session, response, settings)

        request.register_hook("response", renew)
        return request

    def _covers(self, url: Optional[str]) -> bool:
        parsed = urllib3.util.parse_url(url or "")
        return self._signer.covers(parsed.scheme, parsed.host, parsed.port)

    def _renew(
        self, session: Session, response: requests.Response, settings: Any
    ) -> requests.Response:
        # After redirects the answer may come from another server, or be to a request without
        # the token.
        if (
            response.status_code not in JUDGED_STATUSES
            or not self._covers(response.url)
            or not self._signer.signed(response.request.headers, session)
        ):
            return response
        start = _peek(response)
        if not self._signer.provider.invalidate_if_refused(session, response.status_code, start):
            return response
        again = response.request.copy()
        if again.body is not None and not isinstance(again.body, (str, bytes)):
            try:
                requests.utils.rewind_body(again)
            except requests.exceptions.UnrewindableBodyError:
                return response
        again.headers.update(self._signer.headers(self._signer.provider.get()))
        # The connection is free for the next request when the answer was read.
        response.content
        response.close()
        answer = response.connection.send(again, **settings)
        answer.history.append(response)
        answer.request = again
        return answer


def _peek(response: requests.Response) -> bytes:
    """Returns the decoded start of a body. The response still gives all of it."""
    raw = response.raw
    try:
        start = raw.read(JUDGED_BYTES, decode_content=False)
    except urllib3.exceptions.ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error, response=response) from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.exceptions.ConnectionError(error, response=response) from error
    response.raw = urllib3.HTTPResponse(
        body=io.BufferedReader(_Peeked(start, raw)),
        headers=raw.headers,
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        decode_content=raw.decode_content,
        original_response=raw._original_response,
        request_method=response.request.method,
    )
    encoding = raw.headers.get("content-encoding", "identity")
    decoder = urllib3.HTTPResponse(
        body=io.BytesIO(start), headers={"content-encoding": encoding}, preload_content=False
    )
    try:
        return decoder.read(JUDGED_BYTES, decode_content=True)[:JUDGED_BYTES]
    except urllib3.exceptions.DecodeError:
        return b""


class _Peeked(io.RawIOBase):
    """A body whose start was read. It gives all of it, as it came."""

    def __init__(self, start: bytes, rest: Any) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._start[: len(buffer)]
        self._start = self._start[len(piece) :]
        if not piece:
            piece = self._rest.read(len(buffer), decode_content=False)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        super().close()
        self._rest.close()
        self._rest.release_conn()
