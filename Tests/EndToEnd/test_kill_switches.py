"""A kill switch is told: by the log, by the flag's history, and again at the next start; it ends with its flag."""

import json
import re

SWITCH = "/api/emergency/kill-switch"
ALL = {"all": True, "reason": "flood", "activatedBy": "bob"}

SAID = ("change", "activatedBy", "deactivatedBy", "reason")
"""What an entry says of a kill switch."""


def warnings(server) -> list[str]:
    """What the log warns of, without times."""
    return re.findall(r"(?m)^\S+ WARNING +(.*)$", server.log)


def test_who_sets_and_ends_a_kill_switch_and_why_is_a_warning_and_so_is_what_is_on_at_a_start(start_server):
    server = start_server()
    server.create_flag("dark-mode", defaultEnabled=True)
    server.expect(200, "POST", SWITCH, {"flagKey": "dark-mode", "reason": "on fire", "activatedBy": "ada"})
    server.expect(204, "POST", f"{SWITCH}/deactivate", {"flagKey": "dark-mode", "deactivatedBy": "eve"})
    server.expect(200, "POST", SWITCH, ALL)
    assert warnings(server) == [
        'the kill switch of a flag is on activatedBy=ada by=anonymous environment=development flag=dark-mode '
        'reason="on fire"',
        'the kill switch of a flag has ended by=anonymous deactivatedBy=eve environment=development flag=dark-mode '
        'reason="not given"',
        'the kill switch of all flags is on activatedBy=bob by=anonymous environment=development reason=flood',
    ]
    server.terminate()
    told = len(warnings(server))
    server.start()
    assert warnings(server)[told:] == ['kill switches are on environment=development takenAway="all flags"']
    assert server.expect(200, "GET", "/health")["checks"]["killSwitches"] != "ok"
    server.expect(204, "DELETE", SWITCH, {"all": True, "deactivatedBy": "bob"})
    assert warnings(server)[-1].startswith("the kill switch of all flags has ended ")
    server.terminate()
    told = len(warnings(server))
    server.start()
    assert warnings(server)[told:] == []


def test_the_history_says_who_and_why(start_server):
    server = start_server()
    server.create_flag("dark-mode", defaultEnabled=True)
    server.expect(200, "POST", SWITCH, {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "ada"})
    end = {"flagKey": "dark-mode", "deactivatedBy": "eve", "reason": "it is out"}
    server.expect(204, "POST", f"{SWITCH}/deactivate", end)
    entries = []
    while len(entries) < 3:
        entries = server.expect(200, "GET", "/api/flags/dark-mode/history")["history"]
    said = [{name: value for name, value in entry.items() if name in SAID} for entry in entries]
    assert said == [
        {"change": "revived", "deactivatedBy": "eve", "reason": "it is out"},
        {"change": "killed", "activatedBy": "ada", "reason": "fire"},
        {"change": "created"},
    ]


def test_a_flag_that_is_deleted_and_created_again_is_on_also_after_a_start(start_server):
    server = start_server()
    for _ in range(2):
        server.create_flag("dark-mode", defaultEnabled=True)
        assert server.evaluate("dark-mode")[1]["value"] is True
        server.expect(200, "POST", SWITCH, {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "ada"})
        assert server.evaluate("dark-mode")[1]["value"] is False
        server.expect(204, "DELETE", "/api/flags/dark-mode")
        assert server.expect(200, "GET", SWITCH) == {"killSwitches": []}
        server.kill()
        server.start()


def test_what_a_shell_makes_of_an_empty_variable_takes_nothing_away(server):
    server.create_flag("dark-mode", defaultEnabled=True)
    for flag in (None, ""):
        for path, actor in ((SWITCH, "activatedBy"), (f"{SWITCH}/deactivate", "deactivatedBy")):
            status, _, problem = server.request("POST", path, {"flagKey": flag, "reason": "x", actor: "ada"})
            assert status == 400, json.dumps(problem)
    assert server.evaluate("dark-mode")[1]["value"] is True
