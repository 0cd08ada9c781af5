"""What was measured, as lines of a table."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime


def spread(seconds: Sequence[float]) -> str:
    """Median and 95th percentile in milliseconds.

    >>> spread([0.001] * 99 + [1.0])
    '1.0 / 1.0 ms'
    """
    return f"{median_ms(seconds):.1f} / {percentile_ms(seconds, 95):.1f} ms"


def median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1e3


def percentile_ms(seconds: Sequence[float], percent: int) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1e3


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown has it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """Where and when, and what else the machine had to do."""
    with open("/proc/cpuinfo", encoding="utf-8") as facts:
        model = next((line.split(":")[1].strip() for line in facts if line.startswith("model name")), "?")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores of {model}, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}; load {load}"
    )
