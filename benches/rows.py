"""The rows of the table: what is compared, what is required, and what is wanted."""

from dataclasses import dataclass

LIBCURL = "libcurl"


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    required: float | None
    goal: float | None
    unit: str = "µs"
    # Whether a ratio to libcurl is compared with the targets, or the value itself.
    relative: bool = True
    # Whether the value is counted once, or is a median of rounds.
    counted: bool = False
    digits: int = 2


ROWS = [
    Row("instructions", "instructions a warm call", 0.30, 0.20, unit="", counted=True),
    # A background thread's few extra are no call's.
    Row("system_calls", "system calls a warm call", 3, 3, unit="", relative=False, counted=True, digits=1),
    Row("allocations", "allocations a warm call", None, None, unit="", relative=False, counted=True, digits=1),
    Row("cpu_1", "CPU time a warm call, 1 thread", 0.60, 0.45),
    Row("cpu_16", "CPU time a warm call, 16 threads", 0.60, 0.40),
    Row("p50", "p50 latency, 1 thread", 0.72, 0.60),
    Row("p99", "p99 latency, 1 thread", 0.85, 0.70),
    Row("first", "process start to first token, as a shell times it", 0.15, 0.12),
    Row("peak", "peak memory", 0.35, 0.30, unit="KiB"),
    Row("size", "size of the library, stripped", 2.2, 1.9, unit="MB", relative=False, counted=True),
    Row("callback_1", "asynchronous, CPU time a call, 1 in flight", 1.1, 0.9),
    Row("callback_32", "asynchronous, CPU time a call, 32 in flight", 0.75, 0.6),
    Row("dispatch_1", "dispatched by the host, CPU time a call, 1 in flight", 1.1, 0.8),
    Row("dispatch_32", "dispatched by the host, CPU time a call, 32 in flight", 0.85, 0.6),
]
