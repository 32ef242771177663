"""What a request with a session costs, against libcurl in the same rounds."""

import json, statistics

import counts
from shell import sh

# Bytes of the body, and what is required: of the instructions, and of the CPU time.
SIZES = {1_000: (0.35, 0.65), 100_000: (0.90, 0.90)}
CALLS = 2000


def measure(programs, server, rounds):
    found = {}
    for size in SIZES:
        both = programs.gets[size]
        counted = [counts.per_call(counts.instructions, program, server) for program in both]
        times = []
        for _ in range(rounds):
            cpu = [json.loads(sh(program, server.url, server.ca, 1, 30, CALLS))["cpu_us"]
                   for program in both]
            times.append(cpu)
        found[size] = {"instructions": counted, "times": times}
    return found


def report(found):
    yield from ("## Requests with a session", "",
                "A warm GET over TLS, as a ratio to libcurl: instructions are counted, the CPU time is the "
                "median of rounds in which both take turns. In parentheses what is required.", "",
                "| body | instructions | CPU time | libcurl's instructions | libcurl's CPU time |",
                "|---|---|---|---|---|")
    for size, (most, most_time) in SIZES.items():
        one, other = found[size]["instructions"]
        times = found[size]["times"]
        ratio = statistics.median(mine / theirs for mine, theirs in times)
        base = statistics.median(theirs for _, theirs in times)
        yield (f"| {size:,} bytes | {one / other:.2f} ({most:.2f}) | {ratio:.2f} ({most_time:.2f}) "
               f"| {other:,.0f} | {base:,.1f} µs |")
    yield ""
