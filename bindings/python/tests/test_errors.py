"""Each kind of failure, by its exception."""

from __future__ import annotations

import builtins
import pickle
import socket
from typing import Any, Type

import pytest
import zelf
from zelf import _abi, _errors


def failure(kind: Type[zelf.Error], settings: Any, identifier: str) -> zelf.Error:
    with zelf.Client(**{"max_attempts": 1, **settings}) as client:
        with pytest.raises(zelf.Error) as caught:
            client.create(identifier=identifier)
    assert type(caught.value) is kind, caught.value
    assert str(caught.value) == caught.value.message
    return caught.value


def test_a_rejected_origin_is_a_rejected_origin_error(sandbox: Any, identifier: str) -> None:
    sandbox.fault("answer", status=403, error="rejected", path="/api/sessions")
    error = failure(zelf.RejectedOriginError, sandbox.settings, identifier)
    assert error.status == zelf.Status.REJECTED_ORIGIN
    assert error.status_name == "ZELF_ERROR_REJECTED_ORIGIN"
    assert (error.http_status, error.server_message) == (403, "rejected")
    assert not error.retryable and error.retry_after is None


def test_a_time_limit_is_a_timeout_error(sandbox: Any, identifier: str) -> None:
    sandbox.fault("stall", stage="request", path="/api/sessions")
    error = failure(zelf.TimeoutError, {**sandbox.settings, "timeout": 0.2}, identifier)
    assert isinstance(error, builtins.TimeoutError)
    assert error.retryable and error.http_status is None


def test_a_connection_has_a_time_limit(sandbox: Any, identifier: str) -> None:
    sandbox.fault("stall", stage="tls")
    settings = {**sandbox.settings, "timeout": 5, "connect_timeout": 0.2}
    failure(zelf.TimeoutError, settings, identifier)


def test_a_certificate_of_another_authority_is_a_tls_error(sandbox: Any, identifier: str) -> None:
    settings = {**sandbox.settings, "ca_file": sandbox.other_ca}
    assert not failure(zelf.TLSError, settings, identifier).retryable


def test_an_invalid_argument_is_a_value_error(sandbox: Any) -> None:
    error = failure(zelf.InvalidArgumentError, sandbox.settings, "")
    assert isinstance(error, ValueError) and "identifier" in str(error)


def test_an_invalid_setting_is_a_value_error() -> None:
    with pytest.raises(zelf.InvalidConfigError, match="http") as caught:
        zelf.Client(base_url="http://example.com")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(zelf.InvalidConfigError):
        zelf.Client(ca_file="/there/is/no/file.pem")


def test_rate_limiting_says_how_long_to_wait(sandbox: Any, identifier: str) -> None:
    sandbox.fault(
        "answer", status=429, error="slow down", headers={"Retry-After": "7"}, path="/api/sessions"
    )
    error = failure(zelf.RateLimitedError, sandbox.settings, identifier)
    assert error.retry_after == 7.0 and error.retryable


def test_a_failed_server_is_a_server_error(sandbox: Any, identifier: str) -> None:
    sandbox.fault("refusal", **{"as": "bad_gateway"}, path="/api/sessions")
    assert failure(zelf.ServerError, sandbox.settings, identifier).http_status == 502


def test_no_connection_is_a_connection_error(sandbox: Any, identifier: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = failure(zelf.ConnectError, {"base_url": f"http://127.0.0.1:{port}"}, identifier)
    assert isinstance(error, zelf.ConnectionError)
    assert isinstance(error, builtins.ConnectionError)


def test_a_name_that_does_not_exist_is_a_dns_error(identifier: str) -> None:
    error = failure(zelf.DNSError, {"base_url": "https://no-such-host.invalid"}, identifier)
    assert isinstance(error, zelf.ConnectionError)


def test_a_broken_connection_is_a_connection_lost_error(sandbox: Any, identifier: str) -> None:
    sandbox.fault("reset", stage="body", path="/api/sessions")
    error = failure(zelf.ConnectionLostError, sandbox.settings, identifier)
    assert isinstance(error, zelf.ConnectionError)


def test_an_answer_that_is_no_session_is_a_bad_response_error(
    sandbox: Any, identifier: str
) -> None:
    sandbox.fault("answer", status=200, json={"data": {}}, path="/api/sessions")
    failure(zelf.BadResponseError, sandbox.settings, identifier)


def test_a_redirect_is_a_redirected_error(sandbox: Any, identifier: str) -> None:
    sandbox.fault("redirect", path="/api/sessions")
    failure(zelf.RedirectedError, sandbox.settings, identifier)


def test_every_status_has_an_exception() -> None:
    statuses = [status for status in zelf.Status if status != zelf.Status.OK]
    assert len(statuses) == len({_errors.error_class(status) for status in statuses})
    for status in statuses:
        kind = _errors.error_class(status)
        assert kind.status == status and issubclass(kind, zelf.Error) and kind is not zelf.Error
        assert getattr(zelf, kind.__name__) is kind


def test_a_status_of_a_newer_library_is_an_error() -> None:
    with pytest.raises(zelf.Error) as caught:
        from zelf._library import check

        check(9999)
    assert type(caught.value) is zelf.Error
    assert (caught.value.status, caught.value.status_name) == (9999, "ZELF_ERROR_UNKNOWN")


def test_an_error_survives_pickle(sandbox: Any, identifier: str) -> None:
    settings = {**sandbox.settings, "ca_file": sandbox.other_ca}
    for error in (
        failure(zelf.TLSError, settings, identifier),
        zelf.TimeoutError("late", http_status=408, retry_after=2.0, retryable=True),
    ):
        copied = pickle.loads(pickle.dumps(error))
        assert type(copied) is type(error) and vars(copied) == vars(error)
        assert str(copied) == str(error)


def test_text_that_c_would_cut_or_not_read_is_refused(client: zelf.Client) -> None:
    with pytest.raises(zelf.InvalidArgumentError, match="identifier"):
        client.create(identifier="a\0b")
    with pytest.raises(zelf.InvalidArgumentError, match="identifier"):
        client.create(identifier="\ud800")
    with pytest.raises(TypeError, match="identifier"):
        client.create(identifier=5)  # type: ignore[arg-type]


def test_a_duration_that_c_would_cut_is_refused() -> None:
    for seconds in (0, -1, 1e10, float("nan"), float("inf")):
        with pytest.raises(zelf.InvalidArgumentError, match="timeout"):
            zelf.Client(timeout=seconds)


def test_a_number_that_c_would_cut_is_refused() -> None:
    for attempts in (0, -1, 1 << 32):
        with pytest.raises(zelf.InvalidArgumentError, match="max_attempts"):
            zelf.Client(max_attempts=attempts)
    with pytest.raises(TypeError, match="max_attempts"):
        zelf.Client(max_attempts=1.5)  # type: ignore[arg-type]


def test_a_flag_is_a_bool_and_nothing_else(client: zelf.Client, identifier: str) -> None:
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        token = provider.get().token
    for value in ("false", 0, 1, []):
        for name in ("web_extension", "kill_session", "confirm"):
            with pytest.raises(TypeError, match=name):
                client.create(identifier=identifier, **{name: value})  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="background"):
            zelf.SessionProvider(client, identifier=identifier, background=value)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="repeatable"):
            zelf.Request("POST", "/", repeatable=value)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="proxy_from_env"):
            zelf.Client(proxy_from_env=value)  # type: ignore[arg-type]
    assert client.create(identifier=identifier).token == token


def test_what_is_called_later_is_callable(client: zelf.Client, identifier: str) -> None:
    with pytest.raises(TypeError, match="log"):
        zelf.Client(log="log")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on_renewed"):
        zelf.SessionProvider(client, identifier=identifier, on_renewed=5)  # type: ignore[arg-type]


def test_a_signed_number_that_c_would_cut_is_refused(client: zelf.Client, identifier: str) -> None:
    with pytest.raises(zelf.InvalidArgumentError, match="type"):
        client.create(identifier=identifier, type=(1 << 32) + 1)  # type: ignore[arg-type]
    with pytest.raises(zelf.InvalidArgumentError, match="renewal"):
        zelf.SessionProvider(
            client, identifier=identifier, renewal=(1 << 32) + 2  # type: ignore[arg-type]
        )
    with zelf.SessionProvider(client, identifier=identifier) as provider:
        session = provider.get()
        with pytest.raises(zelf.InvalidArgumentError, match="http_status"):
            provider.invalidate_if_refused(
                session, (1 << 32) + 403, b'{"validationError":"Session is not active"}'
            )
        assert provider.get().token == session.token


def test_bytes_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match="body"):
        zelf.Request("POST", "/", body=1000)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ca_pem"):
        zelf.Client(ca_pem=5)  # type: ignore[arg-type]


def test_a_body_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(zelf.InvalidArgumentError, match="body"):
        zelf.Request("POST", "/", body="\ud800")


def test_constants_of_the_header_are_the_statuses() -> None:
    for name, value in vars(_abi).items():
        if name.startswith("ZELF_ERROR_"):
            assert zelf.Status[name[len("ZELF_ERROR_") :]] == value
