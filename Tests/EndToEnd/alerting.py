"""The files for Prometheus and Grafana, and what names of metrics they may use."""

import re

import yaml

from server import REPOSITORY

FOLDER = REPOSITORY / "config" / "prometheus"
ALERTS = FOLDER / "alerts.yml"
RECORDING = FOLDER / "recording.yml"
RULE_TESTS = REPOSITORY / "Tests" / "EndToEnd" / "rules"


def rules(path=ALERTS) -> list[dict]:
    """Every rule of a file, in its order, with the name of its group as `group`."""
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule | {"group": group["name"]} for group in groups for rule in group["rules"]]


def alerts() -> list[str]:
    """The names of all alerts, in the order of the file."""
    return [rule["alert"] for rule in rules()]


def recorded() -> set[str]:
    """The names that the recording rules make."""
    return {rule["record"] for rule in rules(RECORDING)}


def metrics(text: str) -> set[str]:
    """The names of the server's metrics in a text: series of a histogram by the name of the histogram, no records."""
    names = re.findall(r"(?<![\w:])(?:flag_server|process)_\w+(?![\w:])", text)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def families(server) -> set[str]:
    """The names of the metrics that a server shows."""
    return set(re.findall(r"(?m)^# TYPE (\w+) ", server.expect(200, "GET", "/metrics").decode()))
