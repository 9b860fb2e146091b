"""Real clients: OpenFeature's Python SDK through its OFREP provider."""

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

FLAGS = {
    "dark-mode": {"variants": {"on": True, "off": False}, "defaultVariant": "on"},
    "greeting": {"variants": {"formal": "Good day", "brief": "Hi"}, "defaultVariant": "brief"},
    "page-size": {"variants": {"small": 20, "large": 100}, "defaultVariant": "large"},
    "tax-rate": {"variants": {"normal": 8.1, "whole": 2.0}, "defaultVariant": "normal"},
    "zero-tax": {"variants": {"whole": 2.0}, "defaultVariant": "whole"},
    "theme": {"variants": {"blue": {"color": "#00f", "contrast": 7, "tags": ["a", "b"]}}, "defaultVariant": "blue"},
    "premium-search": {
        "variants": {"on": True, "off": False}, "defaultVariant": "off",
        "targeting": {"if": [{"==": [{"var": "plan"}, "premium"]}, "on", None]},
    },
    "colleagues": {
        "variants": {"on": True, "off": False}, "defaultVariant": "off",
        "targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", None]},
    },
    "half": {
        "variants": {"a": "A", "b": "B"}, "defaultVariant": "a",
        "targeting": {"fractional": [["a", 50], ["b", 50]]},
    },
    "resting": {"state": "DISABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"},
    "codes": {"variants": {"on": True, "off": False}},
    "team/new checkout": {"variants": {"on": True, "off": False}, "defaultVariant": "on"},
}


@pytest.fixture(scope="module")
def flags(shared_server):
    for key, definition in FLAGS.items():
        shared_server.create_flag(key, **({"state": "ENABLED"} | definition))
    return shared_server


@pytest.fixture(scope="module")
def client(flags):
    api.set_provider(OFREPProvider(flags.origin))
    yield api.get_client()
    api.shutdown()


def user(key: str | None = "user-1", **attributes) -> EvaluationContext:
    return EvaluationContext(targeting_key=key, attributes=attributes)


def test_a_boolean_flag_is_served(client):
    details = client.get_boolean_details("dark-mode", False)
    assert (details.value, details.variant, details.reason) == (True, "on", Reason.STATIC)


def test_a_string_flag_is_served(client):
    details = client.get_string_details("greeting", "none")
    assert (details.value, details.variant) == ("Hi", "brief")


def test_an_integer_flag_is_served(client):
    details = client.get_integer_details("page-size", 1)
    assert (details.value, details.variant) == (100, "large")


def test_a_float_flag_is_served(client):
    details = client.get_float_details("tax-rate", 0.5)
    assert (details.value, details.variant, details.error_code) == (8.1, "normal", None)


def test_a_float_that_is_whole_stays_a_float(client):
    details = client.get_float_details("zero-tax", 0.5)
    assert (details.value, details.error_code) == (2.0, None)


def test_an_object_flag_is_served(client):
    details = client.get_object_details("theme", {})
    assert details.value == {"color": "#00f", "contrast": 7, "tags": ["a", "b"]}


def test_a_missing_flag_gives_the_callers_default(client):
    details = client.get_string_details("no-such-flag", "fallback")
    assert (details.value, details.error_code, details.reason) == (
        "fallback", ErrorCode.FLAG_NOT_FOUND, Reason.ERROR)
    assert "no-such-flag" in details.error_message


def test_another_type_than_asked_for_gives_the_callers_default(client):
    details = client.get_boolean_details("greeting", False)
    assert (details.value, details.error_code) == (False, ErrorCode.TYPE_MISMATCH)


def test_targeting_reads_the_context(client):
    premium = client.get_boolean_details("premium-search", False, user(plan="premium"))
    assert (premium.value, premium.variant, premium.reason) == (True, "on", Reason.TARGETING_MATCH)
    free = client.get_boolean_details("premium-search", True, user(plan="free"))
    assert (free.value, free.variant, free.reason) == (False, "off", Reason.DEFAULT)


def test_targeting_by_the_end_of_an_address(client):
    assert client.get_boolean_value("colleagues", False, user(email="ada@example.com")) is True
    assert client.get_boolean_value("colleagues", True, user(email="ada@example.org")) is False


def test_a_fraction_is_stable_for_a_user_and_splits_many(client):
    first = {key: client.get_string_value("half", "none", user(key)) for key in map(str, range(200))}
    again = {key: client.get_string_value("half", "none", user(key)) for key in map(str, range(200))}
    assert first == again
    assert set(first.values()) == {"A", "B"}
    assert 60 <= list(first.values()).count("A") <= 140


def test_no_context_at_all_is_an_empty_one(client):
    details = client.get_boolean_details("premium-search", True)
    assert (details.value, details.reason, details.error_code) == (False, Reason.DEFAULT, None)


def test_a_context_without_targeting_key_is_no_error(client):
    details = client.get_boolean_details("premium-search", False, user(None, plan="premium"))
    assert (details.value, details.error_code) == (True, None)


def test_an_empty_targeting_key_is_no_error(client):
    details = client.get_boolean_details("premium-search", False, user("", plan="premium"))
    assert (details.value, details.error_code) == (True, None)


def test_a_disabled_flag_gives_the_callers_default_without_an_error(client):
    for default in (True, False):
        details = client.get_boolean_details("resting", default)
        assert (details.value, details.reason, details.error_code) == (default, Reason.DISABLED, None)


def test_a_flag_without_default_variant_gives_the_callers_default(client):
    for default in (True, False):
        details = client.get_boolean_details("codes", default)
        assert (details.value, details.reason, details.error_code) == (default, Reason.DEFAULT, None)


def test_a_key_with_a_slash_and_a_space_is_found(client):
    assert client.get_boolean_value("team/new checkout", False) is True


def test_a_tenant_override_beats_targeting_for_that_tenant_alone(client, flags):
    path = "/api/tenants/acme/flags/premium-search"
    flags.request("PUT", path, {"enabled": False, "updatedBy": "tests"})
    premium = {"plan": "premium"}
    assert client.get_boolean_value("premium-search", True, user(tenantId="acme", **premium)) is False
    assert client.get_boolean_value("premium-search", False, user(tenantId="other", **premium)) is True
    flags.expect(204, "DELETE", path)
    assert client.get_boolean_value("premium-search", False, user(tenantId="acme", **premium)) is True


def test_an_override_may_name_a_variant(client, flags):
    path = "/api/tenants/acme/flags/greeting"
    flags.request("PUT", path, {"variant": "formal", "updatedBy": "tests"})
    details = client.get_string_details("greeting", "none", user(tenantId="acme"))
    assert (details.value, details.variant) == ("Good day", "formal")
    flags.expect(204, "DELETE", path)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("target, kind", [({"flagKey": "dark-mode"}, "flag"), ({"all": True}, "global")])
def test_a_killed_boolean_flag_is_false_whatever_the_caller_would_rather_have(client, flags, target, kind, default):
    switch = "/api/emergency/kill-switch"
    flags.expect(200, "POST", switch, {**target, "reason": "fire", "activatedBy": "tests"})
    killed = client.get_boolean_details("dark-mode", default)
    assert (killed.value, killed.variant, killed.reason, killed.error_code) == (False, "off", Reason.STATIC, None)
    assert killed.flag_metadata["killSwitch"] == kind
    flags.expect(204, "POST", f"{switch}/deactivate", {**target, "deactivatedBy": "tests"})
    assert client.get_boolean_value("dark-mode", False) is True


def test_the_kill_switch_of_a_flag_leaves_the_others_alone(client, flags):
    switch = "/api/emergency/kill-switch"
    flags.expect(200, "POST", switch, {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "tests"})
    assert client.get_string_value("greeting", "none") == "Hi"
    flags.expect(204, "DELETE", switch, {"flagKey": "dark-mode", "deactivatedBy": "tests"})


def test_a_killed_flag_that_is_not_boolean_gives_the_callers_default_without_an_error(client, flags):
    switch = "/api/emergency/kill-switch"
    flags.expect(200, "POST", switch, {"all": True, "reason": "fire", "activatedBy": "tests"})
    greeting = client.get_string_details("greeting", "fallback")
    assert (greeting.value, greeting.reason, greeting.error_code) == ("fallback", Reason.DISABLED, None)
    flags.expect(204, "DELETE", switch, {"all": True, "deactivatedBy": "tests"})
    assert client.get_string_value("greeting", "fallback") == "Hi"


def test_a_change_is_seen_by_the_next_evaluation(client, flags):
    flags.create_flag("switchable", defaultEnabled=False)
    assert client.get_boolean_value("switchable", True) is False
    flags.expect(200, "PATCH", "/api/flags/switchable", {"defaultEnabled": True})
    assert client.get_boolean_value("switchable", False) is True
    flags.expect(204, "DELETE", "/api/flags/switchable")
    assert client.get_boolean_details("switchable", True).error_code == ErrorCode.FLAG_NOT_FOUND
