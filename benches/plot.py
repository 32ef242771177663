"""The ratios to libcurl as bars, and a series over time."""

from rows import ROWS

COLOURS = ["#1b6ca8", "#999999", "#444444", "#d98e04", "#7a9e3f"]
BAR, GAP, LEFT, WIDTH = 14, 18, 370, 420


def plot(cells):
    names = list(cells[ROWS[0].key])
    ratios = {row.title: [(index, found.ratio) for index, name in enumerate(names)
                          if (found := cells[row.key][name]) and found.ratio] for row in ROWS}
    ratios = {title: bars for title, bars in ratios.items() if bars}
    scale = WIDTH / min(max(ratio for bars in ratios.values() for _, ratio in bars), 2.5)
    parts, y = [], 46
    for index, name in enumerate(names):
        parts.append(f'<rect x="{20 + 160 * index}" y="12" width="12" height="12" fill="{COLOURS[index]}"/>'
                     f'<text x="{38 + 160 * index}" y="22">{name}</text>')
    for title, bars in ratios.items():
        parts.append(f'<text x="{LEFT - 8}" y="{y + BAR * len(bars) / 2 + 4}" text-anchor="end">{title}</text>')
        for index, ratio in bars:
            length = min(ratio * scale, WIDTH)
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[index]}"/>'
                         f'<text x="{LEFT + length + 4:.1f}" y="{y + BAR - 4}" font-size="10">{ratio:.2f}</text>')
            y += BAR
        y += GAP
    one = LEFT + scale
    parts.append(f'<line x1="{one:.1f}" x2="{one:.1f}" y1="40" y2="{y - GAP}" stroke="#444" stroke-dasharray="3 3"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{y}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")


def plot_series(title, points, limit=None):
    """Points are (second, number); a line joins them."""
    width, height, left, top = 900, 260, 60, 40
    last = max(second for second, _ in points) or 1
    highest = max([number for _, number in points] + [limit or 0]) or 1
    x = lambda second: left + second / last * width
    y = lambda number: top + height - number / highest * height
    path = "".join(f"{'L' if index else 'M'}{x(second):.1f} {y(number):.1f}"
                   for index, (second, number) in enumerate(points))
    parts = [f'<text x="{left}" y="22">{title}</text>',
             f'<path d="{path}" fill="none" stroke="{COLOURS[0]}" stroke-width="1"/>',
             f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#444"/>']
    for part in range(5):
        second, number = last * part / 4, highest * part / 4
        parts.append(f'<text x="{x(second):.0f}" y="{top + height + 18}" text-anchor="middle">{second:.0f} s</text>'
                     f'<text x="{left - 6}" y="{y(number) + 4:.0f}" text-anchor="end">{number:.0f}</text>')
    if limit:
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y(limit):.1f}" y2="{y(limit):.1f}" '
                     'stroke="#d98e04" stroke-dasharray="3 3"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 30}" height="{top + height + 34}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")
