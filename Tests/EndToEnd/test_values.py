"""One meaning for one value: numbers beyond 64 bits, lists and texts, wherever a rule or a client meets them."""

import json

import pytest

NUMBERS = ["12345678901234567890", "12345678901234567891", "123456789012345678901234567890",
           "123456789012345678901234567891"]


def full(**members) -> dict:
    return {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"} | members


def evaluate(server, key: str, context: str) -> dict:
    """An answer for a context as it is spelled: json would take large numbers apart."""
    return server.expect(
        200, "POST", f"/ofrep/v1/evaluate/flags/{key}", f'{{"context":{context}}}'.encode(),
        {"Content-Type": "application/json"})


@pytest.mark.parametrize("number", NUMBERS)
def test_a_large_number_is_told_from_its_neighbours_everywhere(server, number):
    others = [other for other in NUMBERS if other != number]
    rule = '{"if":[{"===":[{"var":"id"},%s]},"on"]}' % number
    among = '{"if":[{"in":[{"var":"id"},[%s,1,2,3,4,5]]},"on"]}' % number
    server.expect(201, "POST", "/api/segments", {"name": "customers", "description": "Some", "owner": "tests"})
    server.expect(200, "PUT", "/api/segments/customers/keys", {"keys": [number]})
    server.create_flag("listed", **full(targeting={"if": [{"segment": ["customers", {"var": "id"}]}, "on"]}))
    server.create_flag("targeted", **full(targeting={"if": [{"segment": "customers"}, "on"]}))
    for key, text in (("equal", rule), ("among", among)):
        flag = json.dumps(full(flagKey=key, description="Large", owner="tests", targeting=0))
        server.expect(201, "POST", "/api/flags", flag.replace('"targeting": 0', f'"targeting": {text}').encode())
    tags = set()
    for other in [number, *others]:
        context = f'{{"id":{other},"targetingKey":{other}}}'
        for key in ("equal", "among", "listed", "targeted"):
            assert evaluate(server, key, context)["value"] is (other == number), f"{key} of {other}"
        body = f'{{"context":{context}}}'.encode()
        tags.add(server.request("POST", "/ofrep/v1/evaluate/flags", body)[1]["ETag"])
    assert len(tags) == len(NUMBERS)


@pytest.mark.parametrize("left, right", [
    ('{"a":[1,2]}', '{"a":[2,1]}'), ('{"a":{"b":1}}', '{"a":{"b":2}}'), ('{"a":9007199254740993}',
                                                                       '{"a":9007199254740992}'),
])
def test_a_client_is_not_told_that_nothing_changed_where_a_list_or_an_object_names_the_variant(server, left, right):
    values = [json.dumps(json.loads(context)["a"], separators=(",", ":")) for context in (left, right)]
    server.create_flag("named", state="ENABLED", variants={value: value for value in values}, targeting={"var": "a"})
    answers = []
    for context, value in zip((left, right), values):
        known = {"If-None-Match": answers[-1][1]["ETag"]} if answers else {}
        answers.append(
            server.request("POST", "/ofrep/v1/evaluate/flags", f'{{"context":{context}}}'.encode(), known))
        assert answers[-1][0] == 200 and answers[-1][2]["flags"][0]["variant"] == value
    # Another spelling of the same is the same, and names the same variant.
    spelled = left.replace("1", "1.0").replace("2", "20e-1") if "9007" not in left else left + " "
    same = server.request(
        "POST", "/ofrep/v1/evaluate/flags", f'{{"context":{spelled}}}'.encode(),
        {"If-None-Match": answers[0][1]["ETag"]})
    assert same[0] == 304


def test_lengths_can_be_asked_for_and_versions_are_texts(server):
    server.create_flag("large-cart", **full(targeting={"if": [{">": [{"var": "items.length"}, 2]}, "on"]}))
    server.create_flag("new-client", **full(targeting={"if": [{"sem_ver": [{"var": "client"}, ">=", "2.0.0"]}, "on"]}))
    for items, value in (([1, 2, 3], True), ([1, 2], False), ("four", True), ({"length": 3}, True), ({}, False)):
        assert evaluate(server, "large-cart", json.dumps({"items": items}))["value"] is value, items
    for client, value in (("2.5.0", True), ("1.9", False), (["2.5.0"], False), ({"v": "2.5.0"}, False), (2.5, True)):
        assert evaluate(server, "new-client", json.dumps({"client": client}))["value"] is value, client
