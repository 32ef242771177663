"""The report of a run: results/results.md and results/results.svg."""

import os, platform, subprocess, time

from plot import plot
from programs import HERE, stripped
from rows import LIBCURL, ROWS
from shell import sh
from summary import compared, missed, not_measured


def plain(value, unit):
    number = f"{value:,.0f}" if unit in ("µs", "KiB") or value >= 1000 else f"{value:g}"
    return f"{number} {unit}".rstrip()


def shown(row, cell):
    if (number := compared(row, cell)) is None:
        return "-"
    if not row.relative:
        return plain(number, row.unit)
    return f"{number:.2f} ({plain(cell.value, row.unit)})" if row.counted else f"{number:.2f}"


def target(row, limit):
    if limit is None:
        return "-"
    return f"{limit:.2f}" if row.relative else plain(limit, row.unit)


def table(cells):
    names = list(cells[ROWS[0].key])
    yield "| | required | goal | " + " | ".join(names) + " | libcurl, absolute |"
    yield "|---|---|---|" + "---|" * (len(names) + 1)
    for row in ROWS:
        found = cells[row.key]
        base = plain(round(found[LIBCURL].value, row.digits), row.unit) if found[LIBCURL] else "-"
        yield (f"| {row.title} | {target(row, row.required)} | {target(row, row.goal)} | "
               + " | ".join(shown(row, found[name]) for name in names) + f" | {base} |")


def machine():
    with open("/proc/cpuinfo") as lines:
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")
    nginx = subprocess.run(["nginx", "-v"], text=True, capture_output=True).stderr.strip()
    return (f"{time.strftime('%Y-%m-%d')}, {cpu}, {os.cpu_count()} cores, Linux {platform.release()}; "
            f"libcurl {sh('pkg-config', '--modversion', 'libcurl').strip()}, "
            f"{sh('rustc', '--version').strip()}, {nginx}.")


def library(shared_object):
    needed = [line.split("[")[1].rstrip("]") for line in
              sh("readelf", "-d", shared_object).splitlines() if "NEEDED" in line]
    size = stripped(shared_object).stat().st_size
    return f"libzelf.so, stripped: {size:,} bytes; it needs {', '.join(needed)}."


def report(cells, heap, programs, providers, rounds, calls):
    lines = [
        "# libzelf against libcurl, in one run", "", machine(), "",
        "Made by `make bench`, over TLS on loopback. Lower is better. Instructions, system calls and "
        f"allocations are counts. Times and memory are medians of {rounds} interleaved rounds "
        f"of {calls:,} calls, each as a ratio to libcurl in its round.", "",
        *table(cells), "",
        "The floor is a blocking socket with rustls, ring, httparse and serde_json: one write and one "
        "read a call, no retries and no checks. It shows what is left to gain.", "",
        "Asynchronous calls run their callbacks on the library's thread, or are dispatched by the host, "
        "and libcurl's are made by its multi interface on one thread. The CPU time is that of the "
        "whole process.", "",
        library(programs.shared_objects["libzelf"]), "",
        f"{heap['calls']:,} calls on one client: {heap['heap'][0]:,} bytes of heap are in use after 1,000 "
        f"of them, {heap['heap'][1]:,} after the last; {heap['resident_kib'][0]:,} and "
        f"{heap['resident_kib'][1]:,} KiB are resident.", "",
        "libcurl reads the same bundle of authorities as a path.", "",
        *providers,
        f"Required and not reached: {'; '.join(missed(cells, 'required')) or 'nothing'}.",
        f"Wanted and not reached: {'; '.join(missed(cells, 'goal')) or 'nothing'}."]
    if unknown := not_measured(cells):
        lines.append(f"Not measured: {'; '.join(unknown)}.")
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "results.md").write_text("\n".join([*lines, ""]))
    (results / "results.svg").write_text(plot(cells))
    print("\n".join(lines))
