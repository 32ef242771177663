"""The exceptions, one for each status of the library."""

from __future__ import annotations

import builtins
from typing import Dict, Optional, Type

from ._abi import Status


class Error(Exception):
    """Why a call failed. Its text is one sentence that says what failed and what to do.

    An error with a status that this version does not know is of this class itself.
    """

    status: int = Status.PANIC
    """The kind of the failure: a Status, or another number of a newer library."""

    def __init__(
        self,
        message: str,
        *,
        status: Optional[int] = None,
        status_name: Optional[str] = None,
        http_status: Optional[int] = None,
        server_message: Optional[str] = None,
        retryable: bool = False,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        if status is not None and status != self.status:
            self.status = status
        self.message = message
        self.status_name = status_name or f"ZELF_ERROR_{Status(self.status).name}"
        """The name of the status in C, such as "ZELF_ERROR_TIMEOUT"."""
        self.http_status = http_status
        """The HTTP status of the answer; None if no answer came."""
        self.server_message = server_message
        """The words of the server or a proxy. Display them as plain text only."""
        self.retryable = retryable
        """Whether the same call may succeed later, unchanged."""
        self.retry_after = retry_after
        """How many seconds to wait before the next attempt; None if nobody asks to wait."""


class InvalidArgumentError(Error, ValueError):
    """An argument is unusable. Nothing was sent."""

    status = Status.INVALID_ARGUMENT


class InvalidConfigError(Error, ValueError):
    """A setting of the client is unusable."""

    status = Status.INVALID_CONFIG


class PanicError(Error):
    """The library has a bug."""

    status = Status.PANIC


class SystemError(Error):
    """The operating system refused something."""

    status = Status.SYSTEM


class CancelledError(Error):
    """The client was shut down during the call."""

    status = Status.CANCELLED


class ShutDownError(Error, RuntimeError):
    """The client or provider has been shut down or closed."""

    status = Status.SHUT_DOWN


class ForkedError(Error, RuntimeError):
    """The client is bound to the parent of this process. Make another one."""

    status = Status.FORKED


class TimeoutError(Error, builtins.TimeoutError):
    """A time limit has passed."""

    status = Status.TIMEOUT


class ConnectionError(Error, builtins.ConnectionError):
    """There was no connection to the server, or it broke."""


class DNSError(ConnectionError):
    """The name of the server or proxy could not be resolved."""

    status = Status.DNS


class ConnectError(ConnectionError):
    """No connection could be made."""

    status = Status.CONNECT


class ConnectionLostError(ConnectionError):
    """The connection broke before the whole answer arrived."""

    status = Status.CONNECTION_LOST


class ProxyError(ConnectionError):
    """The proxy refused, or does not speak its protocol."""

    status = Status.PROXY


class TLSError(Error):
    """No secure connection could be made."""

    status = Status.TLS


class PinMismatchError(TLSError):
    """The server's key is not pinned."""

    status = Status.PIN_MISMATCH


class BadResponseError(Error):
    """The answer is not a session."""

    status = Status.BAD_RESPONSE


class ResponseTooLargeError(Error):
    """The answer is too large."""

    status = Status.RESPONSE_TOO_LARGE


class RedirectedError(Error):
    """The server redirects: correct the base URL."""

    status = Status.REDIRECTED


class RejectedOriginError(Error):
    """The server does not accept the origin."""

    status = Status.REJECTED_ORIGIN


class UnauthorizedError(Error):
    """The server wants a token for this path."""

    status = Status.UNAUTHORIZED


class ForbiddenError(Error):
    """Another HTTP 403."""

    status = Status.FORBIDDEN


class BadRequestError(Error):
    """The server cannot read the request."""

    status = Status.BAD_REQUEST


class ValidationError(Error):
    """The server refuses a value."""

    status = Status.VALIDATION


class NotFoundError(Error):
    """There is no session API at this address."""

    status = Status.NOT_FOUND


class StartingUpError(Error):
    """The server is starting, or the path does not exist."""

    status = Status.STARTING_UP


class LimitExceededError(Error):
    """The session's quota is used up."""

    status = Status.LIMIT_EXCEEDED


class SessionNotActiveError(Error):
    """The session has ended on the server."""

    status = Status.SESSION_NOT_ACTIVE


class RateLimitedError(Error):
    """There were too many requests: see `retry_after`."""

    status = Status.RATE_LIMITED


class ServerError(Error):
    """The server or a proxy before it failed."""

    status = Status.SERVER


class UnexpectedHTTPStatusError(Error):
    """The session API does not have this HTTP status."""

    status = Status.UNEXPECTED_HTTP_STATUS


class SessionExpiredError(Error):
    """The server returned a session that has expired."""

    status = Status.SESSION_EXPIRED


class ForeignSessionError(Error):
    """The server returned the session of another identifier."""

    status = Status.FOREIGN_SESSION


class GhostSessionError(Error):
    """The server returned a different session each time, so none of them exists."""

    status = Status.GHOST_SESSION


class OtherOptionsError(Error):
    """The server returned a session with another tag name, domain or address."""

    status = Status.OTHER_OPTIONS


_CLASSES: Dict[int, Type[Error]] = {
    kind.__dict__["status"]: kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, Error) and kind is not Error
    if "status" in kind.__dict__
}


def error_class(status: int) -> Type[Error]:
    """Returns the class of a status, or Error for one that this version does not know."""
    return _CLASSES.get(status, Error)
