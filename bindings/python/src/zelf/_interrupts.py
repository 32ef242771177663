"""KeyboardInterrupt and SystemExit in callbacks. ctypes would report them and continue."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Callable, List, Optional


class _Call:
    """A call of the library that may run functions of the program."""

    __slots__ = ("raised", "handler", "number", "frame", "is_in_program")

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None
        self.handler: Any = None
        self.number: Optional[int] = None
        self.frame: Optional[FrameType] = None
        self.is_in_program = False

    def keep(self, number: int, frame: Optional[FrameType]) -> None:
        """Handles SIGINT during the call."""
        if self.is_in_program:
            self.handler(number, frame)
        else:
            self.number, self.frame = number, frame


class _Here(threading.local):
    """The calls that this thread is inside of."""

    def __init__(self) -> None:
        self.calls: List[_Call] = []


_here = _Here()


def begin_call() -> None:
    """Begins to keep what callbacks on this thread end the program with.

    The main thread also keeps Ctrl-C: Python may run the handler of a signal at the start of a
    callback, before its `try`.
    """
    call = _Call()
    _here.calls.append(call)
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler) and threading.get_ident() == threading.main_thread().ident:
        try:
            signal.signal(signal.SIGINT, call.keep)
        except ValueError:
            # A subinterpreter gets no signals.
            return
        call.handler = handler


def end_call() -> None:
    """Raises what was kept."""
    call = _here.calls.pop()
    if call.handler:
        # A callback may have set another handler.
        if signal.getsignal(signal.SIGINT) == call.keep:
            signal.signal(signal.SIGINT, call.handler)
        if call.number is not None:
            call.handler(call.number, call.frame)
    if call.raised:
        raise call.raised


def call_back(function: Callable[..., object], *arguments: object) -> None:
    """Runs a function of the program in a callback.

    sys.unraisablehook gets its other exceptions, and all of those on a thread of the library.
    """
    call = _here.calls[-1] if _here.calls else _Call()
    try:
        call.is_in_program = True
        function(*arguments)
    except Exception:
        raise
    except BaseException as error:
        if not _here.calls:
            raise
        call.raised = error
    finally:
        call.is_in_program = False
