"""What takes long is done in slices: nobody waits for the large answers of others, and no change waits for them."""

import json
import select
import threading
import time

from server import run_command, send

FLAGS = 10_000
"""So many that compiling them keeps a loop far longer than any other request."""

BULK = "/ofrep/v1/evaluate/flags"


def targeted(number: int) -> dict:
    """A flag that is on for the plan `pro`."""
    rule = {"if": [{"in": [{"var": "plan"}, ["pro", "team", f"plan-{number}"]]}, "on", "off"]}
    return {"flagKey": f"flag-{number:05d}", "description": "d", "owner": "o", "state": "ENABLED",
            "variants": {"on": True, "off": False}, "defaultVariant": "off", "targeting": rule}


def test_nobody_waits_for_a_cold_bulk_answer_nor_does_a_kill_switch(start_server, tmp_path, data_dir):
    document = tmp_path / "flags.json"
    document.write_text(json.dumps({"flags": [targeted(number) for number in range(FLAGS)]}))
    imported = run_command("import", document, "--data-dir", data_dir, "--create", timeout=300)
    assert imported.returncode == 0, imported.stderr
    server = start_server("--loops", 1)
    body = {"context": {"plan": "pro"}}
    took, answers = [], []

    def ask():
        started = time.monotonic()
        status, _, answer = server.request("POST", BULK, body, timeout=60)
        took.append(time.monotonic() - started)
        answers.append((status, answer))

    single = server.connect()
    send(single, "POST", f"{BULK}/flag-00000", body)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    latencies = []
    while any(thread.is_alive() for thread in threads):
        started = time.monotonic()
        status, _, answer = send(single, "POST", f"{BULK}/flag-00000", body)
        latencies.append(time.monotonic() - started)
        assert (status, answer["value"]) == (200, True)
    assert all(status == 200 and len(answer["flags"]) == FLAGS for status, answer in answers)
    assert all(answer == answers[0][1] for _, answer in answers)
    assert len(latencies) > 10
    assert max(latencies) < max(took) / 2, "one request has waited for what others asked for"

    # Every flag is compiled anew, and the switch is pressed meanwhile.
    server.terminate()
    server = start_server("--loops", 1)
    waiting, switch = server.connect(timeout=60), server.connect()
    waiting.request("POST", BULK, json.dumps(body), {"Content-Type": "application/json"})
    everything = {"all": True, "reason": "fire", "activatedBy": "us"}
    status, _, _ = send(switch, "POST", "/api/emergency/kill-switch", everything)
    assert status == 200
    assert not select.select([waiting.sock], [], [], 0)[0], "the switch has waited for the large answer"
    killed = json.loads(waiting.getresponse().read())["flags"]
    assert len(killed) == FLAGS
    assert {flag["value"] for flag in killed} == {False}


def test_flags_that_require_a_hundred_others_are_answered_out_of_a_cache_of_100(start_server):
    def flag(key: str, requires=()) -> dict:
        return {"flagKey": key, "description": "d", "owner": "o", "defaultEnabled": True,
                **({"requires": [{"flagKey": other, "variant": "on"} for other in requires]} if requires else {})}

    trees, flags = [f"tree-{number}" for number in range(3)], []
    for tree in trees:
        branches = [f"{tree}.{number}" for number in range(5)]
        for branch in branches:
            leaves = [f"{branch}.{number}" for number in range(20)]
            flags += [flag(leaf) for leaf in leaves] + [flag(branch, leaves)]
        flags.append(flag(tree, branches))
    server = start_server("--loops", 1)
    # Of the profile's own environment all flags are loaded at the start; of this one none.
    server.expect(200, "POST", "/api/import?environment=staging", {"flags": flags})
    found = []

    def ask(path: str, tree: str):
        keys = {"flagKeys": [tree]} if path.endswith("batch") else {"flagKey": tree}
        status, _, answer = server.request("POST", path, {"tenantId": "acme", "environment": "staging", **keys})
        answer = answer["flags"][0] if "flags" in answer else answer
        found.append((status, answer.get("reason"), answer.get("enabled")))

    paths = ["/api/evaluate", "/api/evaluate/batch", "/api/explain"]
    for _ in range(2):
        threads = [threading.Thread(target=ask, args=(path, tree)) for path in paths for tree in trees]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [(200, "default", True)] * 2 * len(paths) * len(trees)
