"""The requests of a fleet of providers around an outage, in virtual time, as a plot."""

import csv

from plot import plot_series
from programs import HERE, ROOT
from shell import sh


def draw():
    """The example prints "second,requests" lines; without it nothing is drawn."""
    if not (ROOT / "core" / "examples" / "fleet.rs").exists():
        return
    text = sh("cargo", "run", "--locked", "--release", "-p", "zelf-core", "--example", "fleet", cwd=ROOT)
    write(text.splitlines())


def write(lines):
    points = []
    for row in csv.reader(lines):
        try:
            points.append((float(row[0]), float(row[1])))
        except (ValueError, IndexError):
            pass  # a title or a comment
    (HERE / "results").mkdir(exist_ok=True)
    title = "Requests of 10,000 providers behind one server, which is away for two minutes"
    (HERE / "results" / "fleet.svg").write_text(plot_series(title, points))
