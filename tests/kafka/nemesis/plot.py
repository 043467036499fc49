"""This module draws what was unseen over time, above the faults that struck meanwhile, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate

from tests.kafka import ledger

WIDTH, HEIGHT, LEFT, TOP, LANE = 1000, 260, 150, 40, 14

#: Seconds between two points of the line.
STEP_S = 0.5

Span = tuple[str, float, float]


def unseen_over_time(given: Sequence[int], first: Mapping[int, int], began_ms: int, seconds: float) -> list[int]:
    """Every half a second: how many events that leave a trace were given and had not ended."""
    points = int(seconds / STEP_S) + 1
    changes = [0] * (points + 1)

    def change(moment: int, by: int) -> None:
        changes[min(points, max(0, round((moment - began_ms) / 1000 / STEP_S)))] += by

    for number, moment in enumerate(given):
        if ledger.fate(number) != "filtered":
            change(moment, 1)
            if number in first:
                change(max(moment, first[number]), -1)
    return list(accumulate(changes))[:points]


def draw(line: Sequence[int], spans: Sequence[Span], title: str) -> str:
    """The SVG: the line, and below it a lane for each kind of fault."""
    seconds = max(STEP_S * (len(line) - 1), 1.0)
    most = max(*line, 1)
    kinds = list(dict.fromkeys(name for name, _, _ in sorted(spans, key=lambda span: span[1])))
    bottom = TOP + HEIGHT
    height = bottom + 40 + LANE * len(kinds) + 10

    def x(second: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 20) * min(second, seconds) / seconds, 1)

    def y(count: float) -> float:
        return round(bottom - HEIGHT * count / most, 1)

    points = " ".join(f"{x(index * STEP_S)},{y(count)}" for index, count in enumerate(line))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" ',
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>',
        f'<polygon points="{x(0)},{bottom} {points} {x(seconds)},{bottom}" fill="#cfe3f7" stroke="#2467a8"/>',
        *(_text(LEFT - 6, y(count) + 4, str(count), "end") for count in (0, most // 2, most)),
        _text(LEFT - 40, TOP + HEIGHT / 2, "events unseen", "end"),
        *(_text(x(seconds * part / 5), bottom + 16, f"{seconds * part / 5:.0f} s", "middle") for part in range(6)),
    ]
    for lane, kind in enumerate(kinds):
        top = bottom + 30 + LANE * lane
        parts.append(_text(LEFT - 6, top + 9, kind, "end"))
        for name, began, ended in spans:
            if name == kind:
                width = max(2.0, x(ended) - x(began))
                parts.append(f'<rect x="{x(began)}" y="{top}" width="{width:.1f}" height="10" fill="#c2554d"/>')
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
