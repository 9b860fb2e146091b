"""Alerts take flags away and have rollouts stay where they are: what the server makes of each, who may send them, and
the way there from the real Alertmanager with its configuration as it is shipped."""

import datetime
import json
import threading
import time

import pytest

from monitoring import FACTOR, Monitoring, is_missing
from server import FlagServer, quote
from test_keys import bearing, make, selector

HOOK = "/api/hooks/alertmanager"

PROMISED = 5
"""Seconds from the alert in Alertmanager to the flag that is off for who asks."""

SUMMARY = "7 % of the requests fail"
REASON = f"CheckoutErrors: {SUMMARY}"


def instant(**offset) -> str:
    """A time so far from now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**offset)).isoformat()


def alert(status="firing", **labels) -> dict:
    """An alert as Alertmanager sends it; a label that is None is left out."""
    named = {"alertname": "CheckoutErrors", "environment": "development"} | labels
    return {"status": status, "labels": {name: text for name, text in named.items() if text is not None},
            "annotations": {"summary": SUMMARY}, "startsAt": instant(), "fingerprint": "0123456789abcdef"}


class Guarded:
    """A server that asks everybody for a key, with one for each who comes up here."""

    def __init__(self, server: FlagServer):
        self.server = server
        self.admin, self.operator = (make(server, "admin", "--role", role) for role in ("admin", "operator"))
        self.client = make(server, "server", "--environment", "development")

    def ask(self, method, path, body=None, key=None, expected=200):
        return self.server.expect(expected, method, path, body, bearing(key or self.admin))

    def create(self, key: str, **members):
        flag = {"flagKey": key, "description": "d", "owner": "tests", "defaultEnabled": True} | members
        self.ask("POST", "/api/flags", flag, expected=201)

    def tell(self, *alerts, key=None):
        """Sends alerts: the status, and of each what became of it."""
        status, _, answer = self.server.request("POST", HOOK, {"alerts": alerts}, bearing(key or self.operator))
        return status, answer.get("alerts")

    def flag(self, key: str) -> dict:
        return self.ask("GET", f"/api/flags/{quote(key)}")

    def is_on(self, key: str) -> bool:
        """What a client over OFREP sees."""
        path = f"/ofrep/v1/evaluate/flags/{quote(key)}"
        return self.ask("POST", path, {"context": {"targetingKey": "ada"}}, self.client)["value"]


UNTHROTTLED = {"FLAG_SERVER_THROTTLE_ADMINISTRATION": "off"}


@pytest.fixture
def guarded(start_server) -> Guarded:
    """A server of the test's own with a flag that is on."""
    guarded = Guarded(start_server("--auth", "on", env=UNTHROTTLED))
    guarded.create("checkout")
    return guarded


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Guarded:
    """The same for all tests of the module that leave this flag as it is."""
    with FlagServer(tmp_path_factory.mktemp("shared") / "data", "--auth", "on", env=UNTHROTTLED) as server:
        shared = Guarded(server.start())
        shared.create("checkout")
        yield shared


# What becomes of an alert


def test_an_alert_takes_the_flag_away_once_and_everybody_can_read_why(guarded):
    assert guarded.is_on("checkout") is True
    status, [result] = guarded.tell(alert(flag="checkout", action="kill"))
    assert status == 200 and result == {
        "alert": "CheckoutErrors", "action": "kill", "flag": "checkout", "environment": "development", "result": "done"}
    assert guarded.is_on("checkout") is False
    switch = guarded.flag("checkout")["killSwitch"]
    assert (switch["reason"], switch["activatedBy"]) == (REASON, "alertmanager")
    status, [again] = guarded.tell(alert(flag="checkout", action="kill"))
    assert (status, again["result"]) == (200, "already") and REASON in again["detail"]
    by = f"key {selector(guarded.operator)}"
    newest, *older = guarded.ask("GET", "/api/flags/checkout/history")["history"]
    assert (newest["change"], newest["reason"], newest["by"]) == ("killed", REASON, by)
    assert [entry["change"] for entry in older] == ["created"]
    record = guarded.ask("GET", "/api/audit?flag=checkout")["records"][0]
    assert (record["action"], record["reason"]) == ("kill-switch.activate", REASON)
    assert record["principal"]["id"] == selector(guarded.operator)


def test_an_alert_that_has_ended_brings_nothing_back(guarded):
    guarded.tell(alert(flag="checkout", action="kill"))
    status, [result] = guarded.tell(alert("resolved", flag="checkout", action="kill"))
    assert (status, result["result"]) == (200, "nothing") and "ended" in result["detail"]
    assert guarded.is_on("checkout") is False
    body = {"flagKey": "checkout", "deactivatedBy": "ada"}
    guarded.ask("POST", "/api/emergency/kill-switch/deactivate", body, expected=204)
    assert guarded.is_on("checkout") is True


@pytest.mark.parametrize("told, status, result, words", [
    (alert(flag="checkout"), 200, "nothing", "no label action"),
    (alert("resolved", flag="checkout", action="explode"), 200, "nothing", "ended"),
    (alert(flag="checkout", action="explode"), 422, "refused", "must be pause or kill, not explode"),
    (alert(flag="checkout", action="KILL"), 422, "refused", "must be pause or kill"),
    (alert(flag="checkout", action=""), 422, "refused", "must be pause or kill"),
    (alert(flag="nobody", action="kill"), 422, "refused", "there is no flag nobody in development"),
    (alert(flag="nobody", action="pause"), 422, "refused", "there is no flag nobody in development"),
    (alert(flag="*", action="kill"), 422, "refused", "there is no flag *"),
    (alert(flag="", action="kill"), 422, "refused", "label flag"),
    (alert(flag="a" * 10_000, action="kill"), 422, "refused", "label flag"),
    (alert(flag="a\nb\0", action="kill"), 422, "refused", "label flag"),
    (alert(action="kill"), 422, "refused", "label flag"),
    (alert(flag="checkout", action="kill", environment="moon"), 422, "refused", "one of development, staging"),
    (alert(flag="checkout", action="kill", environment=None), 422, "refused", "one of development, staging"),
    (alert(flag="checkout", action="kill", environment="production"), 422, "refused", "no flag checkout in production"),
    (alert(flag="checkout", action="pause"), 422, "refused", "no rollout"),
])
def test_what_cannot_be_done_is_refused_with_a_reason_and_changes_nothing(shared, told, status, result, words):
    before = shared.flag("checkout")
    got, [answered] = shared.tell(told)
    assert (got, answered["result"]) == (status, result) and words in answered["detail"], answered
    assert shared.flag("checkout") == before and shared.is_on("checkout") is True


def test_of_many_alerts_each_is_answered_and_the_good_ones_are_done(guarded):
    guarded.create("search")
    kill = alert(flag="checkout", action="kill")
    status, results = guarded.tell(
        kill, alert(flag="nobody", action="kill"), kill, alert(flag="search", action="kill"), alert("resolved"))
    assert status == 422
    assert [result["result"] for result in results] == ["done", "refused", "already", "done", "nothing"]
    assert not guarded.is_on("checkout") and not guarded.is_on("search")


def test_where_everything_is_switched_off_the_flag_stays_off_when_that_ends(guarded):
    everything = {"all": True, "reason": "down", "activatedBy": "ada"}
    guarded.ask("POST", "/api/emergency/kill-switch", everything)
    _, [result] = guarded.tell(alert(flag="checkout", action="kill"))
    assert result["result"] == "done"
    guarded.ask("POST", "/api/emergency/kill-switch/deactivate", {"all": True, "deactivatedBy": "ada"},
                expected=204)
    assert guarded.is_on("checkout") is False


@pytest.mark.parametrize("key", ["Neu Ä-ö", "a/b?c=d", "über·100%", "'; DROP TABLE flags", "{{ .Labels }}", "🦊"])
def test_a_flag_may_be_called_as_it_likes(shared, key):
    status, _, _ = shared.server.request(
        "POST", "/api/flags", {"flagKey": key, "description": "d", "owner": "o", "defaultEnabled": True},
        bearing(shared.admin))
    got, [result] = shared.tell(alert(flag=key, action="kill"))
    # A key that no flag may have is nobody's.
    assert (got, result["result"]) == ((200, "done") if status == 201 else (422, "refused")), result
    assert status != 201 or shared.is_on(key) is False


# Rollouts


def test_a_rollout_that_is_half_way_stays_at_what_it_was_for_whom_it_was_meant(shared):
    begin, end = datetime.timedelta(hours=-1), datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    shared.create("grows", rollout={
        "startPercentage": 20, "percentage": 80, "startAt": (now + begin).isoformat(), "endAt": (now + end).isoformat(),
        "regions": ["eu"]})
    status, [result] = shared.tell(alert(flag="grows", action="pause"))
    assert (status, result["result"]) == (200, "done")
    rollout = shared.flag("grows")["rollout"]
    # 60 % in two hours: a hundredth of a percent in 1.2 s.
    assert rollout == {"percentage": pytest.approx(50, abs=0.2), "regions": ["eu"]} and rollout["percentage"] >= 50
    _, [again] = shared.tell(alert(flag="grows", action="pause"))
    assert again["result"] == "already" and str(float(rollout["percentage"])) in again["detail"]
    assert shared.flag("grows")["version"] == 2
    newest = shared.ask("GET", "/api/flags/grows/history")["history"][0]
    assert (newest["change"], newest["reason"]) == ("changed", REASON)
    record = shared.ask("GET", "/api/audit?flag=grows")["records"][0]
    assert (record["action"], record["reason"]) == ("flag.update", REASON)


def test_of_a_rollout_that_is_quick_nobody_comes_in_after_the_alert(shared):
    shared.create("quick", rollout={
        "startPercentage": 0, "percentage": 100, "startAt": instant(seconds=-1), "endAt": instant(seconds=3)})
    assert shared.tell(alert(flag="quick", action="pause"))[1][0]["result"] == "done"

    def count() -> int:
        connection = shared.server.connect()
        answers = []
        for number in range(200):
            body = json.dumps({"context": {"targetingKey": f"user-{number}"}})
            fields = {"Content-Type": "application/json"} | bearing(shared.client)
            connection.request("POST", "/ofrep/v1/evaluate/flags/quick", body, fields)
            answers.append(json.loads(connection.getresponse().read())["value"])
        return sum(answers)

    paused, deadline = count(), time.monotonic() + 4
    assert 0 < paused < 200
    while time.monotonic() < deadline:
        assert count() == paused


@pytest.mark.parametrize("name, rollout", [
    ("ever", {"percentage": 70}),
    ("ended", {"percentage": 70, "startPercentage": 0, "startAt": instant(hours=-2), "endAt": instant(hours=-1)}),
    ("begun", {"percentage": 70, "startAt": instant(hours=-2)}),
])
def test_a_rollout_that_stands_has_nothing_to_pause(shared, name, rollout):
    flag = f"stands-{name}"
    shared.create(flag, rollout=rollout)
    status, [result] = shared.tell(alert(flag=flag, action="pause"))
    assert (status, result["result"]) == (200, "already") and "70" in result["detail"]
    assert shared.flag(flag)["version"] == 1


def test_a_rollout_that_has_not_begun_does_not_begin(shared):
    shared.create("later", rollout={"percentage": 70, "startPercentage": 5, "startAt": instant(seconds=2)})
    assert shared.tell(alert(flag="later", action="pause"))[1][0]["result"] == "done"
    assert shared.flag("later")["rollout"] == {"percentage": 5}


# Who may


@pytest.fixture(scope="module")
def waiting(shared) -> str:
    """A flag whose rollout could be paused, and is not."""
    shared.create("waiting", rollout={"percentage": 80, "startAt": instant(hours=1)})
    return "waiting"


@pytest.mark.parametrize("who", [
    ("admin", "--role", "viewer"), ("admin", "--role", "editor"), ("server",), ("client",),
], ids=lambda who: who[-1])
def test_who_may_set_no_kill_switch_sends_no_alerts(shared, waiting, who):
    told = [alert(flag="checkout", action="kill"), alert(flag=waiting, action="pause")]
    assert shared.tell(*told, key=make(shared.server, *who))[0] == 403
    assert shared.is_on("checkout") and shared.flag(waiting)["version"] == 1


def test_nobody_in_particular_sends_no_alerts(shared):
    assert shared.server.request("POST", HOOK, {"alerts": [alert(flag="checkout", action="kill")]})[0] == 401


@pytest.mark.parametrize("options", [
    ("--environment", "production"), ("--environment", "*", "--tenant", "acme"),
])
def test_an_operator_of_somewhere_else_is_refused(shared, waiting, options):
    key = make(shared.server, "admin", "--role", "operator", *options)
    for told in (alert(flag="checkout", action="kill"), alert(flag=waiting, action="pause")):
        status, results = shared.tell(told, key=key)
        assert status == 403 or (status == 422 and results[0]["result"] == "refused"), results
    assert shared.is_on("checkout") and shared.flag(waiting)["version"] == 1


# What holds other changes up


def test_no_freeze_and_no_approval_holds_an_alert_up(start_server):
    approvals = {"FLAG_SERVER_APPROVALS_STAGING": "1"}
    server = start_server("--auth", "on", environment="dev", env=UNTHROTTLED | approvals)
    guarded = Guarded(server)
    at_once = bearing(guarded.admin) | {"X-Change-Emergency": "true", "X-Change-Reason": "tests"}
    flag = {"description": "d", "owner": "tests", "defaultEnabled": True}
    server.expect(201, "POST", "/api/flags", flag | {"flagKey": "checkout"}, at_once)
    server.expect(201, "POST", "/api/flags", flag | {
        "flagKey": "grows", "rollout": {"percentage": 80, "startAt": instant(hours=1)}}, at_once)
    guarded.ask("POST", "/api/freezes", {"environment": "staging", "to": instant(days=1), "reason": "audit"},
                expected=201)
    # A change of somebody's is held up, so that it is the alert which is let through.
    editor = make(server, "admin", "--role", "editor")
    held, _, _ = server.request("PATCH", "/api/flags/grows", {"description": "e"}, bearing(editor))
    assert held == 409
    status, results = guarded.tell(alert(flag="checkout", action="kill", environment="staging"),
                                   alert(flag="grows", action="pause", environment="staging"))
    assert (status, [result["result"] for result in results]) == (200, ["done", "done"])
    assert "killSwitch" in guarded.flag("checkout") and guarded.flag("grows")["rollout"] == {"percentage": 0}
    assert guarded.ask("GET", "/api/proposals?state=open")["proposals"] == []


def test_no_throttle_holds_an_alert_up(start_server):
    guarded = Guarded(start_server("--auth", "on", env={"FLAG_SERVER_THROTTLE_ADMINISTRATION": "5/min"}))
    guarded.create("checkout")
    assert {guarded.tell(alert(flag="checkout", action="kill"))[0] for _ in range(30)} == {200}


def test_a_pause_is_made_although_somebody_changes_the_flag_at_that_moment(shared):
    shared.create("busy")
    results = []
    for number in range(20):
        shared.ask("PATCH", "/api/flags/busy", {"rollout": {"percentage": 80, "startAt": instant(hours=1)}})
        change = threading.Thread(
            target=shared.ask, args=("PATCH", "/api/flags/busy", {"description": f"number {number}"}))
        change.start()
        results += shared.tell(alert(flag="busy", action="pause"))[1]
        change.join()
    assert [result["detail"] for result in results if result["result"] != "done"] == []
    assert shared.flag("busy")["rollout"] == {"percentage": 0}


# Bodies that are none


@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"{", 400), (b"null", 400), (b"[]", 400), (b"7", 400), (b'"alerts"', 400), (b"{}", 400),
    (b"\xff\xfe", 400), (b'{"alerts":null}', 400), (b'{"alerts":{}}', 400), (b'{"alerts":"all"}', 400),
    (b'{"alerts":[],"alerts":[]}', 400), (b'{"alerts":' + b"[" * 100_000, 400),
    (b'{"alerts":[' + b"{}," * 100 + b"{}]}", 400), (b'{"alerts":[' + b"{}," * 99 + b"{}]}", 200),
    (b'{"alerts":[]}', 200), (b'{"alerts":[1,null,true,"a",[],{}]}', 400),
    (b'{"alerts":[{"labels":7}]}', 400), (b'{"alerts":[{"labels":["action"]}]}', 400),
    (b'{"alerts":[{"status":1,"labels":{"alertname":1,"action":1,"flag":{},"environment":[]}}]}', 400),
    (b'{"alerts":[{"labels":{"action":"kill","flag":1,"environment":"local"},"annotations":[]}]}', 400),
    (b'{"alerts":[{"labels":{"action":"kill","flag":"\\ud800","environment":"local"}}]}', 400),
])
def test_an_odd_body_is_refused_or_means_nothing(shared, body, status):
    got, _, answer = shared.server.request("POST", HOOK, body, bearing(shared.operator))
    assert got == status, answer
    assert shared.is_on("checkout") is True


@pytest.mark.parametrize("number, name, annotations, reason", [
    (1, "Slow", {"summary": "a\r\nb\0c\x1b[31m"}, "Slow: a  b c [31m"),
    (2, "Slow", {"description": "is slow"}, "Slow: is slow"),
    (3, "Slow", {}, "Slow"),
    (4, "", {"summary": "is\u2028slow\u202e"}, "an alert: is slow "),
    (5, None, {"summary": "is slow"}, "an alert: is slow"),
])
def test_the_reason_is_one_line(shared, number, name, annotations, reason):
    flag = f"one-line-{number}"
    shared.create(flag)
    told = alert(alertname=name, flag=flag, action="kill") | {"annotations": annotations}
    assert shared.tell(told)[1][0]["result"] == "done"
    assert shared.flag(flag)["killSwitch"]["reason"] == reason


def test_however_much_an_alert_says_the_flag_is_taken_away(guarded):
    told = alert(flag="checkout", action="kill") | {"annotations": {"summary": "é" * 100_000}}
    assert guarded.tell(told)[1][0]["result"] == "done"
    assert guarded.flag("checkout")["killSwitch"]["reason"].startswith("CheckoutErrors: éé")


def test_thousands_of_alerts_are_taken_and_hold_up_nobody_else(guarded):
    told = [alert(flag="checkout", action="kill")] * 100
    statuses = set()
    threads = [threading.Thread(target=lambda: statuses.add(guarded.tell(*told)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        begun = time.monotonic()
        guarded.is_on("checkout")
        slowest = max(slowest, time.monotonic() - begun)
    assert statuses == {200} and slowest < 2
    switches = [entry for entry in guarded.ask("GET", "/api/flags/checkout/history")["history"]
                if entry["change"] == "killed"]
    assert len(switches) == 1, "of those who came at once, one set it"


# From Alertmanager


@pytest.fixture
def alertmanager(guarded, tmp_path):
    """The real one, with the configuration as it is shipped, and a key that is an operator's in one environment."""
    if reason := is_missing():
        pytest.skip(reason)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    key = make(guarded.server, "admin", "--role", "operator", "--environment", "development")
    address = f"127.0.0.1:{guarded.server.port}"
    with Monitoring(folder, [address], "no key", guarded=address, guard=key + "\n") as monitoring:
        yield monitoring


def fire(monitoring: Monitoring, **labels):
    """Has an alert fire in Alertmanager, as Prometheus tells it."""
    told = {"labels": alert(**labels)["labels"], "annotations": {"summary": SUMMARY}}
    status, answer = monitoring.ask(monitoring.alertmanager, "POST", "/api/v2/alerts", [told])
    assert status == 200, answer


def seconds_until(condition, monitoring: Monitoring, limit: float) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit, monitoring.logs()
        time.sleep(0.01)
    return time.monotonic() - begun


def test_from_the_alert_to_the_flag_that_is_off_it_takes_less_than_promised(guarded, alertmanager, record_property):
    assert guarded.is_on("checkout") is True
    fire(alertmanager, flag="checkout", action="kill", severity="page")
    taken = seconds_until(lambda: not guarded.is_on("checkout"), alertmanager, PROMISED)
    record_property("seconds", taken)
    print(f"the flag was off after {taken:.3f} s")
    assert guarded.flag("checkout")["killSwitch"]["reason"] == REASON
    # And people hear of it.
    alertmanager.receiver.await_message("/notification", "CheckoutErrors", until=time.monotonic() + 10)


def test_a_second_alert_does_not_wait_for_the_first(guarded, alertmanager):
    guarded.create("grows", rollout={"percentage": 80, "startAt": instant(hours=1)})
    guarded.create("search")
    fire(alertmanager, flag="checkout", action="kill")
    seconds_until(lambda: not guarded.is_on("checkout"), alertmanager, PROMISED)
    fire(alertmanager, flag="search", action="kill")
    fire(alertmanager, flag="grows", action="pause")
    seconds_until(lambda: not guarded.is_on("search"), alertmanager, PROMISED)
    seconds_until(lambda: guarded.flag("grows")["rollout"] == {"percentage": 0}, alertmanager, PROMISED)


def test_what_is_refused_stands_in_the_log_of_alertmanager_and_others_are_done(guarded, alertmanager):
    fire(alertmanager, flag="nobody", action="kill")
    fire(alertmanager, flag="checkout", action="kill")
    seconds_until(lambda: not guarded.is_on("checkout"), alertmanager, PROMISED)
    seconds_until(lambda: "unexpected status code 422" in alertmanager.logs(), alertmanager, 60 / FACTOR + PROMISED)


def test_a_server_that_was_away_does_it_when_it_is_back(guarded, alertmanager):
    guarded.server.kill()
    fire(alertmanager, flag="checkout", action="kill")
    seconds_until(lambda: "connection refused" in alertmanager.logs(), alertmanager, 60 / FACTOR + PROMISED)
    guarded.server.start()
    seconds_until(lambda: not guarded.is_on("checkout"), alertmanager, 60 / FACTOR + 2 * PROMISED)
