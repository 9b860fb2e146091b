"""Whatever is sent, the answer says what is wrong with it, nothing is stored, and the server goes on."""

import json
import re
import socket

import pytest

from server import FlagServer

FLAG = b'{"flagKey":"%s","description":"A flag","owner":"tests","defaultEnabled":true}'
DEEP = b"[" * 5_000 + b"]" * 5_000
JSON = {"Content-Type": "application/json"}

API_CASES = {
    "malformed JSON": ("POST", "/api/flags", b"{", 400),
    "text after the JSON": ("POST", "/api/flags", FLAG % b"a" + b"}", 400),
    "an empty body": ("POST", "/api/flags", b"", 400),
    "an array for an object": ("POST", "/api/flags", b"[]", 400),
    "nested too deep": ("POST", "/api/flags", DEEP, 400),
    "bytes that are not UTF-8": ("POST", "/api/flags", FLAG % b"\xff\xfe", 400),
    "a lone surrogate": ("POST", "/api/flags", FLAG % b"\\ud800", 400),
    "a control character in a key": ("POST", "/api/flags", FLAG % b"a\\u0000b", 400),
    "a key of 129 characters": ("POST", "/api/flags", FLAG % (b"k" * 129), 400),
    "a duplicate member": ("POST", "/api/flags", b'{"flagKey":"a",' + (FLAG % b"a")[1:], 400),
    "a number for a key": ("POST", "/api/flags", b'{"flagKey":1,"description":"x","owner":"x"}', 400),
    "an unknown member": ("POST", "/api/flags", (FLAG % b"a")[:-1] + b',"enabeld":true}', 400),
    "an unknown environment": ("GET", "/api/flags?environment=test", None, 400),
    "an unknown query parameter": ("GET", "/api/flags?page=2", None, 400),
    "a limit that is no number": ("GET", "/api/flags?limit=many", None, 400),
    "a broken escape in a path": ("GET", "/api/flags/%z1", None, 400),
    "bad UTF-8 in a path": ("GET", "/api/flags/%ff%fe", None, 400),
    "a NUL in a path": ("GET", "/api/flags/a%00b", None, 400),
    "a body over 1 MiB": ("POST", "/api/flags", b" " * (1 << 20) + b"{}", 413),
    "a stored flag over 300 KB": (
        "POST", "/api/flags",
        b'{"flagKey":"big","description":"Big","owner":"x","state":"ENABLED","variants":{"a":"' + b"x" * 320_000
        + b'"},"defaultVariant":"a"}', 400),
    "an unknown route": ("GET", "/api/flagz", None, 404),
    "no route at all": ("GET", "/", None, 404),
    "another method": ("DELETE", "/api/flags", None, 405),
    "an unknown method": ("BREW", "/api/flags", None, (405, 501)),
    "evaluating without a tenant": ("POST", "/api/evaluate", b'{"flagKey":"a"}', 400),
    "evaluating with a member of the wrong type": ("POST", "/api/evaluate", b'{"flagKey":"a","tenantId":[]}', 400),
    "evaluating with bad UTF-8": ("POST", "/api/evaluate", b'{"flagKey":"\xc3\x28","tenantId":"t"}', 400),
    "metadata that is no object": ("POST", "/api/evaluate", b'{"flagKey":"a","tenantId":"t","metadata":1}', 400),
    "a tenant of 101 characters": (
        "POST", "/api/evaluate", b'{"flagKey":"a","tenantId":"%s"}' % (b"t" * 101), 400),
    "a batch of 51": (
        "POST", "/api/evaluate/batch", json.dumps({"tenantId": "t", "flagKeys": ["a"] * 51}).encode(), 400),
    "a kill switch without a reason": (
        "POST", "/api/emergency/kill-switch", b'{"all":true,"activatedBy":"x"}', 400),
    "a kill switch of an empty variable": (
        "POST", "/api/emergency/kill-switch", b'{"flagKey":null,"reason":"x","activatedBy":"x"}', 400),
    "a kill switch of no flag": (
        "POST", "/api/emergency/kill-switch", b'{"flagKey":"none","reason":"x","activatedBy":"x"}', 404),
    "an end of all by leaving out the flag": (
        "POST", "/api/emergency/kill-switch/deactivate", b'{"deactivatedBy":"x"}', 400),
    "a kill switch of a misspelt member": (
        "POST", "/api/emergency/kill-switch", b'{"flagkey":"a","reason":"x","activatedBy":"x"}', 400),
}

OFREP_CASES = {
    "malformed JSON": (b"{", "PARSE_ERROR"),
    "bytes that are not UTF-8": (b'{"context":{"a":"\xff"}}', "PARSE_ERROR"),
    "nested too deep": (b'{"context":{"a":' + DEEP + b"}}", "PARSE_ERROR"),
    "a context that is no object": (b'{"context":1}', "INVALID_CONTEXT"),
    "a tenant that is no string": (b'{"context":{"tenantId":1}}', "INVALID_CONTEXT"),
}

RAW_CASES = {
    "no HTTP": (b"hello\r\n\r\n", b"400"),
    "a request line without end": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    "a header without end": (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n", b"431"),
    "two lengths": (b"POST /api/flags HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b"400"),
    "a length that is none": (b"POST /api/flags HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n{", b"400"),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
    "another version": (b"GET /health HTTP/3.0\r\nHost: x\r\n\r\n", b"505"),
    "a body too large by its length": (
        b"POST /api/flags HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
}


@pytest.mark.parametrize("case", API_CASES)
def test_a_bad_request_is_refused_with_a_problem(case, shared_server: FlagServer):
    method, path, body, expected = API_CASES[case]
    status, headers, problem = shared_server.request(method, path, body, JSON if body is not None else None)
    assert status in (expected if isinstance(expected, tuple) else (expected,)), problem
    assert headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert all(isinstance(problem[member], str) and problem[member] for member in ("type", "title", "detail", "code"))
    for error in problem.get("errors", []):
        assert error["pointer"] == "" or error["pointer"][0] in "/?", "a JSON pointer, or a query parameter"
        assert error["detail"]
    if status == 405:
        assert headers["Allow"]
    assert shared_server.all_flags() == []


@pytest.mark.parametrize("path", ["/ofrep/v1/evaluate/flags/some-flag", "/ofrep/v1/evaluate/flags"])
@pytest.mark.parametrize("case", OFREP_CASES)
def test_a_bad_evaluation_is_refused_in_the_protocols_words(case, path, shared_server: FlagServer):
    body, code = OFREP_CASES[case]
    status, headers, failure = shared_server.request("POST", path, body, JSON)
    assert (status, headers["Content-Type"], failure["errorCode"]) == (400, "application/json", code)
    assert failure["errorDetails"]
    assert ("key" in failure) == path.endswith("some-flag")


@pytest.mark.parametrize("case", RAW_CASES)
def test_bytes_that_are_no_request_are_refused_and_the_connection_closed(case, shared_server: FlagServer):
    sent, status = RAW_CASES[case]
    with socket.create_connection(("127.0.0.1", shared_server.port), timeout=20) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            pass  # Refused before all of it was sent; the answer is still there to read.
        answer = b""
        while received := connection.recv(65536):
            answer += received
    assert answer.split(b" ")[:2] == [b"HTTP/1.1", status], answer[:200]
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) == 1
    assert shared_server.request("GET", "/health/ready")[0] == 200
