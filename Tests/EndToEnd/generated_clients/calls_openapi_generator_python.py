"""Calls a server through the client that openapi-generator's `python` makes of its description; argument: the origin.

Prints the method, the path and the status of each request, and fails where an answer is not what its type says.
"""

import datetime
import sys
import urllib.parse

import flag_server_client as generated
from flag_server_client import (
    ApiClient, ApiException, BatchEvaluationRequest, Configuration, EvaluationReason, EvaluationRequest,
    ExplanationRequest, FlagBody, FlagPatch, FlagState, HealthStatus, KillSwitchActivation, KillSwitchDeactivation,
    KillSwitchScope, NewFlag, NewSegment, OfrepContext, OfrepErrorCode, OfrepFailure, OfrepReason, OfrepRequest,
    OfrepSuccess, Problem, ProblemCode, Requirement, Rollout, RolloutPatch, SegmentBody, SegmentKeyEdit, SegmentKeys,
    SegmentPatch, TenantOverrideBody)


class TellingClient(ApiClient):
    def call_api(self, method, url, *arguments, **named):
        answer = super().call_api(method, url, *arguments, **named)
        target = urllib.parse.urlsplit(url)
        print(method, f"{target.path}?{target.query}" if target.query else target.path, answer.status)
        return answer


def refused(kind, status, call, *arguments, **named):
    """What a call that must fail answers: an object of this kind."""
    try:
        call(*arguments, **named)
    except ApiException as failure:
        assert failure.status == status and isinstance(failure.data, kind), failure
        return failure.data
    raise AssertionError(f"{call.__name__} was not refused")


def operations(client):
    api = generated.OperationsApi(client)
    health = api.get_health()
    assert health.status is HealthStatus.OK and isinstance(health.started_at, datetime.datetime), health
    assert api.get_liveness().status == "ok" and api.get_readiness().version == health.version
    assert "flag_server_build_info" in api.get_metrics()
    assert api.get_open_api()["openapi"].startswith("3.1")
    assert api.list_work().work == []
    assert refused(Problem, 404, api.cancel_work, "none").code is ProblemCode.WORK_NOT_FOUND


def segments(client):
    api = generated.SegmentsApi(client)
    owls = api.create_segment(NewSegment(
        name="night-owls", description="Up late", owner="web", condition={"==": [1, 2]}))
    assert (owls.version, owls.key_count, owls.condition) == (1, 0, {"==": [1, 2]}), owls
    assert api.get_segment("night-owls") == owls
    owls = api.replace_segment("night-owls", SegmentBody(description="Late", owner="web"))
    assert owls.description == "Late" and owls.condition is None, owls
    assert api.patch_segment("night-owls", SegmentPatch(owner="ada")).owner == "ada"
    api.replace_segment_keys("night-owls", SegmentKeys(keys=["u1", "u2"]))
    assert api.edit_segment_keys("night-owls", SegmentKeyEdit(add=["u3"], remove=["u1"])).key_count == 2
    assert api.list_segment_keys("night-owls").keys == ["u2", "u3"]
    assert [segment.name for segment in api.list_segments().segments] == ["night-owls"]


def flags(client):
    api = generated.FlagsApi(client)
    made = api.create_flag_with_http_info(NewFlag(
        flag_key="chat", description="Chat with us", owner="web", default_enabled=False, tags=["ui"],
        rollout=Rollout(percentage=25), expires_at=datetime.datetime(2099, 1, 2, tzinfo=datetime.UTC)))
    assert made.status_code == 201 and made.headers["Location"] == "/api/flags/chat", made
    chat = made.data
    assert (chat.version, chat.rollout.percentage, chat.expires_at.year) == (1, 25, 2099), chat
    theme = api.create_flag(NewFlag(
        flag_key="theme/colours", description="Colours", owner="web", state=FlagState.ENABLED,
        variants={"dark": {"ink": "#fff"}, "light": {"ink": "#000"}}, default_variant="light",
        targeting={"if": [{"segment": "night-owls"}, "dark"]},
        requires=[Requirement(flag_key="chat", variant="off")]))
    assert theme.state is FlagState.ENABLED and theme.variants["dark"] == {"ink": "#fff"}, theme
    assert generated.SegmentsApi(client).list_segment_uses("night-owls").flags == ["theme/colours"]

    # What was read is edited and put back.
    chat.description = "Chat"
    chat = api.replace_flag("chat", FlagBody.from_dict(chat.to_dict()), if_match=made.headers["ETag"])
    assert (chat.description, chat.version) == ("Chat", 2), chat
    chat = api.patch_flag("chat", FlagPatch(rollout=RolloutPatch(percentage=50), expires_at=None))
    assert chat.rollout.percentage == 50 and chat.expires_at is None and chat.description == "Chat", chat
    assert api.get_flag("chat") == chat
    page = api.list_flags(limit=1, owner="web")
    assert [flag.flag_key for flag in page.flags] == ["chat"] and page.next_cursor and page.invalid is None, page
    dependent, = api.list_dependents("chat").dependents
    assert (dependent.flag_key, dependent.variant) == ("theme/colours", "off"), dependent
    api.get_flag_history("chat")


def overrides(client):
    api = generated.TenantOverridesApi(client)
    made = api.put_override("acme", "chat", TenantOverrideBody(updated_by="ada", enabled=True))
    assert made.enabled is True and made.environment.value == "development", made
    assert api.get_override("acme", "chat") == made
    assert api.list_overrides_of_flag("chat").overrides == [made]
    assert api.list_overrides_of_tenant("acme").overrides == [made]


def evaluation(client):
    api = generated.OFREPApi(client)
    request = OfrepRequest(context=OfrepContext.from_dict({"targetingKey": "u2", "plan": "pro"}))
    answer = api.evaluate_flag("theme/colours", request)
    assert (answer.reason, answer.variant, answer.value) == (OfrepReason.TARGETING_MATCH, "dark", {"ink": "#fff"})
    bulk = api.evaluate_flags_bulk(request)
    assert [type(flag.actual_instance) for flag in bulk.flags] == [OfrepSuccess] * 2, bulk

    api = generated.EvaluationApi(client)
    answer = api.evaluate(EvaluationRequest(tenant_id="acme", flag_key="chat", user_id="u1"))
    assert answer.enabled and answer.reason is EvaluationReason.TENANT_OVERRIDE, answer
    assert isinstance(answer.evaluated_at, datetime.datetime), answer
    batch = api.evaluate_batch(BatchEvaluationRequest(tenant_id="acme", flag_keys=["chat", "nothing"]))
    assert [flag.reason.value for flag in batch.flags] == ["tenant_override", "flag_not_found"], batch
    why = api.explain(ExplanationRequest(flag_key="theme/colours", context=OfrepContext(targeting_key="u2")))
    assert why.variant == "dark" and why.tenant_id is None and any(step.decides for step in why.trace), why


def kill_switches(client):
    api = generated.KillSwitchesApi(client)
    on = api.activate_kill_switch(KillSwitchActivation(
        flag_key="chat", reason="too loud", activated_by="ada", enabled=True))
    assert on.enabled and on.flag_key == "chat" and isinstance(on.activated_at, datetime.datetime), on
    assert api.list_kill_switches().kill_switches == [on]
    answer = generated.OFREPApi(client).evaluate_flag("chat", OfrepRequest())
    assert answer.value is False and answer.metadata.kill_switch is KillSwitchScope.FLAG, answer
    end = KillSwitchDeactivation(flag_key="chat", deactivated_by="ada")
    assert api.deactivate_kill_switch(end) is None
    assert refused(Problem, 404, api.delete_kill_switch, end).code is ProblemCode.KILL_SWITCH_NOT_FOUND


def files(client):
    api = generated.FilesApi(client)
    file = api.export_flags()
    assert [flag["flagKey"] for flag in file.flags] == ["chat", "theme/colours"], file
    report = api.import_flags(file, dry_run=True, mode="replace")
    assert report.dry_run and report.lines[0] == "segments: 0 created, 0 changed, 0 removed, 1 unchanged", report


def refusals(client):
    """Every failure carries an object with a type, too."""
    api = generated.FlagsApi(client)
    missing = refused(Problem, 404, api.get_flag, "nothing")
    assert (missing.status, missing.code) == (404, ProblemCode.FLAG_NOT_FOUND), missing
    again = NewFlag(flag_key="chat", description="Again", owner="web", default_enabled=True)
    assert refused(Problem, 409, api.create_flag, again).code is ProblemCode.FLAG_EXISTS
    invalid = refused(Problem, 400, api.create_flag, NewFlag(flag_key="no-rule", description="None", owner="web"))
    assert invalid.code is ProblemCode.INVALID_BODY and invalid.errors[0].detail, invalid
    assert refused(Problem, 412, api.delete_flag, "chat", if_match='"0"').code is ProblemCode.VERSION_MISMATCH
    unknown = refused(OfrepFailure, 404, generated.OFREPApi(client).evaluate_flag, "nothing", OfrepRequest())
    assert unknown.error_code is OfrepErrorCode.FLAG_NOT_FOUND and unknown.key == "nothing", unknown


def ending(client):
    generated.TenantOverridesApi(client).delete_override("acme", "chat")
    for key in ("theme/colours", "chat"):
        generated.FlagsApi(client).delete_flag(key)
    generated.SegmentsApi(client).delete_segment("night-owls")


with TellingClient(Configuration(host=sys.argv[1])) as opened:
    for scene in (operations, segments, flags, overrides, evaluation, kill_switches, files, refusals, ending):
        scene(opened)
