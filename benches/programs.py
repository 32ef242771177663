"""The programs that are measured: one for each library, so that none pays for
another's code."""

import pathlib, sys
from dataclasses import dataclass

from rows import LIBCURL
from shell import sh

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "benches"
OUT = ROOT / "target" / "bench"
LIBRARY = ROOT / "target" / "release" / "libzelf.so"
CC = ["cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@dataclass(frozen=True)
class Programs:
    blocking: dict  # by the name of the column
    shared_objects: dict  # by the name of the column; libcurl is the system's
    multi: pathlib.Path
    callback: pathlib.Path
    dispatch: pathlib.Path
    heap: pathlib.Path
    warm: pathlib.Path
    stall: pathlib.Path
    command: pathlib.Path
    starts: pathlib.Path
    gets: dict  # by the size of the body: libzelf's and libcurl's


def link(name, sources, *more):
    program = OUT / name
    sh(*CC, *(HERE / source for source in sources), *more, "-lpthread", "-o", program)
    return program


def target(size):
    return f'-DTARGET="/bodies/{size}"', f"-DSIZE={size}"


def build_baseline(feature):
    """One feature of baselines/. Each has a folder, or the next run would link it again."""
    folder = OUT / f"build_{feature}"
    sh("cargo", "build", "--locked", "--release", "--features", feature, "--target-dir", folder,
       cwd=HERE / "baselines")
    return folder / "release" / "libbaselines.so"


def build():
    if not LIBRARY.exists():
        sys.exit("make lib builds what is measured")
    OUT.mkdir(parents=True, exist_ok=True)
    zelf = [f"-I{ROOT}/include", f"-L{LIBRARY.parent}", "-lzelf", f"-Wl,-rpath,{LIBRARY.parent}"]
    curl = sh("pkg-config", "--cflags", "--libs", "libcurl", "libcjson").split()
    blocking = {
        "libzelf": link("zelf", ["harness.c", "zelf_client.c"], *zelf),
        LIBCURL: link("curl", ["harness.c", "curl_client.c", "curl_request.c"], *curl),
    }
    shared_objects = {"libzelf": LIBRARY}
    # The floor keeps one connection a client, so each thread has a client.
    for name, feature, shared in (("floor", "floor", 0), ("reqwest::blocking", "blocking", 1),
                                  ("ureq", "agent", 1)):
        built = shared_objects[name] = build_baseline(feature)
        blocking[name] = link(f"baseline_{feature}", ["harness.c", "rust_client.c"],
                              f'-DNAME="{name}"', f"-DSHARED={shared}", f"-L{built.parent}",
                              "-lbaselines", f"-Wl,-rpath,{built.parent}")
    asynchronous = ["async_harness.c", "zelf_async.c"]
    return Programs(
        blocking=blocking,
        shared_objects=shared_objects,
        multi=link("curl_async", ["async_harness.c", "curl_async.c", "curl_request.c"], *curl),
        callback=link("zelf_callback", asynchronous, "-DDISPATCH=0", *zelf),
        dispatch=link("zelf_dispatch", asynchronous, "-DDISPATCH=1", *zelf),
        heap=link("heap", ["heap.c"], *zelf),
        warm=link("warm", ["warm.c", "token_cache.c"], *zelf),
        stall=link("stall", ["stall.c"], *zelf),
        command=link("command", ["command.c"], *zelf),
        starts=link("starts", ["starts.c"]),
        gets={size: (link(f"zelf_get_{size}", ["harness.c", "zelf_get.c"], *target(size), *zelf),
                     link(f"curl_get_{size}", ["harness.c", "curl_get.c", "curl_request.c"],
                          *target(size), *curl))
              for size in (1_000, 100_000)})


def stripped(shared_object):
    out = OUT / "stripped.so"
    sh("strip", "-o", out, shared_object)
    return out
