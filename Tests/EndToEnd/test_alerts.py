"""The rules in config/prometheus and docs/troubleshooting.md speak of what the server really shows and says, and every
alert has a test."""

import re
import shutil
import subprocess

import pytest
import yaml

import page
from alerting import ALERTS, FOLDER, RECORDING, RULE_TESTS, alerts, families, metrics
from alerting import recorded, rules
from server import REPOSITORY

PAGE = REPOSITORY / "docs" / "troubleshooting.md"
OPERATIONS = REPOSITORY / "docs" / "operations.md"

NOTIFIED = {"notification", "slack", "capacity"}
"""What a label "notify" may name."""


@pytest.fixture
def promtool():
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian: prometheus) is not installed")
    return lambda *arguments, **options: subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def expressions() -> str:
    return "\n".join(rule["expr"] for path in (ALERTS, RECORDING) for rule in rules(path))


def test_every_metric_of_the_rules_and_the_page_is_shown(server):
    shown = families(server)
    asked = metrics(expressions()) | metrics(PAGE.read_text())
    assert len(asked) >= 12
    assert asked - shown == set()


def test_every_label_that_the_rules_ask_for_is_shown(server):
    shown = server.expect(200, "GET", "/metrics").decode()
    for name, labels in re.findall(r"(flag_server_\w+)\{(\w+=\"\w+\")\}", expressions()):
        # Statuses are only there once they have been, and the job comes from Prometheus.
        if labels in ('status="429"', 'outcome="throttled"', 'job="flag-server"'):
            continue
        assert re.search(rf"(?m)^{name}\{{[^}}]*{labels}", shown), f"{name} has no {labels}"
    for label, values in re.findall(r"\b(route|result)[!=]~\"([\w|-]+)\"", expressions()):
        for value in values.split("|"):
            known = shown + sources_of_labels()
            assert f'{label}="{value}"' in known or f'"{value}"' in known, f"there is no {label} {value}"


def sources_of_labels() -> str:
    """The sources in which values of labels stand: counters that nobody has raised are not shown."""
    folders = [REPOSITORY / "Sources" / name for name in ("Administration", "Evaluation", "FlagServer", "HTTPRouting")]
    return "".join(path.read_text() for folder in folders for path in folder.rglob("*.swift"))


def test_what_the_rules_take_from_each_other_is_recorded():
    assert set(re.findall(r"instance:\w+:\w+", expressions())) - recorded() == set()
    names = [rule["record"] for rule in rules(RECORDING)]
    assert len(names) == len(set(names))


def test_every_alert_says_how_bad_it_is_and_who_is_told():
    for rule in rules():
        labels = rule["labels"]
        assert labels["severity"] in ("page", "ticket"), rule["alert"]
        assert set(labels) <= {"severity", "notify"}, rule["alert"]
        assert set(labels.get("notify", "notification").split(",")) <= NOTIFIED, rule["alert"]
        assert "{{ $labels.instance }}" in rule["annotations"]["summary"], rule["alert"]
    assert len(alerts()) == len(set(alerts()))


@pytest.mark.parametrize(("alert", "condition", "time", "notified"), [
    ("FlagServerVerySlow", "instance:flag_server_request_duration_seconds:p99_rate1m > 0.5", "2m", "notification"),
    ("FlagServerThrottles", "instance:flag_server_throttled:rate1m > 0", "1m", "notification,capacity"),
    ("FlagServerErrors", "instance:flag_server_errors:ratio_rate1m > 0.01", "3m", "notification,slack"),
])
def test_what_the_operations_guide_asks_for_word_by_word(alert, condition, time, notified):
    rule = next(rule for rule in rules() if rule["alert"] == alert)
    assert (rule["expr"], rule["for"], rule["labels"]["notify"]) == (condition, time, notified)


def test_every_alert_has_its_section_and_every_section_its_alert():
    assert re.findall(r"(?m)^## (FlagServer\w+)$", PAGE.read_text()) == alerts()


def test_every_target_of_the_guide_names_its_alerts():
    section = OPERATIONS.read_text().partition("\n## Targets\n")[2].partition("\n## ")[0]
    grouped = {rule["alert"] for rule in rules() if rule["group"] in ("flag-server-targets", "flag-server-budget")}
    assert grouped - set(re.findall(r"\bFlagServer\w+", section)) == set()


def test_the_lines_that_the_page_quotes_are_those_of_the_log():
    quoted = re.findall(r'log\s"([^"]+)"', PAGE.read_text())
    assert len(quoted) >= 6
    sources = " ".join(path.read_text() for path in (REPOSITORY / "Sources" / "FlagServer").rglob("*.swift"))
    # Long texts are written in several pieces.
    sources = re.sub(r'"\s*\+\s*"', "", sources)
    missing = [line for line in quoted if " ".join(line.split()) not in sources]
    assert missing == []


def test_prometheus_takes_the_rules(promtool):
    checked = promtool("check", "rules", ALERTS, RECORDING)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(alerts())} rules found" in checked.stdout


def test_prometheus_takes_the_rule_of_the_page_and_its_alert_goes_to_the_server_and_to_people(promtool, tmp_path):
    [example] = page.examples((REPOSITORY / "docs" / "monitoring.md").read_text(), "yaml")
    (tmp_path / "own.yml").write_text(example.command)
    checked = promtool("check", "rules", tmp_path / "own.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    [rule] = rules(tmp_path / "own.yml")
    assert set(rule["labels"]) == {"severity", "flag", "environment", "action"}
    assert routed(rule["labels"]) == "safeguard,notification"


def test_every_alert_is_seen_to_fire_and_not_to_fire():
    fires, rests = set(), set()
    for path in RULE_TESTS.glob("*.yml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                (fires if case.get("exp_alerts") else rests).add(case["alertname"])
    assert fires == set(alerts())
    assert rests == set(alerts())


@pytest.mark.parametrize("path", sorted(RULE_TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_do_what_is_said_of_them(promtool, path):
    tested = promtool("test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_prometheus_finds_nothing_to_object_to_in_the_metrics(promtool, server):
    server.create_flag("asked", defaultEnabled=True)
    server.evaluate("asked", {"targetingKey": "ada"})
    checked = promtool("check", "metrics", input=server.expect(200, "GET", "/metrics").decode())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_prometheus_and_alertmanager_take_their_configurations(promtool, tmp_path):
    for path in FOLDER.glob("*.yml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "flag-server.key").write_text("a key")
    checked = promtool("check", "config", tmp_path / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    if not shutil.which("amtool"):
        pytest.skip("amtool (Debian: prometheus-alertmanager) is not installed")
    checked = subprocess.run(
        ["amtool", "check-config", tmp_path / "alertmanager.yml"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(("labels", "receivers"), [
    ({"severity": "page"}, "notification"),
    ({"severity": "ticket"}, "tickets"),
    ({"severity": "page", "notify": "notification"}, "notification"),
    ({"severity": "ticket", "notify": "notification,capacity"}, "capacity,notification"),
    ({"severity": "page", "notify": "notification,slack"}, "slack,notification"),
    ({"severity": "ticket", "notify": "capacity"}, "capacity,tickets"),
    ({"severity": "page", "action": "kill"}, "safeguard,notification"),
    ({"severity": "ticket", "action": "pause"}, "safeguard,tickets"),
    ({"action": "kill"}, "safeguard,tickets"),
])
def test_the_label_and_the_severity_say_who_is_told(labels, receivers):
    assert routed(labels) == receivers


def routed(labels: dict[str, str]) -> str:
    """The receivers of an alert."""
    if not shutil.which("amtool"):
        pytest.skip("amtool (Debian: prometheus-alertmanager) is not installed")
    told = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={FOLDER / 'alertmanager.yml'}",
         *(f'{name}={value}' for name, value in labels.items())], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()
