"""Authentication for httpx."""

from __future__ import annotations

from typing import AsyncGenerator, AsyncIterator, Generator, Iterator, List

import httpx

from ._auth import JUDGED_BYTES, JUDGED_STATUSES, Signer
from ._provider import SessionProvider
from ._session import Session


class Auth(httpx.Auth):
    """Puts the provider's token on requests, and renews the session once if it is refused.

    Requests to another origin than that of the client's base URL stay as they are. The body of
    a request is read into memory, so that it can be sent again. httpx.AsyncClient needs
    asyncio as event loop.
    """

    def __init__(self, provider: SessionProvider) -> None:
        self._signer = Signer(provider)

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Runs in httpx.Client."""
        if not self._covers(request):
            yield request
            return
        request.read()
        session = self._signer.provider.get()
        request.headers.update(self._signer.headers(session))
        response = yield request
        if self._may_refuse(response, session):
            peeked = _Peeked(response)
            response.stream = peeked
            if self._refuses(response, session, peeked.peek()):
                request.headers.update(self._signer.headers(self._signer.provider.get()))
                yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Runs in httpx.AsyncClient."""
        if not self._covers(request):
            yield request
            return
        await request.aread()
        session = await self._signer.provider.get_async()
        request.headers.update(self._signer.headers(session))
        response = yield request
        if self._may_refuse(response, session):
            peeked = _AsyncPeeked(response)
            response.stream = peeked
            if self._refuses(response, session, await peeked.peek()):
                request.headers.update(self._signer.headers(await self._signer.provider.get_async()))
                yield request

    def _covers(self, request: httpx.Request) -> bool:
        return self._signer.covers(
            request.url.scheme, request.url.raw_host.decode("ascii"), request.url.port
        )

    def _may_refuse(self, response: httpx.Response, session: Session) -> bool:
        # After redirects the answer may come from another server, or be to a request without
        # the token.
        return (
            response.status_code in JUDGED_STATUSES
            and self._covers(response.request)
            and self._signer.signed(response.request.headers, session)
        )

    def _refuses(self, response: httpx.Response, session: Session, start: bytes) -> bool:
        try:
            # httpx decodes a compressed body.
            body = httpx.Response(200, headers=response.headers, content=start).content
        except httpx.DecodingError:
            return False
        return self._signer.provider.invalidate_if_refused(
            session, response.status_code, body[:JUDGED_BYTES]
        )


class _Peeked(httpx.SyncByteStream):
    """A body whose start was read. It gives all of it."""

    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        self._stream = response.stream
        self._start: List[bytes] = []
        self._rest: Iterator[bytes] = iter(self._stream)

    def peek(self) -> bytes:
        """Reads up to JUDGED_BYTES."""
        length = 0
        while length < JUDGED_BYTES and (piece := next(self._rest, None)) is not None:
            self._start.append(piece)
            length += len(piece)
        return b"".join(self._start)[:JUDGED_BYTES]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._start
        yield from self._rest

    def close(self) -> None:
        self._stream.close()


class _AsyncPeeked(httpx.AsyncByteStream):
    """The same, asynchronously."""

    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._start: List[bytes] = []
        self._rest: AsyncIterator[bytes] = self._stream.__aiter__()

    async def peek(self) -> bytes:
        """Reads up to JUDGED_BYTES."""
        length = 0
        while length < JUDGED_BYTES:
            try:
                piece = await self._rest.__anext__()
            except StopAsyncIteration:
                break
            self._start.append(piece)
            length += len(piece)
        return b"".join(self._start)[:JUDGED_BYTES]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._start:
            yield piece
        async for piece in self._rest:
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
