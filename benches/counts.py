"""What can be counted exactly: the difference of a run with warm calls and one
without."""

import re, subprocess, sys

from programs import stripped

CALLS = 500
WARM_UP = 30
TRIES = 2


def per_call(count, program, server):
    """None where the tool that counts cannot run."""
    def run(calls):
        command = [str(part) for part in (program, server.url, server.ca, 1, WARM_UP, calls)]
        # On a busy machine a wait may end early and begin again, which costs more.
        return min(count(command) for _ in range(TRIES))
    try:
        return (run(CALLS) - run(0)) / CALLS
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} cannot run {program.name}: {error.stderr.strip()}", file=sys.stderr)
        return None


def said(pattern, command):
    text = subprocess.run(command, check=True, text=True, capture_output=True).stderr
    return int(re.findall(pattern, text, re.MULTILINE)[-1].replace(",", ""))


def instructions(command):
    return said(r"Collected : (\d+)",
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command])


def allocations(command):
    return said(r"total heap usage: ([\d,]+) allocs",
                ["valgrind", "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no", *command])


def system_calls(command):
    """Of all threads; the column is that of strace's total."""
    return said(r"^100\.00 +\S+ +\S+ +(\d+) .*total$", ["strace", "-f", "-c", *command])


def count(programs, server):
    """The values by column and row."""
    values = {}
    for name, program in programs.blocking.items():
        values[name] = {kind.__name__: per_call(kind, program, server)
                        for kind in (instructions, system_calls, allocations)}
    for name, shared_object in programs.shared_objects.items():
        values[name]["size"] = stripped(shared_object).stat().st_size / 1e6
    return values
