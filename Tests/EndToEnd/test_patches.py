"""Partial changes: a patch changes what it names, and nothing else, at every depth (RFC 7396)."""

MERGE = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
USERS = [f"user-{number}" for number in range(40)]


def how_many_are_in(server, key: str) -> int:
    """For how many users of another region and another cohort the flag is on."""
    contexts = [{"targetingKey": user, "region": "us", "cohort": "free"} for user in USERS]
    return sum(server.evaluate(key, context)[1]["value"] for context in contexts)


def test_a_higher_percentage_lets_nobody_in_for_whom_the_rollout_is_not_meant(server):
    server.create_flag(
        "feature", defaultEnabled=False, rollout={"percentage": 10, "regions": ["eu"], "cohorts": ["beta"]})
    assert how_many_are_in(server, "feature") == 0
    changed = server.expect(200, "PATCH", "/api/flags/feature", {"rollout": {"percentage": 60}}, MERGE)
    assert changed["rollout"] == {"percentage": 60, "regions": ["eu"], "cohorts": ["beta"]}
    assert how_many_are_in(server, "feature") == 0
    everybody = {"rollout": {"regions": None, "cohorts": None}}
    assert server.expect(200, "PATCH", "/api/flags/feature", everybody, MERGE)["rollout"] == {"percentage": 60}
    assert 10 < how_many_are_in(server, "feature") < 35


def test_a_patch_in_another_format_is_refused_and_told_which_there_are(server):
    server.create_flag("feature", defaultEnabled=False)
    operations = [{"op": "replace", "path": "/defaultEnabled", "value": True}]
    status, headers, _ = server.request("PATCH", "/api/flags/feature", operations, JSON_PATCH)
    assert status == 415
    assert "application/merge-patch+json" in headers["Accept-Patch"]
    assert server.expect(200, "GET", "/api/flags/feature")["defaultEnabled"] is False
