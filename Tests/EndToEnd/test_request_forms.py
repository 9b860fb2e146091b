"""How a request may be written: null and absent, the query, coded content, and one body for OFREP and explain."""

import gzip
import json
import zlib

import pytest

OFREP = "/ofrep/v1/evaluate/flags"


@pytest.fixture
def server(start_server):
    server = start_server()
    server.create_flag("feature", defaultEnabled=True)
    return server


# Null and absent


@pytest.mark.parametrize("context", [{"tenantId": None}, {"tenantId": ""}, {}, None])
def test_a_tenant_that_is_null_is_no_tenant(server, context):
    assert server.expect(200, "POST", f"{OFREP}/feature", {"context": context})["value"] is True
    assert server.expect(200, "POST", OFREP, {"context": context})["flags"][0]["value"] is True


def test_a_context_that_was_forgotten_is_told(server):
    for path in (f"{OFREP}/feature", OFREP):
        told = server.expect(400, "POST", path, {"targetingKey": "ada"})
        assert told["errorCode"] == "INVALID_CONTEXT"
        assert '{"context": {"targetingKey": …}}' in told["errorDetails"]
        assert server.request("POST", path, {"context": {}, "targetingKey": "ada"})[0] == 200


def test_null_may_stand_for_what_may_be_left_out(server):
    body = {"tenantId": "acme", "flagKey": "feature", "userId": None, "metadata": None, "environment": None}
    assert server.expect(200, "POST", "/api/evaluate", body)["enabled"] is True
    flag = server.expect(200, "GET", "/api/flags/feature")
    nulls = {name: None for name in ("rollout", "requires", "tags", "expiresAt", "targeting", "environment")}
    assert server.expect(200, "PUT", "/api/flags/feature", flag | nulls)["defaultEnabled"] is True
    missing = {"flagKey": "other", "description": "Other", "owner": "tests", "defaultEnabled": None}
    assert server.expect(400, "POST", "/api/flags", missing)["errors"][0]["pointer"] == "/defaultEnabled"


# The query


def test_the_environment_of_the_query_counts_on_every_route_that_evaluates(server):
    server.expect(201, "POST", "/api/flags?environment=staging", {
        "flagKey": "feature", "description": "Elsewhere", "owner": "tests", "defaultEnabled": False})
    for name, value in (("staging", False), ("dev", False), ("development", True), ("local", True)):
        query = f"?environment={name}"
        assert server.expect(200, "POST", f"{OFREP}/feature{query}", {})["value"] is value
        assert server.expect(200, "POST", f"{OFREP}{query}", {})["flags"][0]["value"] is value
        single = {"tenantId": "acme", "flagKey": "feature"}
        assert server.expect(200, "POST", f"/api/evaluate{query}", single)["enabled"] is value
        assert server.expect(200, "POST", f"/api/explain{query}", single)["enabled"] is value
        several = {"tenantId": "acme", "flagKeys": ["feature"]}
        assert server.expect(200, "POST", f"/api/evaluate/batch{query}", several)["flags"][0]["enabled"] is value
    for path in (f"{OFREP}/feature", OFREP):
        told = server.expect(400, "POST", f"{path}?environment=stagin", {})
        assert told["errorCode"] == "GENERAL" and "staging" in told["errorDetails"]
    for path in ("/api/evaluate", "/api/explain"):
        single = {"tenantId": "acme", "flagKey": "feature"}
        assert server.expect(400, "POST", f"{path}?environment=stagin", single)["code"] == "unknown_environment"
        assert server.expect(400, "POST", f"{path}?enviroment=staging", single)["code"] == "invalid_query"
        contrary = single | {"environment": "development"}
        told = server.expect(400, "POST", f"{path}?environment=staging", contrary)
        assert told["errors"][0]["pointer"] == "/environment"
    # OFREP grows: what it does not know it passes over.
    assert server.request("POST", f"{OFREP}/feature?later=1", {})[0] == 200


@pytest.mark.parametrize("query", ["flagConfigEtag=abc", "flagConfigLastModified=1771622898"])
def test_a_client_that_was_told_of_a_change_gets_the_answer(server, query):
    tag = server.request("POST", OFREP, {})[1]["ETag"]
    known = {"If-None-Match": tag}
    assert server.request("POST", OFREP, {}, known)[0] == 304
    status, headers, answer = server.request("POST", f"{OFREP}?{query}", {}, known)
    assert status == 200 and headers["ETag"] == tag and answer["flags"]
    assert server.request("POST", f"{OFREP}?{query.split('=')[0]}=", {}, known)[0] == 304


# Coded content


def coded(body, coding: str = "gzip") -> tuple[bytes, dict]:
    return gzip.compress(json.dumps(body).encode()), {"Content-Encoding": coding}


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "identity, gzip"])
def test_content_that_is_coded_with_gzip_is_read_on_every_route(server, coding):
    context = {"context": {"targetingKey": "ada", "padding": "x" * 4_000}}
    assert server.expect(200, "POST", f"{OFREP}/feature", *coded(context, coding))["value"] is True
    assert server.expect(200, "POST", OFREP, *coded(context, coding))["flags"]
    single = {"tenantId": "acme", "flagKey": "feature"}
    assert server.expect(200, "POST", "/api/evaluate", *coded(single, coding))["enabled"] is True
    assert server.expect(200, "PATCH", "/api/flags/feature", *coded({"owner": "web"}, coding))["owner"] == "web"
    flags = {f"flag-{number}": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"}
             for number in range(1_000)}
    imported = server.expect(200, "POST", "/api/import", *coded({"flags": flags}, coding))
    assert "flags: 1000 created" in imported["lines"][0]


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip, br", "aes128gcm"])
@pytest.mark.parametrize("method, path", [("POST", f"{OFREP}/feature"), ("PATCH", "/api/flags/feature")])
def test_another_coding_is_refused_and_told_which_there_is(server, method, path, coding):
    status, headers, told = server.request(method, path, *coded({}, coding))
    assert (status, told["code"], headers["Accept-Encoding"]) == (415, "unsupported_content_coding", "gzip")


@pytest.mark.parametrize("method, path", [("POST", OFREP), ("PUT", "/api/flags/feature")])
def test_what_is_decoded_is_bounded_like_what_is_not(server, method, path):
    bomb = gzip.compress(b" " * (64 << 20), 9)
    assert len(bomb) < 100_000
    headers = {"Content-Encoding": "gzip"}
    told = server.expect(413, method, path, bomb, headers)
    assert told["code"] == "content_too_large" and "1048576 bytes" in told["detail"]
    whole = gzip.compress(b'{"context":{"a":"b"}}')
    for damaged in (whole[:-1], whole[:-9], b"{}", whole[:20] + b"\0" + whole[21:], whole + b"x"):
        assert server.expect(400, method, path, damaged, headers)["code"] == "invalid_request"
    assert server.request("POST", OFREP, zlib.compress(b"{}"), headers)[0] == 400
    # Several members make one content (RFC 1952, section 2.2).
    assert server.request("POST", OFREP, gzip.compress(b'{"context"') + gzip.compress(b":{}}"), headers)[0] == 200


# Explain


def test_explain_takes_the_body_of_an_evaluation_as_it_is(server):
    server.expect(200, "PUT", "/api/tenants/acme/flags/feature", {"enabled": False, "updatedBy": "ada"})
    for context, enabled, tenant in (
            ({"targetingKey": "ada"}, True, None), ({}, True, None), (None, True, None),
            ({"targetingKey": "ada", "tenantId": "acme"}, False, "acme"), ({"tenantId": None}, True, None)):
        body = {"context": context}
        for answer in (
                server.expect(200, "POST", "/api/explain?flagKey=feature", body),
                server.expect(200, "POST", "/api/explain", body | {"flagKey": "feature"})):
            assert (answer["enabled"], answer["tenantId"]) == (enabled, tenant)
            assert answer["value"] == server.expect(200, "POST", f"{OFREP}/feature", body)["value"]
    assert server.expect(200, "POST", "/api/explain", {"flagKey": "feature"})["enabled"] is True


@pytest.mark.parametrize("query, body, pointers", [
    ("", {"context": {}}, ["/flagKey"]),
    ("", {"context": {}, "flagKey": 7}, ["/flagKey"]),
    ("?flagKey=other", {"context": {}, "flagKey": "feature"}, ["/flagKey"]),
    ("", {"context": {}, "flagKey": "feature", "tenantId": "acme", "userId": "u"}, ["/tenantId", "/userId"]),
    ("", {"context": [], "flagKey": "feature"}, ["/context"]),
    ("?flagKey=feature", {"targetingKey": "ada"}, ["/context"]),
    ("?flagKey=", {"context": {}}, ["?flagKey"]),
    ("?flagKey=feature", {"tenantId": "acme", "flagKey": "feature"}, ["?flagKey"]),
    ("", {"userId": "u", "flagKey": "feature"}, ["/tenantId"]),
])
def test_what_explain_cannot_read_is_told(server, query, body, pointers):
    told = server.expect(400, "POST", f"/api/explain{query}", body)
    assert [error["pointer"] for error in told["errors"]] == pointers
