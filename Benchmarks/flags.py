"""The flags and requests that the cases use."""

import json

KEY = "premium-checkout"

TARGETED = {
    "state": "ENABLED",
    "variants": {"on": True, "off": False},
    "defaultVariant": "off",
    "targeting": {"if": [
        {"and": [{"==": [{"var": "plan"}, "premium"]}, {"in": [{"var": "country"}, ["CH", "DE", "AT"]]}]}, "on", None]},
}
"""A flag whose rule reads two attributes."""

REQUEST = b'{"context":{"targetingKey":"user-4711","tenantId":"tenant-0815","plan":"premium","country":"CH",' \
          b'"email":"jane.doe@example.com","beta":true}}'
"""An evaluation request of 140 bytes, to which the rule above answers `on`."""

assert len(REQUEST) == 140, len(REQUEST)


def request_for(tenant: str, user: str) -> bytes:
    """The same request of another tenant and user."""
    body = json.loads(REQUEST)
    body["context"] |= {"tenantId": tenant, "targetingKey": user}
    return json.dumps(body, separators=(",", ":")).encode()


def document(count: int) -> dict:
    """A flagd document of `count` flags: `KEY`, and others of which every third has a rule."""
    flags = {KEY: TARGETED}
    for number in range(count - 1):
        rule = {"targeting": TARGETED["targeting"]} if number % 3 == 0 else {}
        flags[f"flag-{number:05d}"] = {
            "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on", **rule}
    return {"flags": flags}
