"""Running other programs."""

import shutil, subprocess, sys


def sh(*command, **options):
    """What a command prints."""
    return subprocess.run([str(part) for part in command], check=True, text=True,
                          capture_output=True, **options).stdout


def need(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        sys.exit("skipped: the benchmark needs " + ", ".join(missing))
