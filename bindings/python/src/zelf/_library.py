"""Loads the C library, and owns its objects."""

from __future__ import annotations

import ctypes
import math
import os
import pathlib
import threading
import weakref
from types import TracebackType
from typing import Any, Callable, Generic, NoReturn, Optional, Type, TypeVar, Union

from . import _abi
from ._errors import Error, InvalidArgumentError, ShutDownError, error_class
from ._interrupts import begin_call, end_call

P = TypeVar("P", bound=int)
F = TypeVar("F", bound=Callable[..., object])


def load(path: str) -> _abi.Functions:
    """Loads the library at this path. An older one than the table is refused."""
    library = ctypes.CDLL(path)
    library.zelf_version.restype = ctypes.c_char_p
    version = library.zelf_version().decode()
    if tuple(map(int, version.split(".")[:2])) < (_abi.ZELF_VERSION_MAJOR, _abi.ZELF_VERSION_MINOR):
        raise ImportError(
            f"libzelf {version} is too old: this package needs {_abi.ZELF_VERSION} or later",
            path=path,
        )
    return _abi.Functions(library)


lib = load(str(pathlib.Path(__file__).with_name("libzelf.so.0")))


def library_version() -> str:
    """Returns the version of the C library, such as "0.1.0"."""
    return string(lib.zelf_version())


# Arguments. ctypes cuts a string at a NUL and a number to the size of its type.


def text(name: str, value: Optional[str]) -> Optional[bytes]:
    """Returns the argument `name` as a C string."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise InvalidArgumentError(f"{name} must not contain a NUL")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name} is not Unicode text") from None


def data(name: str, value: Union[str, bytes]) -> bytes:
    """Returns the argument `name`, which may contain a NUL, as bytes."""
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{name} is not Unicode text") from None
    # bytes(5) would be five NULs.
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes or a str, not {type(value).__name__}")
    return bytes(value)


def path_text(name: str, path: Union[None, str, os.PathLike[str]]) -> Optional[bytes]:
    """Returns the argument `name`, a path, as a C string."""
    return text(name, None if path is None else os.fspath(path))


def number(name: str, value: Optional[int], least: int = 1, bits: int = 32) -> int:
    """Returns the argument `name` as an unsigned number. None is 0, the default in C."""
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not least <= value < 1 << bits:
        raise InvalidArgumentError(f"{name} must be from {least} to {(1 << bits) - 1}")
    return value


def int32(name: str, value: int) -> int:
    """Returns the argument `name` as a signed number of 32 bits."""
    return number(name, value, -(1 << 31), 31)


def flag(name: str, value: Optional[bool]) -> bool:
    """Returns the argument `name`, which is true or false. None is false, the default in C."""
    # ctypes would take the text "false" as true.
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return bool(value)


def function(name: str, value: Optional[F]) -> Optional[F]:
    """Returns the argument `name`, which is called later, or None."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")
    return value


def milliseconds(name: str, seconds: Optional[float]) -> int:
    """Returns the argument `name`, a duration, in milliseconds. None is 0."""
    if seconds is None:
        return 0
    if not 0 < seconds <= 4294967:
        raise InvalidArgumentError(f"{name} must be more than 0 and at most 4294967 seconds")
    return math.ceil(seconds * 1000)


# Results


def string(value: Optional[bytes]) -> str:
    """Returns a C string that is there."""
    assert value is not None
    return value.decode()


def optional(value: Optional[bytes]) -> Optional[str]:
    """Returns a C string that may be NULL."""
    # A header of a response may have any bytes.
    return None if value is None else value.decode(errors="replace")


def take_error(pointer: int) -> Error:
    """Makes an exception of an error, and frees it."""
    error = _abi.zelf_error(pointer)
    try:
        status = lib.zelf_error_status(error)
        wait_ms = lib.zelf_error_retry_after_ms(error)
        return error_class(status)(
            string(lib.zelf_error_message(error)),
            status=status,
            status_name=string(lib.zelf_status_name(status)),
            http_status=lib.zelf_error_http_status(error) or None,
            server_message=optional(lib.zelf_error_server_message(error)),
            retryable=lib.zelf_error_is_retryable(error),
            retry_after=wait_ms / 1000 if wait_ms else None,
        )
    finally:
        lib.zelf_error_free(error)


def check(status: int) -> None:
    """Raises the exception of a status that is not ZELF_OK."""
    if status != _abi.ZELF_OK:
        raise error_class(status)(
            string(lib.zelf_status_message(status)),
            status=status,
            status_name=string(lib.zelf_status_name(status)),
        )


class Outcome:
    """Receives the error of a function that returns an object."""

    __slots__ = ("_error", "error")

    def __init__(self) -> None:
        self._error = ctypes.c_void_p()
        self.error = ctypes.byref(self._error)

    def of(self, result: Optional[P]) -> P:
        """Returns the object, or raises the error."""
        if result:
            return result
        raise take_error(self._error.value or 0)


# Objects

# One lock for all handles, so that a fork can hold it. A child would never get a lock that
# another thread held. The garbage collector may close a handle on a thread that has the lock.
_lock = threading.RLock()
_left = threading.Condition(_lock)
os.register_at_fork(
    before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
)


class Handle(Generic[P]):
    """Owns an object of the library, and frees it when nobody is inside a call with it.

    `with handle as pointer` is a call. The garbage collector frees what was not closed.
    """

    __slots__ = ("_pointer", "_what", "_inside", "_is_closed", "_free", "__weakref__")

    def __init__(self, pointer: P, what: str, free: Optional[Callable[[P], None]]) -> None:
        self._pointer = pointer
        self._what = what
        self._inside = 0
        self._is_closed = False
        self._free: Optional[weakref.finalize[Any, Any]] = None
        if free:
            self._free = weakref.finalize(self, free, pointer)
            # The end of the process frees everything, also what a thread is still inside of.
            self._free.atexit = False

    def __enter__(self) -> P:
        with _lock:
            if self._is_closed:
                raise ShutDownError(f"the {self._what} is closed")
            self._inside += 1
        return self._pointer

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        with _lock:
            self._inside -= 1
            if not self._is_closed or self._inside:
                return
            _left.notify_all()
        if self._free:
            self._free()

    def __reduce__(self) -> NoReturn:
        # A copy would free the same object once more.
        raise TypeError(f"a zelf {self._what} cannot be copied or pickled: make another one")

    def close(self) -> None:
        """Refuses new calls. The last call that is under way frees the object."""
        with _lock:
            self._is_closed = True
            if self._inside:
                return
        if self._free:
            self._free()

    def give_back(self) -> None:
        """Closes a borrowed object, and waits for calls of other threads."""
        with _lock:
            self._is_closed = True
            _left.wait_for(lambda: not self._inside)


class CallingHandle(Handle[P]):
    """Owns an object whose calls may run functions of the program."""

    __slots__ = ()

    def __enter__(self) -> P:
        pointer = super().__enter__()
        begin_call()
        return pointer

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        super().__exit__(kind, error, trace)
        end_call()


# The objects that callbacks are for, by the number that they get as user_data. They are
# weak, so that no callback has to tell when it is the last one.
numbered: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
# So no callback has an object to destroy.
no_destroy = _abi.zelf_destroy_callback()
