"""The ratios to libcurl as bars."""

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
