"""The scene of the hostile drill that is about web pages: what a browser on this machine can be made to send."""

from hostile_load import Client, Stage
from hostile_scenes import Attack, scene, simple

FOREIGN = [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example", "Content-Type": "text/plain"},
]
"""What a browser says of a request that a page of another site has it send."""

REBOUND = ["evil.example", "127.0.0.1.evil.example:3001", "flags.evil.example."]
"""Names of a page's own that it can have lead to this machine."""

CHANGES = [
    ("POST", "/api/flags", simple("theirs")), ("PUT", "/api/flags/ours", simple("ours")),
    ("PATCH", "/api/flags/ours", {"defaultEnabled": False}), ("DELETE", "/api/flags/ours", None),
    ("POST", "/api/emergency/kill-switch", {"reason": "fun", "activatedBy": "page"}),
    ("POST", "/api/import?mode=replace", {"flags": []}), ("POST", "/api/segments", {"name": "theirs"}),
    ("POST", "/ofrep/v1/evaluate/flags/ours", {"context": {}}), ("POST", "/ofrep/v1/evaluate/flags", {}),
    ("POST", "/api/evaluate", {"tenantId": "acme", "flagKey": "ours"}),
    ("POST", "/api/explain", {"tenantId": "acme", "flagKey": "ours"}),
]

CALLS = [("ListTables", {}), ("Scan", {"TableName": "feature-flags-local"}),
         ("DeleteTable", {"TableName": "feature-flags-local"})]


@scene
def pages(stage: Stage) -> Attack:
    """Pages of other sites, and names of theirs that lead here, on both ports: nothing is done, read or counted."""
    stage.load_flags(simple("ours"))

    def send(client: Client):
        choose = client.chance.choice
        if choose([True, False]):
            (method, path, body), fields, wanted = choose(CHANGES), choose(FOREIGN), 403
        else:
            (method, path, body), fields, wanted = choose(CHANGES), {"Host": choose(REBOUND)}, 421
        status, _ = client.ask(method, path, body, fields)
        assert status == wanted, f"{method} {path} of a page with {fields} answered {status}"

    def call(client: Client):
        choose = client.chance.choice
        fields, wanted = choose([(choose(FOREIGN), 403), ({"Host": choose(REBOUND)}, 421)])
        operation, body = choose(CALLS)
        status, answer = client.table(operation, body, fields)
        # A content type of a form is no call at all.
        assert status == wanted, f"{operation} of a page with {fields} answered {status}: {answer[:200]}"

    def look(client: Client):
        for path in ("/api/flags", "/health", "/ofrep/v1/evaluate/flags/ours"):
            method, body = ("POST", {"context": {}}) if path.startswith("/ofrep") else ("GET", None)
            client.ask(method, path, body)
            fields = client.fields
            assert fields.get("X-Content-Type-Options") == "nosniff", f"{path} may be sniffed: {fields}"
            assert fields.get("Cache-Control") == "private, no-cache", f"{path} may be kept: {fields}"
            assert "Access-Control-Allow-Origin" not in fields, f"{path} lets pages read: {fields}"

    def check(_) -> list[str]:
        keys = {flag["flagKey"] for flag in stage.server.all_flags()}
        return [] if "ours" in keys and "theirs" not in keys else [f"pages changed the flags: {keys}"]

    return Attack([(2, send), (2, call), (1, look)], check=check)
