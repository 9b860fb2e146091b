"""What docs/sizing.md says of sizes holds: a short form of ./scripts/measure-sizes."""

import re

from server import REPOSITORY
from sizes import measure

PAGE = REPOSITORY / "docs" / "sizing.md"


def test_the_sizes_are_those_of_the_page(tmp_path):
    measured = {what: float(number.replace(",", "")) for what, number, _ in measure(1500, 300, tmp_path)}
    told = {what.strip(): float(number.replace(",", ""))
            for what, number in re.findall(r"(?m)^\| ([^|]+) \| ([\d,.]+) (?:bytes|rows) \|$", PAGE.read_text())}
    assert set(measured) == set(told)
    for what, number in measured.items():
        # Small numbers of things fill pages less evenly.
        assert number < told[what] * 1.5 + 40, what
