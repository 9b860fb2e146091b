"""config/alerts.yml and docs/troubleshooting.md speak of what the server really shows and says."""

import re
import shutil
import subprocess

import pytest

from server import REPOSITORY

ALERTS = REPOSITORY / "config" / "alerts.yml"
PAGE = REPOSITORY / "docs" / "troubleshooting.md"


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


def metrics(text: str) -> set[str]:
    return set(re.findall(r"\bflag_server_\w+\b", text))


def test_every_metric_of_the_rules_and_the_page_is_shown(server):
    shown = server.expect(200, "GET", "/metrics").decode()
    families = set(re.findall(r"(?m)^# TYPE (\w+) ", shown))
    asked = metrics(ALERTS.read_text()) | metrics(PAGE.read_text())
    assert len(asked) >= 12
    assert asked - families == set()
    # A label that is asked for has to be there, with this value.
    for name, labels in re.findall(r"(flag_server_\w+)\{(\w+=\"\w+\")\}", ALERTS.read_text()):
        assert re.search(rf"(?m)^{name}\{{[^}}]*{labels}", shown), f"{name} has no {labels}"


def test_every_alert_has_its_section_and_every_section_its_alert():
    assert re.findall(r"(?m)^## (\w+)$", PAGE.read_text()) == alerts()


def test_the_lines_that_the_page_quotes_are_those_of_the_log():
    quoted = re.findall(r'log\s"([^"]+)"', PAGE.read_text())
    assert len(quoted) >= 6
    sources = " ".join(path.read_text() for path in (REPOSITORY / "Sources" / "FlagServer").rglob("*.swift"))
    # Long texts are written in several pieces.
    sources = re.sub(r'"\s*\+\s*"', "", sources)
    missing = [line for line in quoted if " ".join(line.split()) not in sources]
    assert missing == []


def test_prometheus_takes_the_rules():
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian: prometheus) is not installed")
    checked = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(alerts())} rules found" in checked.stdout
