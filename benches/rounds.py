"""What has to be timed: rounds in which every program takes its turn."""

import json, subprocess, sys
from functools import partial

from rows import LIBCURL
from shell import sh

STARTS = 10
IN_FLIGHT = (1, 32)


def harness(program, server, *arguments):
    return json.loads(sh(program, server.url, server.ca, *arguments))


def first_token(program, server, trust):
    """Microseconds from the start of a process that makes one call to its end."""
    script = f'TIMEFORMAT=%3R; time for i in {{1..{STARTS}}}; do "$@" >/dev/null || exit 1; done'
    command = ["bash", "-c", script, "bash", str(program), server.url, str(trust), "1", "1", "0"]
    timed = subprocess.run(command, check=True, text=True, stderr=subprocess.PIPE,
                           env=dict(server.environment, LC_ALL="C"))
    return float(timed.stderr.split()[-1]) / STARTS * 1e6


def blocking(program, name, server, calls):
    # libcurl takes its bundle as a path; it is the same file.
    trust = server.system_ca if name == LIBCURL else "-"
    one = harness(program, server, 1, 100, calls)
    many = harness(program, server, 16, 20, calls // 8)
    return {"cpu_1": one["cpu_us"], "p50": one["p50_us"], "p99": one["p99_us"], "peak": one["peak_kib"],
            "cpu_16": many["cpu_us"], "first": first_token(program, server, trust)}


def asynchronous(program, keys, in_flight, server, calls):
    cpu = harness(program, server, in_flight, 10 * in_flight, calls)["cpu_us"]
    return {f"{key}_{in_flight}": cpu for key in keys}


def turns(programs):
    """The column of each turn, and what gives its values by row."""
    for name, program in programs.blocking.items():
        yield name, partial(blocking, program, name)
    for in_flight in IN_FLIGHT:
        yield LIBCURL, partial(asynchronous, programs.multi, ("callback", "dispatch"), in_flight)
        yield "libzelf", partial(asynchronous, programs.callback, ("callback",), in_flight)
        yield "libzelf", partial(asynchronous, programs.dispatch, ("dispatch",), in_flight)


def measure(programs, server, rounds, calls):
    """The values by column and row, one a round."""
    samples = {name: {} for name in programs.blocking}
    order = list(turns(programs))
    for turn in range(rounds):
        order = order[1:] + order[:1]  # nobody is always first
        for name, values in order:
            for key, value in values(server, calls).items():
                samples[name].setdefault(key, []).append(value)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return samples
