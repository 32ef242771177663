"""Sessions, what to ask of them, and identifiers."""

from __future__ import annotations

import ctypes
from typing import NoReturn, Optional, TypedDict

from . import _abi
from ._abi import SessionType
from ._library import Handle, check, flag, int32, lib, optional, string, text


class SessionOptions(TypedDict, total=False):
    """What to ask of a new session, as keyword arguments. Only what is set is sent."""

    identifier: Optional[str]
    """The unique identifier of the installation. Always set one: see random_identifier."""
    type: Optional[SessionType]
    """The purpose of the session. The server assumes GENERAL."""
    web_extension: Optional[bool]
    """Whether the session belongs to a browser extension."""
    domain: Optional[str]
    """The name service domain. The server assumes "zelf"."""
    tag_name: Optional[str]
    """A tag name, such as "alice.zelf". The server also looks for a session with it."""
    eth_address: Optional[str]
    """An Ethereum address, which the server copies into the token."""
    kill_session: bool
    """Whether to end the server's session for the identifier and make a new one."""
    confirm: bool
    """Whether to ask again if a new session exists. This is one more request."""


def options_handle(options: SessionOptions) -> Handle[_abi.zelf_session_options]:
    """Makes the options of C."""
    if unknown := sorted(options.keys() - SessionOptions.__annotations__.keys()):
        raise TypeError(f"there is no option {', '.join(unknown)}")
    pointer = lib.zelf_session_options_new()
    assert pointer
    handle = Handle(pointer, "options", lib.zelf_session_options_free)
    for name in ("identifier", "domain", "tag_name", "eth_address"):
        value: Optional[str] = options.get(name)  # type: ignore[assignment]
        getattr(lib, f"zelf_session_options_set_{name}")(pointer, text(name, value))
    if (session_type := options.get("type")) is not None:
        lib.zelf_session_options_set_type(pointer, int32("type", session_type))
    if (web_extension := options.get("web_extension")) is not None:
        lib.zelf_session_options_set_web_extension(pointer, flag("web_extension", web_extension))
    kill_session, confirm = options.get("kill_session"), options.get("confirm")
    lib.zelf_session_options_set_kill_session(pointer, flag("kill_session", kill_session))
    lib.zelf_session_options_set_confirm(pointer, flag("confirm", confirm))
    return handle


class Session:
    """A session with its token, a secret. It is immutable, and any thread may use it.

    Texts from the token are not verified: only the server has the key.
    """

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle[_abi.zelf_session]) -> None:
        self._handle = handle

    @property
    def token(self) -> str:
        """The token."""
        with self._handle as session:
            return string(lib.zelf_session_token(session))

    @property
    def authorization(self) -> str:
        """The value of the Authorization header. Send it unchanged."""
        with self._handle as session:
            return string(lib.zelf_session_authorization(session))

    @property
    def id(self) -> Optional[str]:
        """The session's id on the server."""
        with self._handle as session:
            return optional(lib.zelf_session_id(session))

    @property
    def identifier(self) -> Optional[str]:
        """The identifier that the session belongs to."""
        with self._handle as session:
            return optional(lib.zelf_session_identifier(session))

    @property
    def domain(self) -> Optional[str]:
        """The domain that the session was made with."""
        with self._handle as session:
            return optional(lib.zelf_session_domain(session))

    @property
    def tag_name(self) -> Optional[str]:
        """The tag name that the session was made with."""
        with self._handle as session:
            return optional(lib.zelf_session_tag_name(session))

    @property
    def eth_address(self) -> Optional[str]:
        """The Ethereum address that the session was made with."""
        with self._handle as session:
            return optional(lib.zelf_session_eth_address(session))

    @property
    def activated_at(self) -> Optional[int]:
        """When the session began, in Unix seconds of the server's clock."""
        with self._handle as session:
            return lib.zelf_session_activated_at(session) or None

    @property
    def expires_at(self) -> int:
        """When the session ends, in Unix seconds of the server's clock.

        Do not compare it with the device's clock: use seconds_left.
        """
        with self._handle as session:
            return lib.zelf_session_expires_at(session)

    @property
    def seconds_left(self) -> int:
        """How many whole seconds the session has left, whatever the device's date; 0 at its end."""
        with self._handle as session:
            return lib.zelf_session_seconds_left(session)

    def __repr__(self) -> str:
        return "<zelf.Session>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session cannot be copied or pickled: its token is a secret")


def take_session(pointer: _abi.zelf_session) -> Session:
    """Makes a Session that owns this object."""
    return Session(Handle(pointer, "session", lib.zelf_session_free))


def random_identifier() -> str:
    """Makes a random identifier. Keep it: to the server, another one is another device."""
    out = ctypes.create_string_buffer(_abi.ZELF_IDENTIFIER_SIZE)
    check(lib.zelf_identifier_random(out, len(out)))
    return out.value.decode()


def derive_identifier(device_id: str) -> str:
    """Derives an identifier from a device id, such as a serial number. Keep the result."""
    out = ctypes.create_string_buffer(_abi.ZELF_IDENTIFIER_SIZE)
    check(lib.zelf_identifier_derive(text("device_id", device_id), out, len(out)))
    return out.value.decode()
