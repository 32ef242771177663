"""The values of a run: of each column and row a ratio to libcurl and a value."""

import statistics
from dataclasses import dataclass

from rows import LIBCURL, ROWS


@dataclass(frozen=True)
class Cell:
    value: float
    ratio: float | None


def cell(row, counts, samples, name):
    if row.counted:
        values, base = [counts[name].get(row.key)], [counts[LIBCURL].get(row.key)]
    else:
        values, base = samples[name].get(row.key), samples[LIBCURL].get(row.key)
    if not values or values[0] is None:
        return None
    # Round by round: a machine's speed changes more from one round to the next than
    # from one library to another.
    known = base and base[0] is not None
    ratio = statistics.median(a / b for a, b in zip(values, base)) if known else None
    return Cell(statistics.median(values), ratio)


def summarise(counts, samples):
    """The cells by row, then by column."""
    return {row.key: {name: cell(row, counts, samples, name) for name in samples} for row in ROWS}


def compared(row, cell):
    """The number that the targets are for, as the table shows it; None if there is none."""
    if cell is None:
        return None
    number = cell.ratio if row.relative else cell.value
    return None if number is None else round(number, row.digits)


def missed(cells, target):
    """The titles of the rows in which libzelf is above its target."""
    return [row.title for row in ROWS
            if (limit := getattr(row, target)) is not None
            and (reached := compared(row, cells[row.key]["libzelf"])) is not None and reached > limit]


def not_measured(cells):
    return [row.title for row in ROWS if compared(row, cells[row.key]["libzelf"]) is None]
