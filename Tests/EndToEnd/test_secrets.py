"""Nothing secret is told: every route is asked with marks in all places, and no mark is found again where none may be.

Contexts of evaluations, credentials and what a client sends beside them are not to be in the log, in metrics or in the
data directory, and are not said again in a response, but to whoever sent a context that a rule fails on.
"""

import base64
import re
import urllib.parse

import pytest

from server import FlagServer, run_command

MARKS = {
    "context": "mark-context-7f3a91", "field": "mark-field-51c0de", "query": "mark-query-90ab12",
    "bearer": "mark-bearer-d4e5f6", "basic": "mark-basic-334455", "key": "mark-key-a1b2c3",
    "cookie": "mark-cookie-667788",
}


def encodings(text: str) -> list[bytes]:
    """What a mark could look like: as it is, and in base64 at each of its three places."""
    shifted = [base64.b64encode(b"x" * count + text.encode())[4 if count else 0:-4] for count in range(3)]
    return [text.encode(), text.encode("utf-16-le"), *shifted]


def credentials(admin: str) -> list[dict]:
    """Ways to show, or not to show, who asks."""
    basic = base64.b64encode(f"user:{MARKS['basic']}".encode()).decode()
    return [
        {"Authorization": f"Bearer {admin}"}, {"Authorization": f"Bearer {MARKS['bearer']}"},
        {"Authorization": f"Basic {basic}"}, {"Authorization": f"Digest {MARKS['bearer']}"},
        {"X-API-Key": MARKS["key"]}, {"X-API-Key": admin, "Authorization": f"Bearer {MARKS['bearer']}"}, {},
    ]


CONTEXT = {"targetingKey": MARKS["context"], "card": MARKS["context"], "nested": {"list": [MARKS["context"]]}}
EVALUATIONS = {
    "/ofrep/v1/evaluate/flags/{key}": {"context": CONTEXT}, "/ofrep/v1/evaluate/flags": {"context": CONTEXT},
    "/api/evaluate": {"tenantId": "t", "flagKey": "f", "userId": MARKS["context"], "metadata": CONTEXT},
    "/api/evaluate/batch": {"tenantId": "t", "flagKeys": ["f"], "userId": MARKS["context"], "metadata": CONTEXT},
}
"""What is evaluated. The explanation of an evaluation shows its context to whoever sent it, and is asked apart."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A server that was asked everything: with all that it said and what it left behind."""
    server = FlagServer(
        tmp_path_factory.mktemp("secrets") / "data", "--auth", "on", "--log-level", "trace",
        env={"FLAG_SERVER_THROTTLE_ADMINISTRATION": "off"})
    with server:
        server.start()
        yield ask_everything(server)


def ask_everything(server):
    """Asks every route of the API document in every way."""
    made = run_command(
        "keys", "create", "--name", "admin", "--kind", "admin", "--environment", "*", "--role", "admin", "--data-dir",
        server.data_dir)
    admin = made.stdout.strip()
    # A rule that fails on the context, which the log tells of.
    rule = {"if": [{"==": [{"var": "card"}, "other"]}, "on", {"var": "card"}]}
    flag = {"flagKey": "f", "description": "d", "owner": "o", "state": "ENABLED", "defaultVariant": "off",
            "variants": {"on": True, "off": False}, "targeting": rule}
    bearer = {"Authorization": f"Bearer {admin}"}
    server.expect(201, "POST", "/api/flags", flag, bearer)
    paths = server.expect(200, "GET", "/openapi.json", headers=bearer)["paths"]
    told = []
    for path, item in paths.items():
        for method in sorted(item.keys() - {"parameters"}):
            told += ask(server, path, method.upper(), admin)
    told.append(str(server.request("GET", "/metrics", headers=bearer)))
    server.terminate()
    return server, admin, told


def ask(server, path, method, admin) -> list[str]:
    """Asks a route in all ways, and answers what came back."""
    told = []
    target = re.sub(r"{\w+}", "f" if "evaluate" in path else "none", path)
    beside = {"Cookie": f"session={MARKS['cookie']}", "X-Marked": MARKS["field"],
              "Proxy-Authorization": f"Basic {MARKS['basic']}", "X-Amz-Security-Token": MARKS["key"]}
    body = EVALUATIONS.get(path)
    if body is None and method in ("POST", "PUT", "PATCH", "DELETE"):
        body = {"unknownMember": [MARKS["context"]]}
    for shown in credentials(admin):
        for query in ("", f"?key={admin}", f"?token={MARKS['query']}"):
            told.append(repr(server.request(method, target + query, body, shown | beside)))
    return told


def kept(server) -> dict[str, bytes]:
    """The files of the data directory, but the server's own key."""
    return {str(path): path.read_bytes() for path in server.data_dir.rglob("*")
            if path.is_file() and path.name != "access.key"}


@pytest.mark.parametrize("mark", sorted(MARKS.keys()))
def test_no_marked_secret_is_told_or_kept_anywhere(asked, mark):
    server, _, told = asked
    for form in encodings(MARKS[mark]):
        assert form not in server.log.encode(), "the log"
        for name, content in kept(server).items():
            assert form not in content, name
        for response in told:
            # An evaluation says to its own sender what the rule made of the context.
            if "which is no variant of the flag" not in response:
                assert form not in response.encode(), response


def test_nor_is_the_secret_of_a_key_that_was_let_in(asked):
    server, admin, told = asked
    secret = admin.split("_")[3]
    for form in [*encodings(secret), urllib.parse.quote(secret).encode()]:
        assert form not in server.log.encode()
        assert not [name for name, content in kept(server).items() if form in content]
        assert not [response for response in told if form.decode(errors="ignore") in response]


def test_the_marks_were_let_in_and_the_log_was_on(asked):
    server, _, told = asked
    assert len(told) > 1000 and "request" in server.log and sum("(200," in response for response in told) > 50
    assert "evaluations of a flag fail" in server.log
