"""The helpers for httpx and requests."""

from __future__ import annotations

import asyncio
import gzip
import http.server
import io
import ssl
import threading
from typing import Any, Dict, Iterator, List, Tuple

import httpx
import pytest
import requests
import zelf
import zelf.httpx
import zelf.requests

CHECKS = "/api/zelf-name-service/v2/search?zelfName=abc.zelf"
LEASE = "/api/zelf-name-service/v2/lease"
REFUSAL = b'{"validationError":"Session is not active"}'


@pytest.fixture
def provider(client: zelf.Client, identifier: str) -> Iterator[zelf.SessionProvider]:
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        yield provider


class Server:
    """A server of another origin, or one that refuses in unusual ways."""

    def __init__(self, server: http.server.HTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.answer: Tuple[int, Dict[str, str], bytes] = (200, {}, b"{}")
        self.seen: List[Dict[str, str]] = []
        self.bodies: List[bytes] = []


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.seen.append({name.lower(): value for name, value in self.headers.items()})
            state.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            status, headers, body = state.answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        serving.daemon_threads = True
        state = Server(serving)
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        serving.shutdown()
        thread.join()


class Http:
    """The three clients, with one interface."""

    def __init__(self, provider: zelf.SessionProvider, ca: str) -> None:
        self.provider = provider
        self.ca = ca
        self.context = ssl.create_default_context(cafile=ca)

    def clients(self) -> List[Any]:
        return [self.with_httpx, self.with_async_httpx, self.with_requests]

    def with_httpx(self, method: str, url: str, **more: Any) -> Tuple[int, bytes, int]:
        with httpx.Client(
            auth=zelf.httpx.Auth(self.provider), verify=self.context, follow_redirects=True
        ) as client:
            response = client.request(method, url, **more)
            return response.status_code, response.content, len(response.history)

    def with_async_httpx(self, method: str, url: str, **more: Any) -> Tuple[int, bytes, int]:
        async def main() -> httpx.Response:
            async with httpx.AsyncClient(
                auth=zelf.httpx.Auth(self.provider), verify=self.context, follow_redirects=True
            ) as client:
                return await client.request(method, url, **more)

        response = asyncio.run(main())
        return response.status_code, response.content, len(response.history)

    def with_requests(self, method: str, url: str, **more: Any) -> Tuple[int, bytes, int]:
        if "content" in more:
            more["data"] = more.pop("content")
        with requests.Session() as session:
            response = session.request(
                method, url, auth=zelf.requests.Auth(self.provider), verify=self.ca, **more
            )
            return response.status_code, response.content, len(response.history)


@pytest.fixture
def clients(provider: zelf.SessionProvider, sandbox: Any) -> List[Any]:
    return Http(provider, sandbox.ca).clients()


def test_httpx_and_requests_send_the_token_and_the_origin(
    clients: List[Any], provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    for send in clients:
        assert send("GET", f"{sandbox.https}/sandbox/echo?check=session&id={identifier}")[0] == 200
    for request in sandbox.requests(f"id={identifier}"):
        headers = {name.lower(): value for name, value in request["headers"]}
        assert headers["authorization"] == provider.get().authorization
        assert headers["origin"] == sandbox.https


def test_httpx_renews_a_refused_session_once(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    check_renewal(Http(provider, sandbox.ca).with_httpx, provider, sandbox, identifier)


def test_httpx_renews_a_refused_session_once_asynchronously(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    check_renewal(Http(provider, sandbox.ca).with_async_httpx, provider, sandbox, identifier)


def test_requests_renews_a_refused_session_once(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    check_renewal(Http(provider, sandbox.ca).with_requests, provider, sandbox, identifier)


def check_renewal(
    send: Any, provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    refused = provider.get()
    sandbox.reject(identifier)
    status, _, before = send(
        "POST", f"{sandbox.https}/sandbox/echo?check=session&id={identifier}", content=b"body"
    )
    assert (status, before) == (200, 1)
    assert provider.get().token != refused.token
    seen = sandbox.requests(f"id={identifier}")
    assert [one["body"] for one in seen] == ["body", "body"]


def test_a_second_refusal_is_the_answer(
    clients: List[Any], sandbox: Any, identifier: str
) -> None:
    sandbox.fault("refusal", **{"as": "protected"}, path="/sandbox/echo")
    for number, send in enumerate(clients, 1):
        status, body, before = send("GET", f"{sandbox.https}/sandbox/echo?id={identifier}")
        assert (status, before) == (401, 1) and b"Protected" in body
        assert len(sandbox.requests(f"id={identifier}")) == 2 * number


def test_another_refusal_is_not_renewed(
    clients: List[Any], provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    token = provider.get().token
    sandbox.fault("refusal", **{"as": "search_limit"}, path="/sandbox/echo")
    for send in clients:
        status, body, before = send("GET", f"{sandbox.https}/sandbox/echo?id={identifier}")
        assert (status, before) == (403, 0) and b"Search limit exceeded" in body
    assert provider.get().token == token


def test_another_origin_gets_no_token(clients: List[Any], server: Server) -> None:
    server.answer = (403, {}, REFUSAL)
    for send in clients:
        assert send("GET", server.url)[:2] == (403, REFUSAL)
    assert len(server.seen) == 3
    assert not any("authorization" in seen or "origin" in seen for seen in server.seen)


def test_a_redirect_to_another_origin_takes_no_token_there(
    clients: List[Any], provider: zelf.SessionProvider, server: Server, sandbox: Any
) -> None:
    token = provider.get().token
    server.answer = (403, {}, REFUSAL)
    sandbox.fault("redirect", status=302, location=f"{server.url}/", path="/sandbox/echo")
    for send in clients:
        status, body, _ = send("GET", f"{sandbox.https}/sandbox/echo")
        assert (status, body) == (403, REFUSAL)
    assert len(server.seen) == 3 and not any("authorization" in seen for seen in server.seen)
    assert provider.get().token == token, "another server's words do not end the session"


def test_a_request_that_lost_its_token_on_the_way_is_not_judged(
    clients: List[Any], provider: zelf.SessionProvider, server: Server, sandbox: Any, identifier: str
) -> None:
    token = provider.get().token
    # The way is: base URL, another origin, base URL.
    back = f"{sandbox.https}/sandbox/echo?check=session&id={identifier}"
    server.answer = (302, {"Location": back}, b"")
    sandbox.fault(
        "redirect", status=302, location=f"{server.url}/", path="/sandbox/echo", query="start"
    )
    for send in clients:
        assert send("GET", f"{sandbox.https}/sandbox/echo?start")[0] == 401
    assert len(sandbox.requests(f"id={identifier}")) == 3, "no request is repeated"
    assert provider.get().token == token


def test_httpx_sends_the_token_to_a_host_with_an_international_name() -> None:
    refusing = Refusing("https://xn--bcher-kva.example")
    sent: List[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    with httpx.Client(
        auth=zelf.httpx.Auth(refusing.provider), transport=httpx.MockTransport(answer)
    ) as http:
        http.get("https://b\u00fccher.example/")
    assert sent[0].headers["Authorization"] == "Bearer fake"


class Refusing:
    """A provider whose server is the local one: it refuses as the test says."""

    def __init__(self, url: str) -> None:
        self.judged: List[Tuple[int, bytes]] = []

        class Judge(zelf.SessionProvider):
            def __init__(judge) -> None:
                pass

            def get(judge) -> Any:
                return type("Fake", (), {"authorization": "Bearer fake"})()

            async def get_async(judge) -> Any:
                return judge.get()

            def invalidate_if_refused(judge, session: Any, http_status: int, body: bytes) -> bool:
                self.judged.append((http_status, body))
                return False

        self.provider = Judge()
        self.provider._client = type("Fake", (), {"base_url": url, "origin": url})()


def test_a_compressed_body_is_judged_and_handed_on(server: Server, sandbox: Any) -> None:
    server.answer = (403, {"Content-Encoding": "gzip"}, gzip.compress(REFUSAL))
    refusing = Refusing(server.url)
    for send in Http(refusing.provider, sandbox.ca).clients():
        assert send("GET", server.url)[:2] == (403, REFUSAL)
    assert refusing.judged == [(403, REFUSAL)] * 3


def test_a_large_body_is_judged_by_its_start_and_handed_on(server: Server, sandbox: Any) -> None:
    body = bytes(range(256)) * 2048
    refusing = Refusing(server.url)
    for headers, sent in (({}, body), ({"Content-Encoding": "gzip"}, gzip.compress(body, 0))):
        server.answer = (401, headers, sent)
        for send in Http(refusing.provider, sandbox.ca).clients():
            assert send("GET", server.url)[:2] == (401, body)
    assert len(refusing.judged) == 6
    for status, judged in refusing.judged:
        assert status == 401 and 0 < len(judged) <= 65536 and body.startswith(judged)


def test_a_body_that_cannot_be_decoded_is_handed_on(server: Server, sandbox: Any) -> None:
    server.answer = (403, {"Content-Encoding": "gzip"}, b"this is not gzip")
    refusing = Refusing(server.url)
    for send in Http(refusing.provider, sandbox.ca).clients():
        with pytest.raises((httpx.DecodingError, requests.exceptions.ContentDecodingError)):
            send("GET", server.url)


def test_a_streamed_answer_is_handed_on_as_it_came(server: Server, sandbox: Any) -> None:
    body = gzip.compress(REFUSAL)
    server.answer = (403, {"Content-Encoding": "gzip"}, body)
    refusing = Refusing(server.url)
    with httpx.Client(auth=zelf.httpx.Auth(refusing.provider)) as client:
        with client.stream("GET", server.url) as streamed:
            assert b"".join(streamed.iter_raw()) == body
    with requests.get(
        server.url, auth=zelf.requests.Auth(refusing.provider), stream=True
    ) as answer:
        assert answer.raw.read() == body
    with requests.get(
        server.url, auth=zelf.requests.Auth(refusing.provider), stream=True
    ) as answer:
        assert b"".join(answer.iter_content(3)) == REFUSAL


def test_a_file_is_sent_again_and_a_generator_is_not(
    provider: zelf.SessionProvider, sandbox: Any, identifier: str
) -> None:
    auth = zelf.requests.Auth(provider)
    url = f"{sandbox.https}/sandbox/echo?check=session&id={identifier}"
    provider.get()
    sandbox.reject(identifier)
    file = io.BytesIO(b"--file")
    file.seek(2)
    answer = requests.post(url, data=file, auth=auth, verify=sandbox.ca)
    assert (answer.status_code, answer.content) == (200, b"file")
    sandbox.reject(identifier)
    answer = requests.post(url, data=iter([b"generated"]), auth=auth, verify=sandbox.ca)
    assert answer.status_code == 403 and b"Session is not active" in answer.content
    answer = requests.post(url, data=iter([b"generated"]), auth=auth, verify=sandbox.ca)
    assert (answer.status_code, answer.content) == (200, b"generated")


def test_a_failed_renewal_is_a_zelf_error(
    clients: List[Any], sandbox: Any, identifier: str
) -> None:
    sandbox.fault("answer", status=403, error="rejected", path="/api/sessions")
    for send in clients:
        with pytest.raises(zelf.RejectedOriginError):
            send("GET", f"{sandbox.https}/sandbox/echo?id={identifier}")
    assert not sandbox.requests(f"id={identifier}")
