"""config/grafana/flag-server.json is a dashboard that Grafana 10 takes, and asks only for what there is."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from alerting import ALERTS, families, metrics, recorded, rules
from server import REPOSITORY

DASHBOARD = REPOSITORY / "config" / "grafana" / "flag-server.json"

VARIABLES = {
    "${datasource}": "prometheus", "$job": "flag-server", "$instance": "127.0.0.1:3001", "$__rate_interval": "1m",
}
"""The dashboard's variables, and Grafana's own, with something to be put in their place."""


@pytest.fixture(scope="module")
def dashboard() -> dict:
    return json.loads(DASHBOARD.read_text())


def plain(text: str) -> str:
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


def expressions(dashboard: dict) -> list[str]:
    """Every query: of panels, of annotations, and what the variables are made of."""
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    queries += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            queries.append(re.fullmatch(r"label_values\((.*), \w+\)", variable["query"]["query"])[1])
    return queries


def test_it_has_what_grafana_asks_of_a_dashboard(dashboard):
    assert dashboard["uid"] == "flag-server" and dashboard["title"] == "flag-server"
    # Grafana 10.0 to 10.4 write 38 and 39, and bring whatever is older up to date.
    assert dashboard["schemaVersion"] in (38, 39)
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "job", "instance"]
    for panel in dashboard["panels"]:
        assert panel["title"] and panel["type"] in ("row", "stat", "timeseries"), panel
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
            references = [target["refId"] for target in panel["targets"]]
            assert references and len(references) == len(set(references)), panel["title"]


def test_no_two_panels_are_one_or_lie_on_each_other(dashboard):
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["w"] > 0 and place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_prometheus_understands_every_query(dashboard, tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian: prometheus) is not installed")
    queries = [plain(query) for query in expressions(dashboard)]
    assert len(queries) > 60 and not any("$" in query for query in queries)
    named = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": named}]}))
    checked = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(queries)} rules found" in checked.stdout


def test_every_metric_is_shown_or_recorded(dashboard, server):
    asked = "\n".join(expressions(dashboard))
    assert metrics(asked) - families(server) == set()
    assert set(re.findall(r"instance:\w+:\w+", asked)) - recorded() == set()


def test_only_the_servers_that_were_chosen_are_asked(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            selectors = re.findall(r"\{([^{}]*)\}", target["expr"])
            assert selectors and all('instance=~"$instance"' in selector for selector in selectors), target["expr"]


@pytest.mark.parametrize(("title", "warning", "critical", "alerts"), [
    ("Percentiles", 0.2, 0.5, ("FlagServerSlow", "FlagServerVerySlow")),
    ("Error rate", 0.01, 0.05, ("FlagServerErrors", "FlagServerManyErrors")),
    ("Availability", 0.995, 0.99, ("FlagServerAvailabilityLow", "FlagServerAvailabilityVeryLow")),
])
def test_the_lines_are_drawn_where_the_alerts_begin(dashboard, title, warning, critical, alerts):
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == title and panel["type"] == "timeseries")
    drawn = {step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]}
    begin = [float(re.search(r"[<>] ([\d.]+)$", rule["expr"])[1]) for rule in rules(ALERTS) if rule["alert"] in alerts]
    assert begin == [warning, critical]
    assert {warning, critical} <= drawn
