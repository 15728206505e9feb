#!/usr/bin/env python3
"""The time lines of two bring-ups: printed, and drawn as SVG, one under the other.

    timeline.py TITLE SVG JOURNAL SECONDS TIMES SECONDS

JOURNAL is kdiy's journal.jsonl, TIMES what tests/lab/by-hand wrote, each with
the seconds that the whole took.
"""

import json
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from html import escape

# What runs on the machine that everything is done from.
HERE = "here"
COLUMNS = 80

# The picture, in pixels.
WIDTH = 1200
LEFT = 80
RIGHT = 24
ROW = 20
BAR = 15
FONT = 11
# About the width of a letter of the font; too much rather than too little.
LETTER = 6.3


@dataclass
class Step:
    host: str
    title: str
    begin: float
    end: float


@dataclass
class Side:
    name: str
    colour: str
    seconds: float
    steps: list


def of_journal(path, seconds):
    """Steps of a journal; what kdiy did before the first of them, and after the last."""
    steps, open_steps = [], {}
    with open(path, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            event, at = line["event"], line["at"]
            if event == "run-started":
                steps.append(Step(HERE, "connect, look, plan", 0.0, at))
            elif event == "step-started":
                open_steps[line["step"]] = at
            elif event == "step-done":
                begin = open_steps.pop(line["step"])
                steps.append(Step(line["actor"], line["title"], begin, at))
            elif event == "step-failed":
                sys.exit(f"{path}: a step failed: {line}")
    if open_steps:
        sys.exit(f"{path}: steps did not end: {open_steps}")
    steps.append(Step(HERE, "fetch the kubeconfig, end", max(s.end for s in steps), seconds))
    return Side("kdiy apply", "#8ab8e6", seconds, steps)


def of_times(path, seconds):
    with open(path, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    steps = [Step(host, title, float(begin), float(end)) for host, title, begin, end in rows]
    return Side("by hand", "#e6c08a", seconds, steps)


def order(host):
    """Here first, then balancers, members of etcd, control planes, workers."""
    kind = re.sub(r"-?\d+$", "", host)
    kinds = [HERE, "lb", "etcd", "cp", "w"]
    number = re.search(r"\d+$", host)
    return (kinds.index(kind) if kind in kinds else len(kinds), kind, int(number[0]) if number else 0)


def table(side, scale):
    """One line a step: host, title, begin, end, and a bar on a common scale."""
    yield f"{side.name}: {side.seconds:.1f} s"
    room = COLUMNS - 58
    for step in sorted(side.steps, key=lambda step: (step.begin, order(step.host))):
        title = step.title if len(step.title) <= 33 else step.title[:32] + "\u2026"
        begin, end = (round(moment / scale * room) for moment in (step.begin, step.end))
        bar = " " * min(begin, room - 1) + "=" * max(1, end - begin)
        yield f"  {step.host:<7}{title:<34}{step.begin:6.1f}{step.end:7.1f}  {bar}"


def rows_of(steps, x):
    """Steps of one host in rows, so that neither bars nor titles overlap."""
    rows = []
    for step in sorted(steps, key=lambda step: (step.begin, step.end)):
        begin = x(step.begin)
        end = max(x(step.end), begin + 8 + LETTER * len(step.title))
        # A title that would leave the picture is written to the left of its end.
        over = max(0.0, end - (WIDTH - 2))
        begin, end = begin - over, end - over
        for row in rows:
            if all(end <= other_begin or begin >= other_end for other_begin, other_end, *_ in row):
                row.append((begin, end, step, over))
                break
        else:
            rows.append([(begin, end, step, over)])
    return rows


def panel(side, top, x, scale, tick):
    """The parts of one side, and where it ends."""
    parts = []
    hosts = sorted({step.host for step in side.steps}, key=order)
    y = top + 40
    lanes = []
    for host in hosts:
        rows = rows_of([step for step in side.steps if step.host == host], x)
        lanes.append((host, y, rows))
        y += ROW * len(rows) + 5
    bottom = y
    moment = 0
    while moment <= scale:
        place = x(moment)
        parts.append(f'<line x1="{place:.1f}" y1="{top + 36}" x2="{place:.1f}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{place:.1f}" y="{top + 31}" text-anchor="middle" fill="#666">{moment} s</text>'
        )
        moment += tick
    for place, (host, lane_top, rows) in enumerate(lanes):
        height = ROW * len(rows) + 5
        if place % 2 == 0:
            parts.insert(
                0,
                f'<rect x="0" y="{lane_top - 2}" width="{WIDTH}" height="{height}" fill="#f4f4f4"/>',
            )
        parts.append(
            f'<text x="{LEFT - 10}" y="{lane_top + 12}" text-anchor="end" font-weight="bold">{escape(host)}</text>'
        )
        for number, row in enumerate(rows):
            bar_top = lane_top + ROW * number
            for _, _, step, over in row:
                begin, width = x(step.begin), max(1.5, x(step.end) - x(step.begin))
                told = f"{step.host}: {step.title}, {step.begin:.1f} s to {step.end:.1f} s"
                parts.append(
                    f'<rect x="{begin:.1f}" y="{bar_top}" width="{width:.1f}" height="{BAR}" rx="2" '
                    f'fill="{side.colour}"><title>{escape(told)}</title></rect>'
                )
                parts.append(
                    f'<text x="{begin + 4 - over:.1f}" y="{bar_top + 11.5}">{escape(step.title)}</text>'
                )
    end = x(side.seconds)
    parts.append(
        f'<line x1="{end:.1f}" y1="{top + 36}" x2="{end:.1f}" y2="{bottom}" stroke="#333" '
        f'stroke-dasharray="3 3"/>'
    )
    parts.append(
        f'<text x="8" y="{top + 12}" font-size="14" font-weight="bold">{side.name}: {side.seconds:.1f} s</text>'
    )
    return parts, bottom


def drawing(title, sides):
    scale = max(side.seconds for side in sides)
    tick = next(tick for tick in (1, 2, 5, 10, 20, 30, 60, 120, 300) if scale / tick <= 16)

    def x(moment):
        return LEFT + moment / scale * (WIDTH - LEFT - RIGHT)

    parts, y = [], 44
    for side in sides:
        more, y = panel(side, y, x, scale, tick)
        parts += more
        y += 24
    head = f'<text x="8" y="26" font-size="17" font-weight="bold">{escape(title)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="{FONT}">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n{head}\n' + "\n".join(parts) + "\n</svg>\n"
    )


def main(title, svg, journal, kdiy_seconds, times, hand_seconds):
    sides = [of_journal(journal, float(kdiy_seconds)), of_times(times, float(hand_seconds))]
    scale = max(side.seconds for side in sides)
    for side in sides:
        print("\n".join(table(side, scale)))
    with open(svg, "w", encoding="utf-8") as out:
        out.write(drawing(title, sides))


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    main(*sys.argv[1:])
