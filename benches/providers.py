"""What a session provider costs: a warm get, one beside a renewal that stalls, and the
start of a command with a stored session."""

import json, os, pathlib, tempfile

import counts
from sandbox import Sandbox
from shell import sh

KINDS = ("get", "get_free", "copy", "share")
THREADS = (1, 2, 4, 8, 16)
GETS = 400_000
COUNTED = 10_000
STALL = {"kind": "delay", "ms": 60_000, "stage": "request", "skip": 1}


def instructions(program, kind, server):
    """Of one get. What the kernel's part of the C library does (vDSO) is not seen."""
    def run(gets):
        return counts.instructions([str(part) for part in
                                    (program, kind, 1, gets, 1, server.url, server.ca)])
    return (run(COUNTED) - run(0)) / COUNTED


def warm(program, server, rounds):
    """Nanoseconds by kind and number of threads: the least of all rounds."""
    least = {}
    for _ in range(rounds):
        for threads in THREADS:
            for kind in KINDS:
                ns = json.loads(sh(program, kind, threads, GETS // threads, 10, server.url, server.ca))["ns"]
                least[kind, threads] = min(ns, least.get((kind, threads), ns))
    return least


def stall(program, background, seconds):
    with Sandbox() as answers, Sandbox("--fault", json.dumps(STALL)) as stalls:
        # Each has its own CA.
        both = pathlib.Path(answers.ca).parent / "both.pem"
        both.write_text(pathlib.Path(answers.ca).read_text() + pathlib.Path(stalls.ca).read_text())
        try:
            return json.loads(sh(program, background, seconds, both, answers.url, stalls.url))
        finally:
            both.unlink()


def starts(programs, server, runs):
    with tempfile.TemporaryDirectory(prefix="zelf-bench-") as folder:
        os.chmod(folder, 0o700)
        # The lock of the runs without a directory.
        environment = dict(server.environment, XDG_RUNTIME_DIR=folder)
        return json.loads(sh(programs.starts, runs, programs.command, server.url, "-", folder,
                             env=environment))


def measure(programs, server, is_quick):
    return {
        "instructions": {kind: instructions(programs.warm, kind, server) for kind in KINDS},
        "warm": warm(programs.warm, server, 1 if is_quick else 7),
        "stall": {background: stall(programs.stall, background, 1 if is_quick else 9) for background in (1, 0)},
        "starts": starts(programs, server, 50 if is_quick else 1000),
    }


def report(found):
    least, count = found["warm"], found["instructions"]
    titles = {"get": "zelf_session_provider_get", "get_free": "the same, and zelf_session_free",
              "copy": "a cache behind a mutex, a copy and free",
              "share": "a cache behind a mutex, a counted reference"}
    yield from ("## Session providers", "",
                "What one warm get costs: processors' time in ns, in the cheapest round; sleeping for a lock "
                "is not in it. In parentheses as a ratio to the copy. The cache is what the C++ SDKs of the clouds "
                "have: a mutex, a clock, a text. Required of the first row: 25 ns on one thread, and "
                "twice what one thread takes on all processors.", "",
                "| | instructions | " + " | ".join(f"{n} threads" if n > 1 else "1 thread" for n in THREADS) + " |",
                "|---|---|" + "---|" * len(THREADS))
    for kind in KINDS:
        cells = (f"{least[kind, n]:.1f} ({least[kind, n] / least['copy', n]:.2f})" for n in THREADS)
        yield f"| {titles[kind]} | {count[kind]:.0f} | " + " | ".join(cells) + " |"
    all_processors = max(n for n in THREADS if n <= os.cpu_count())
    yield from ("", "The instructions are without those of the clock. On "
                f"{all_processors} of {os.cpu_count()} processors a warm get costs "
                f"{least['get', all_processors] / least['get', 1]:.2f} times what it costs on one.", "")
    for background, who in ((1, "on the client's thread"), (0, "on another caller's thread")):
        calm, stalled = found["stall"][background]["answers"], found["stall"][background]["stalls"]
        yield (f"While a confirmation stalls {who}, a get has a p50 of {stalled['p50'] / calm['p50']:.2f}, a p99 "
               f"of {stalled['p99'] / calm['p99']:.2f} and a p99.9 of {stalled['p999'] / calm['p999']:.2f} times that "
               f"of a get without ({calm['p50']:.0f}, {calm['p99']:.0f} and {calm['p999']:.0f} ns with the two "
               "readings of the clock).")
    stored, request, echo = (found["starts"][name] for name in ("stored", "request", "echo"))
    yield from ("", f"From the start of a process to its token over TLS: {stored['median']:,} µs with a stored session "
                f"(p99 {stored['p99']:,}, least {stored['least']:,}; required 2,000), {request['median']:,} µs with a "
                f"request (p99 {request['p99']:,}, least {request['least']:,}): {stored['median'] / request['median']:.2f}. "
                f"A process that prints a word (/bin/echo) takes {echo['median']:,} µs (p99 {echo['p99']:,}).", "")
