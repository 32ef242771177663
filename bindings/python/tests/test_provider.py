"""Providers, and the requests that they send."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from typing import Any, Iterator, List

import pytest
import zelf

# A route that checks that the session exists.
CHECKS = "/api/zelf-name-service/v2/search?zelfName=abc.zelf"
SEARCH = "/api/tags/search?tagName=a.zelf"


@pytest.fixture
def provider(client: zelf.Client, identifier: str) -> Iterator[zelf.SessionProvider]:
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        yield provider


def test_a_provider_gives_one_session(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    tokens = {provider.get().token for _ in range(10)}
    tokens.add(asyncio.run(provider.get_async()).token)
    assert len(tokens) == 1
    assert provider.last_error is None


def test_a_valid_session_is_awaited_without_an_event_loop(provider: zelf.SessionProvider) -> None:
    session = provider.get()
    with pytest.raises(StopIteration) as ended:
        provider.get_async().send(None)
    assert ended.value.value.token == session.token


def test_a_provider_renews_a_session_that_expires(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    client.create(identifier=identifier)
    sandbox.age(identifier, 592)
    with zelf.SessionProvider(client, identifier=identifier, min_valid=6) as provider:
        first = provider.get()
        assert 6 <= first.seconds_left <= 8
        while first.seconds_left >= 6:
            time.sleep(0.05)
        second = provider.get()
    assert first.token != second.token
    assert second.seconds_left > 590


def test_a_provider_hands_out_no_session_with_less_than_five_seconds_by_default(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    client.create(identifier=identifier)
    sandbox.age(identifier, 597)
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        assert provider.get().seconds_left > 590
    with zelf.SessionProvider(client, identifier=identifier, min_valid=0) as provider:
        assert provider.get().seconds_left > 590
    with pytest.raises(zelf.InvalidArgumentError, match="min_valid"):
        zelf.SessionProvider(client, identifier=identifier, min_valid=-1)


def test_a_provider_replaces_a_session_that_a_route_refused(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    for get in (provider.get, lambda: asyncio.run(provider.get_async())):
        refused = provider.get()
        sandbox.reject(identifier)
        assert provider.invalidate(refused)
        assert not provider.invalidate(refused)
        fresh = get()
        assert fresh.token != refused.token
        assert provider.send(zelf.Request("GET", CHECKS)).http_status == 200


def test_a_provider_judges_the_answer_of_another_http_client(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    session = provider.get()
    sandbox.reject(identifier)
    refusal = provider._client.send(zelf.Request("GET", CHECKS), session)
    assert refusal.http_status == 403 and refusal.server_message == "Session is not active"
    assert not provider.invalidate_if_refused(session, 200, b"{}")
    assert not provider.invalidate_if_refused(session, 403, b'{"error":"Search limit exceeded"}')
    assert provider.get().token == session.token
    assert provider.invalidate_if_refused(session, refusal.http_status, refusal.body)
    assert provider.get().token != session.token


def test_a_provider_tells_why_it_has_no_session(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("answer", status=403, error="rejected", path="/api/sessions")
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        with pytest.raises(zelf.RejectedOriginError) as caught:
            provider.get()
        last = provider.last_error
        assert type(last) is zelf.RejectedOriginError and str(last) == str(caught.value)
        with pytest.raises(zelf.RejectedOriginError):
            asyncio.run(provider.get_async())


def test_a_provider_tells_of_each_new_session(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    told: List[str] = []
    lent: List[zelf.Session] = []

    def renewed(session: zelf.Session) -> None:
        told.append(session.token)
        lent.append(session)

    with zelf.SessionProvider(client, identifier=identifier, on_renewed=renewed) as provider:
        first = provider.get()
        sandbox.reject(identifier)
        provider.invalidate(first)
        second = provider.get()
    assert told == [first.token, second.token]
    with pytest.raises(zelf.ShutDownError, match="lent"):
        lent[0].token


def test_a_provider_in_the_background_asks_before_the_first_get(
    client: zelf.Client, identifier: str
) -> None:
    came = threading.Event()
    with zelf.SessionProvider(
        client, identifier=identifier, background=True, on_renewed=lambda session: came.set()
    ) as provider:
        assert came.wait(10)
        assert provider.get().identifier == identifier


def test_providers_share_a_session_in_a_directory(
    sandbox: Any, identifier: str, tmp_path: Any
) -> None:
    tmp_path.chmod(0o700)
    tokens = set()
    for _ in range(2):
        with zelf.Client(**sandbox.settings) as client, zelf.SessionProvider(
            client, identifier=identifier, directory=tmp_path, renewal=zelf.Renewal.NEVER_KILL
        ) as provider:
            tokens.add(provider.get().token)
    assert len(tokens) == 1 and list(tmp_path.iterdir())


def test_a_provider_needs_an_identifier(client: zelf.Client) -> None:
    with pytest.raises(zelf.InvalidArgumentError, match="identifier"):
        zelf.SessionProvider(client)


def test_a_closed_provider_gives_no_session(client: zelf.Client, identifier: str) -> None:
    provider = zelf.SessionProvider(client, identifier=identifier)
    session = provider.get()
    provider.close()
    for use in (
        provider.get,
        lambda: asyncio.run(provider.get_async()),
        lambda: provider.send(zelf.Request("GET", SEARCH)),
        lambda: provider.invalidate(session),
        lambda: provider.last_error,
    ):
        with pytest.raises(zelf.ShutDownError, match="the provider is closed"):
            use()
    assert session.identifier == identifier


def test_a_provider_outlives_its_client(sandbox: Any, identifier: str) -> None:
    with zelf.Client(**sandbox.settings) as client:
        provider = zelf.SessionProvider(client, identifier=identifier)
        session = provider.get()
    with provider:
        assert provider.get().token == session.token
        provider.invalidate(session)
        with pytest.raises(zelf.ShutDownError):
            provider.get()
        with pytest.raises(zelf.ShutDownError):
            asyncio.run(provider.get_async())


def test_a_request_returns_json(provider: zelf.SessionProvider) -> None:
    for send in (provider.send, lambda request: asyncio.run(provider.send_async(request))):
        response = send(zelf.Request("GET", SEARCH))
        assert response.http_status == 200
        assert response.json()["data"]["request"] == f"GET {SEARCH}"
        assert (response.header("content-TYPE") or "").startswith("application/json")
        assert response.header("no-such-header") is None
        assert response.server_message is None
        assert repr(response) == "<zelf.Response 200>"


def test_a_header_may_have_bytes_that_are_not_unicode(
    provider: zelf.SessionProvider, sandbox: Any
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    sandbox.fault("raw", base64=base64.b64encode(answer).decode(), path="/sandbox/echo")
    response = provider.send(zelf.Request("GET", "/sandbox/echo"))
    assert response.header("x-name") == "caf\ufffd"


def test_a_request_is_renewed_on_the_way(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    for send in (provider.send, lambda request: asyncio.run(provider.send_async(request))):
        before = provider.get().token
        sandbox.reject(identifier)
        assert send(zelf.Request("GET", CHECKS)).http_status == 200
        assert provider.get().token != before


def test_every_setting_of_a_request_is_used(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    echo = f"/sandbox/echo?id={identifier}"
    response = provider.send(
        zelf.Request("POST", echo, headers={"X-Test": "1"}, body=b"\0\xff", content_type="a/b")
    )
    assert (response.body, response.header("Content-Type")) == (b"\0\xff", "a/b")
    assert provider.send(zelf.Request("POST", echo, json={"a": [1]})).json() == {"a": [1]}
    assert provider.send(zelf.Request("POST", echo, body="é")).body == "é".encode()
    seen = sandbox.requests(identifier)
    assert ["x-test", "1"] in [[name.lower(), value] for name, value in seen[1]["headers"]]
    with pytest.raises(zelf.ResponseTooLargeError):
        provider.send(zelf.Request("GET", "/sandbox/bytes/1000", max_response_bytes=999))
    sandbox.fault("stall", stage="request", path="/sandbox/echo")
    with pytest.raises(zelf.TimeoutError):
        provider.send(zelf.Request("GET", echo, timeout=0.2))
    sandbox.clear()
    sandbox.fault("refusal", **{"as": "unavailable"}, path="/sandbox/echo", times=1)
    assert provider.send(zelf.Request("POST", echo, repeatable=True)).http_status == 200
    with pytest.raises(TypeError):
        zelf.Request("POST", echo, body=b"", json=1)


def test_a_request_goes_with_a_session_or_without(
    client: zelf.Client, provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    session = provider.get()
    for send in (client.send, lambda *sent: asyncio.run(client.send_async(*sent))):
        assert send(zelf.Request("GET", SEARCH), session).http_status == 200
        refused = send(zelf.Request("GET", SEARCH))
        assert refused.http_status == 401 and "Protected" in (refused.server_message or "")


def test_a_request_with_a_session_is_not_renewed(
    client: zelf.Client, provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    session = provider.get()
    sandbox.reject(identifier)
    for send in (client.send, lambda *sent: asyncio.run(client.send_async(*sent))):
        refused = send(zelf.Request("GET", f"{CHECKS}&id={identifier}"), session)
        assert refused.server_message == "Session is not active"
    assert len(sandbox.requests(f"id={identifier}")) == 2


def test_a_cancelled_request_ends_at_once(
    client: zelf.Client, provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    sandbox.fault("stall", stage="request", path="/sandbox/echo")

    async def main(send: Any, query: str) -> None:
        task = asyncio.ensure_future(send(zelf.Request("GET", f"/sandbox/echo?{query}")))
        while not sandbox.requests(query):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 2)

    for number, send in enumerate((provider.send_async, client.send_async)):
        asyncio.run(main(send, f"id={identifier}-{number}"))


def test_twenty_threads_share_a_provider(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    tokens: List[str] = []

    def work() -> None:
        tokens.append(provider.get().token)
        provider.send(zelf.Request("GET", SEARCH)).json()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(tokens) == 20 and len(set(tokens)) == 1
    created = [one for one in sandbox.requests(identifier) if one["path"] == "/api/sessions"]
    assert len([json.loads(one["body"]) for one in created]) <= 2, "one creates, one may confirm"
