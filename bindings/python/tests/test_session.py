"""Sessions, their options, the settings of a client."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import time
import traceback
from typing import Any, List, Tuple

import pytest
import zelf


def test_a_session_has_its_token_and_times(client: zelf.Client, identifier: str) -> None:
    session = client.create(identifier=identifier)
    assert session.token.count(".") == 2
    assert session.authorization == f"Bearer {session.token}"
    assert session.identifier == identifier
    assert session.id
    assert session.domain == "zelf"
    assert session.tag_name is None
    assert session.activated_at is not None
    assert session.expires_at - session.activated_at == 600
    assert abs(session.activated_at - time.time()) < 60
    assert 590 < session.seconds_left <= 600


def test_every_session_option_is_sent(
    client: zelf.Client, sandbox: Any, identifier: str
) -> None:
    session = client.create(
        identifier=identifier,
        type=zelf.SessionType.CREATE_WALLET,
        web_extension=True,
        domain="avax",
        tag_name=f"{identifier}.avax",
        eth_address="0x5f",
        kill_session=True,
        confirm=True,
    )
    sent = [json.loads(request["body"]) for request in sandbox.requests(identifier)]
    assert sent[0] == {
        "identifier": identifier,
        "type": "createWallet",
        "isWebExtension": True,
        "domain": "avax",
        "tagName": f"{identifier}.avax",
        "ethAddress": "0x5f",
        "killSession": True,
    }
    assert len(sent) == 2, "the second request confirms"
    assert (session.domain, session.tag_name) == ("avax", f"{identifier}.avax")
    assert session.eth_address == "0x5f"


def test_an_option_that_does_not_exist_is_a_type_error(client: zelf.Client) -> None:
    with pytest.raises(TypeError, match="identifer"):
        client.create(identifer="x")  # type: ignore[call-arg]


def test_an_identifier_is_random_or_derived() -> None:
    assert zelf.random_identifier() != zelf.random_identifier()
    assert len(zelf.random_identifier()) == 32
    assert zelf.derive_identifier("a") == zelf.derive_identifier("a") != zelf.derive_identifier("b")
    with pytest.raises(zelf.InvalidArgumentError):
        zelf.derive_identifier("")


def test_a_token_is_in_no_text_form_of_a_session(
    client: zelf.Client, identifier: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = client.create(identifier=identifier)
    logging.getLogger("test").warning("%s %r", session, session)
    try:
        raise ValueError(session)
    except ValueError as error:
        told = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    texts = [repr(session), str(session), f"{session}", told, caplog.text, repr([session])]
    texts += [repr(getattr(session, name)) for name in session.__slots__]
    assert "zelf.Session" in repr(session)
    assert not any(session.token in text or "eyJ" in text for text in texts)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(session)  # type: ignore[operator]
    with pytest.raises(TypeError):
        json.dumps(session)
    with pytest.raises(TypeError):
        vars(session)


def test_what_owns_an_object_of_c_is_not_copied_or_pickled(
    client: zelf.Client, identifier: str
) -> None:
    request = zelf.Request("GET", "/sandbox/echo")
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        for owner in (client, provider, request):
            for copied in (pickle.dumps, copy.deepcopy):
                with pytest.raises(TypeError, match="cannot be copied or pickled"):
                    copied(owner)


def test_a_log_gets_levels_of_logging_and_no_token(sandbox: Any, identifier: str) -> None:
    lines: List[Tuple[int, str]] = []
    with zelf.Client(
        **sandbox.settings,
        log=lambda level, message: lines.append((level, message)),
        log_level=logging.DEBUG,
    ) as client:
        session = client.create(identifier=identifier)
        sandbox.fault("answer", status=403, error="rejected", path="/api/sessions", times=1)
        with pytest.raises(zelf.RejectedOriginError):
            client.create(identifier=identifier)
    levels = {level for level, _ in lines}
    assert logging.DEBUG in levels and logging.ERROR in levels
    assert not any(session.token in message for _, message in lines)


def test_a_log_level_leaves_out_what_is_more_detailed(sandbox: Any, identifier: str) -> None:
    lines: List[int] = []
    with zelf.Client(
        **sandbox.settings,
        log=lambda level, message: lines.append(level),
        log_level=logging.ERROR,
    ) as client:
        client.create(identifier=identifier)
        assert lines == []
        with pytest.raises(zelf.InvalidArgumentError):
            client.create(identifier="")
    assert set(lines) <= {logging.ERROR}


def test_a_log_function_that_raises_does_not_end_the_call(
    sandbox: Any, identifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: List[Any] = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)

    def log(level: int, message: str) -> None:
        raise ValueError("of the log")

    with zelf.Client(**sandbox.settings, log=log, log_level=logging.DEBUG) as client:
        assert client.create(identifier=identifier).identifier == identifier
    assert unraisable


def test_a_client_tells_its_base_url_and_its_origin(sandbox: Any) -> None:
    with zelf.Client() as client:
        assert client.base_url == client.origin
    with zelf.Client(base_url="HTTPS://LOCALHOST:443/v1/", ca_file=sandbox.ca) as client:
        assert (client.base_url, client.origin) == ("https://localhost/v1", "https://localhost")
    with zelf.Client(origin="https://app.example") as client:
        assert client.origin == "https://app.example"
    assert client.origin == "https://app.example", "also of a closed client"


def test_origin_and_user_agent_are_sent(sandbox: Any, identifier: str) -> None:
    with zelf.Client(
        **sandbox.settings, origin="https://app.example", user_agent="test/1"
    ) as client:
        client.create(identifier=identifier)
    headers = {
        name.lower(): value for name, value in sandbox.requests(identifier)[0]["headers"]
    }
    assert (headers["origin"], headers["user-agent"]) == ("https://app.example", "test/1")


def test_certificates_are_trusted_from_text_and_pins_are_checked(
    sandbox: Any, identifier: str
) -> None:
    with open(sandbox.ca, "rb") as file:
        pem = file.read()
    for text in (pem, pem.decode()):
        with zelf.Client(base_url=sandbox.https, ca_pem=text, pins=[sandbox.pin]) as client:
            assert client.create(identifier=identifier).token
    with zelf.Client(**sandbox.settings, pins=["A" * 43 + "="]) as client:
        with pytest.raises(zelf.PinMismatchError):
            client.create(identifier=identifier)


def test_a_client_makes_as_many_attempts_as_it_may(sandbox: Any, identifier: str) -> None:
    sandbox.fault("refusal", **{"as": "unavailable"}, path="/api/sessions")
    with zelf.Client(**sandbox.settings, max_attempts=1) as client:
        with pytest.raises(zelf.ServerError):
            client.create(identifier=identifier)
    assert len(sandbox.requests(identifier)) == 1


def test_a_client_uses_a_proxy_that_is_set_or_in_the_environment(
    sandbox: Any, identifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sandbox is also a proxy. Nothing listens on port 9 of this machine.
    with zelf.Client(**sandbox.settings, proxy=sandbox.http) as client:
        assert client.create(identifier=identifier).token
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with zelf.Client(**sandbox.settings, proxy_from_env=True, max_attempts=1) as client:
        with pytest.raises(zelf.ConnectError):
            client.create(identifier=identifier)
    with zelf.Client(**sandbox.settings) as client:
        assert client.create(identifier=identifier).token


def test_a_client_works_without_a_block_and_closes_twice(sandbox: Any, identifier: str) -> None:
    client = zelf.Client(**sandbox.settings)
    assert client.create(identifier=identifier).token
    client.close()
    client.close()


def test_a_session_outlives_its_client(sandbox: Any, identifier: str) -> None:
    with zelf.Client(**sandbox.settings) as client:
        session = client.create(identifier=identifier)
    assert session.identifier == identifier
