"""Calls a server through the client that openapi-python-client makes of its description; argument: the origin.

Prints the method, the path and the status of each request, and fails where an answer is not what its type says.
"""

import datetime
import sys

from flag_server_client import Client
from flag_server_client.api.evaluation import evaluate, evaluate_batch, explain
from flag_server_client.api.files import export_flags, import_flags
from flag_server_client.api.flags import (
    create_flag, delete_flag, get_flag, get_flag_history, list_dependents, list_flags, patch_flag, replace_flag,
    replace_flag_by_key)
from flag_server_client.api.kill_switches import (
    activate_kill_switch, deactivate_kill_switch, delete_kill_switch, list_kill_switches)
from flag_server_client.api.ofrep import evaluate_flag, evaluate_flags_bulk
from flag_server_client.api.operations import (
    cancel_work, get_health, get_liveness, get_metrics, get_open_api, get_readiness, list_work)
from flag_server_client.api.segments import (
    create_segment, delete_segment, edit_segment_keys, get_segment, get_segment_history, list_segment_keys,
    list_segment_uses, list_segments, patch_segment, replace_segment, replace_segment_keys)
from flag_server_client.api.tenant_overrides import (
    delete_override, get_override, list_overrides_of_flag, list_overrides_of_tenant, put_override)
from flag_server_client.models import (
    BatchEvaluation, BatchEvaluationRequest, Environment, Evaluation, EvaluationReason, EvaluationRequest, Explanation,
    ExplanationRequest, Flag, FlagBody, FlagFile, FlagPatch, FlagState, Health, HealthStatus, HistoryEntry,
    ImportFlagsMode, KillSwitch, KillSwitchActivation, KillSwitchDeactivation, KillSwitchScope, Liveness, NewFlag,
    NewSegment, OfrepBulkSuccess, OfrepContext, OfrepErrorCode, OfrepFailure, OfrepReason, OfrepRequest, OfrepSuccess,
    Problem, ProblemCode, Requirement, Rollout, RolloutPatch, Rule, SegmentBody, SegmentKeyEdit, SegmentKeys,
    SegmentPatch, TenantOverride, TenantOverrideBody, Variants)
from flag_server_client.types import UNSET


def tell(response):
    print(response.request.method, response.request.url.raw_path.decode(), response.status_code)


def expect(kind, answer):
    """The answer, which must be of this kind."""
    assert isinstance(answer, kind), answer
    return answer


def operations(client):
    health = expect(Health, get_health.sync(client=client))
    assert health.status is HealthStatus.OK and isinstance(health.started_at, datetime.datetime), health
    assert health.checks.additional_properties, health
    assert expect(Liveness, get_liveness.sync(client=client)).status == "ok"
    assert expect(Health, get_readiness.sync(client=client)).version == health.version
    assert "flag_server_build_info" in expect(str, get_metrics.sync(client=client))
    assert get_open_api.sync(client=client)["openapi"].startswith("3.1")
    assert list_work.sync(client=client).work == []
    assert expect(Problem, cancel_work.sync("none", client=client)).code is ProblemCode.WORK_NOT_FOUND


def segments(client):
    owls = create_segment.sync(client=client, body=NewSegment(
        name="night-owls", description="Up late", owner="web", condition=Rule.from_dict({"==": [1, 2]})))
    assert (owls.version, owls.key_count, owls.condition["=="]) == (1, 0, [1, 2]), owls
    assert get_segment.sync("night-owls", client=client) == owls
    owls = replace_segment.sync("night-owls", client=client, body=SegmentBody(description="Late", owner="web"))
    assert owls.description == "Late" and owls.condition is UNSET, owls
    assert patch_segment.sync("night-owls", client=client, body=SegmentPatch(owner="ada")).owner == "ada"
    owls = replace_segment_keys.sync("night-owls", client=client, body=SegmentKeys(keys=["u1", "u2"]))
    owls = edit_segment_keys.sync("night-owls", client=client, body=SegmentKeyEdit(add=["u3"], remove=["u1"]))
    assert owls.key_count == 2, owls
    assert list_segment_keys.sync("night-owls", client=client).keys == ["u2", "u3"]
    assert [segment.name for segment in list_segments.sync(client=client).segments] == ["night-owls"]
    assert all(isinstance(entry, HistoryEntry)
               for entry in get_segment_history.sync("night-owls", client=client).history)


def flags(client):
    made = create_flag.sync_detailed(client=client, body=NewFlag(
        flag_key="chat", description="Chat with us", owner="web", default_enabled=False, tags=["ui"],
        rollout=Rollout(percentage=25), expires_at=datetime.datetime(2099, 1, 2, tzinfo=datetime.UTC)))
    chat = expect(Flag, made.parsed)
    assert made.status_code == 201 and made.headers["Location"] == "/api/flags/chat", made.headers
    assert (chat.version, chat.rollout.percentage, chat.tags) == (1, 25, ["ui"]), chat
    assert chat.expires_at.year == 2099 and chat.state is UNSET and chat.stale is UNSET, chat

    theme = expect(Flag, create_flag.sync(client=client, body=NewFlag(
        flag_key="theme/colours", description="Colours", owner="web", state=FlagState.ENABLED,
        variants=Variants.from_dict({"dark": {"ink": "#fff"}, "light": {"ink": "#000"}}), default_variant="light",
        targeting=Rule.from_dict({"if": [{"segment": "night-owls"}, "dark"]}),
        requires=[Requirement(flag_key="chat", variant="off")])))
    assert theme.state is FlagState.ENABLED and theme.variants["dark"] == {"ink": "#fff"}, theme
    assert theme.requires == [Requirement(flag_key="chat", variant="off")], theme

    assert list_segment_uses.sync("night-owls", client=client).flags == ["theme/colours"]
    refused = expect(Problem, delete_segment.sync("night-owls", client=client))
    assert refused.code is ProblemCode.SEGMENT_USED, refused

    # What was read is edited and put back.
    chat = expect(Flag, get_flag.sync("chat", client=client))
    chat.description = "Chat"
    chat = expect(Flag, replace_flag.sync("chat", client=client, body=FlagBody.from_dict(chat.to_dict())))
    assert (chat.description, chat.version) == ("Chat", 2), chat
    tag = get_flag.sync_detailed("chat", client=client).headers["ETag"]
    body = FlagBody.from_dict(chat.to_dict())
    chat = expect(Flag, replace_flag_by_key.sync("chat", client=client, if_match=tag, body=body))
    chat = expect(Flag, patch_flag.sync("chat", client=client, body=FlagPatch(
        rollout=RolloutPatch(percentage=50), expires_at=None)))
    assert chat.rollout.percentage == 50 and chat.expires_at is UNSET and chat.description == "Chat", chat

    read = get_flag.sync_detailed("theme/colours", client=client)
    unchanged = get_flag.sync_detailed("theme/colours", client=client, if_none_match=read.headers["ETag"])
    assert (unchanged.status_code, unchanged.parsed) == (304, None), unchanged
    page = list_flags.sync(client=client, limit=1, owner="web")
    assert [flag.flag_key for flag in page.flags] == ["chat"] and page.next_cursor and page.invalid is UNSET, page
    page = list_flags.sync(client=client, limit=1, owner="web", cursor=page.next_cursor)
    assert [flag.flag_key for flag in page.flags] == ["theme/colours"], page
    dependent, = list_dependents.sync("chat", client=client).dependents
    assert (dependent.flag_key, dependent.variant) == ("theme/colours", "off"), dependent
    assert all(isinstance(entry, HistoryEntry) for entry in get_flag_history.sync("chat", client=client).history)


def overrides(client):
    body = TenantOverrideBody(updated_by="ada", enabled=True, reason="asked for it")
    made = expect(TenantOverride, put_override.sync("acme", "chat", client=client, body=body))
    assert made.enabled is True and made.environment.value == "development", made
    assert get_override.sync("acme", "chat", client=client) == made
    assert list_overrides_of_flag.sync("chat", client=client).overrides == [made]
    assert list_overrides_of_tenant.sync("acme", client=client).overrides == [made]


def evaluation(client):
    request = OfrepRequest(context=OfrepContext.from_dict({"targetingKey": "u2", "plan": "pro"}))
    answer = expect(OfrepSuccess, evaluate_flag.sync("theme/colours", client=client, body=request))
    assert (answer.reason, answer.variant, answer.value) == (OfrepReason.TARGETING_MATCH, "dark", {"ink": "#fff"})
    bulk = evaluate_flags_bulk.sync_detailed(client=client, body=request)
    assert [type(flag) for flag in expect(OfrepBulkSuccess, bulk.parsed).flags] == [OfrepSuccess] * 2, bulk
    same = evaluate_flags_bulk.sync_detailed(client=client, body=request, if_none_match=bulk.headers["ETag"])
    assert same.status_code == 304, same

    answer = expect(Evaluation, evaluate.sync(client=client, body=EvaluationRequest(
        tenant_id="acme", flag_key="chat", user_id="u1")))
    assert answer.enabled and answer.reason is EvaluationReason.TENANT_OVERRIDE, answer
    assert answer.environment is Environment.DEVELOPMENT and isinstance(answer.evaluated_at, datetime.datetime)
    batch = expect(BatchEvaluation, evaluate_batch.sync(client=client, body=BatchEvaluationRequest(
        tenant_id="acme", flag_keys=["chat", "nothing"])))
    assert [flag.reason.value for flag in batch.flags] == ["tenant_override", "flag_not_found"], batch
    why = expect(Explanation, explain.sync(client=client, body=ExplanationRequest(
        flag_key="theme/colours", context=OfrepContext(targeting_key="u2"))))
    assert why.variant == "dark" and why.tenant_id is None and any(step.decides for step in why.trace), why


def kill_switches(client):
    on = expect(KillSwitch, activate_kill_switch.sync(client=client, body=KillSwitchActivation(
        flag_key="chat", reason="too loud", activated_by="ada")))
    assert on.enabled and on.flag_key == "chat" and isinstance(on.activated_at, datetime.datetime), on
    assert list_kill_switches.sync(client=client).kill_switches == [on]
    assert get_flag.sync("chat", client=client).kill_switch == on
    answer = expect(OfrepSuccess, evaluate_flag.sync("chat", client=client, body=OfrepRequest()))
    assert answer.value is False and answer.metadata.kill_switch is KillSwitchScope.FLAG, answer
    off = deactivate_kill_switch.sync_detailed(client=client, body=KillSwitchDeactivation(
        flag_key="chat", deactivated_by="ada"))
    assert off.status_code == 204, off
    activate_kill_switch.sync(client=client, body=KillSwitchActivation(all_=True, reason="all", activated_by="ada"))
    off = delete_kill_switch.sync_detailed(client=client, body=KillSwitchDeactivation(all_=True, deactivated_by="ada"))
    assert off.status_code == 204, off


def files(client):
    file = expect(FlagFile, export_flags.sync(client=client))
    assert [flag["flagKey"] for flag in file.flags] == ["chat", "theme/colours"], file
    report = import_flags.sync(client=client, body=file, dry_run=True, mode=ImportFlagsMode.REPLACE)
    assert report.dry_run and report.lines[0] == "segments: 0 created, 0 changed, 0 removed, 1 unchanged", report


def refusals(client):
    """Every failure is an answer with a type, too."""
    missing = expect(Problem, get_flag.sync("nothing", client=client))
    assert (missing.status, missing.code) == (404, ProblemCode.FLAG_NOT_FOUND), missing
    again = create_flag.sync(client=client, body=NewFlag(
        flag_key="chat", description="Again", owner="web", default_enabled=True))
    assert expect(Problem, again).code is ProblemCode.FLAG_EXISTS, again
    invalid = create_flag.sync(client=client, body=NewFlag(flag_key="no-rule", description="", owner="web"))
    assert expect(Problem, invalid).code is ProblemCode.INVALID_BODY, invalid
    assert "/description" in [issue.pointer for issue in invalid.errors], invalid
    stale = delete_flag.sync_detailed("chat", client=client, if_match='"0"')
    assert expect(Problem, stale.parsed).code is ProblemCode.VERSION_MISMATCH and "ETag" in stale.headers, stale
    unknown = expect(OfrepFailure, evaluate_flag.sync("nothing", client=client, body=OfrepRequest()))
    assert unknown.error_code is OfrepErrorCode.FLAG_NOT_FOUND and unknown.key == "nothing", unknown
    context = OfrepContext.from_dict({"tenantId": 7})
    unusable = expect(OfrepFailure, evaluate_flags_bulk.sync(client=client, body=OfrepRequest(context=context)))
    assert unusable.error_code is OfrepErrorCode.INVALID_CONTEXT, unusable


def ending(client):
    assert delete_override.sync_detailed("acme", "chat", client=client).status_code == 204
    required = expect(Problem, delete_flag.sync("chat", client=client))
    assert required.code is ProblemCode.FLAG_REQUIRED, required
    for key in ("theme/colours", "chat"):
        assert delete_flag.sync_detailed(key, client=client).status_code == 204
    assert delete_segment.sync_detailed("night-owls", client=client).status_code == 204


with Client(base_url=sys.argv[1], httpx_args={"event_hooks": {"response": [tell]}}) as opened:
    for scene in (operations, segments, flags, overrides, evaluation, kill_switches, files, refusals, ending):
        scene(opened)
