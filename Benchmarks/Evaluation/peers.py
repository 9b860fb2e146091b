"""Measures the engines from PyPI on the flags of `cases/evaluation.py`: reads them from standard input, prints
{case: {peer: nanoseconds}}. What an engine's rules cannot say is left out.
"""

import http.server
import json
import sys
import threading
import time

from flipt_client import FliptClient
from flipt_client.models import ClientOptions
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from yggdrasil_engine.engine import UnleashEngine

SECONDS = 0.25
"""For how long a case is called."""


def nanoseconds(call) -> float:
    for _ in range(5):
        call()
    count, start, now = 0, time.perf_counter_ns(), 0
    end = start + int(SECONDS * 1e9)
    while now < end:
        for _ in range(10):
            call()
        count += 10
        now = time.perf_counter_ns()
    return (now - start) / count


def main():
    data = json.load(sys.stdin)
    results = {}
    for name, cases in [("flagd", flagd(data)), ("Unleash", unleash(data)), ("Flipt", flipt(data))]:
        for case, (call, expected) in cases.items():
            answer = call()
            if expected is not None and answer != expected:
                raise SystemExit(f"{name} answers {answer!r} for {case}, not {expected!r}: the comparison would be unfair")
            results.setdefault(case, {})[name] = nanoseconds(call)
    print(json.dumps(results))


EXPECTED = {"static": False, "equality": True, "ten-rules": True, "fractional": None, "in-1000": True, "semver": True}


def bulk(data: dict, count: int, ask) -> tuple:
    keys = [key for key in data["flags"]["flags"] if key.startswith("bulk-")][:count]

    def call():
        for key in keys:
            ask(key)

    return call, None


# flagd

def flagd(data: dict) -> dict:
    core = FlagdCore()
    core.set_flags(json.dumps(data["flags"]))
    attributes = dict(data["context"])
    context = EvaluationContext(attributes.pop("targetingKey"), attributes)
    cases = {
        key: (lambda key=key: core.resolve_boolean_value(key, False, context).value, expected)
        for key, expected in EXPECTED.items() if key != "fractional"
    }
    cases["fractional"] = (lambda: core.resolve_string_value("fractional", "", context).value, None)
    for count in (100, 1000):
        cases[f"bulk:{count}"] = bulk(data, count, lambda key: core.resolve_boolean_value(key, False, context))
    cases["parse"] = (lambda text=json.dumps(data["request"]): json.loads(text) and None, None)
    return cases


# Unleash

def constraint(name: str, operator: str, *values: str) -> dict:
    single = {"value": values[0]} if operator.startswith(("SEMVER", "NUM")) else {"values": list(values)}
    return {"contextName": name, "operator": operator, **single}


def strategy(*constraints: dict) -> dict:
    return {"name": "default", "parameters": {}, "constraints": list(constraints)}


def unleash(data: dict) -> dict:
    fields = data["context"]
    premium = strategy(constraint("plan", "IN", "premium"))
    # "or" is several strategies.
    ten = [strategy(constraint("plan", "IN", f"plan-{number}"), other) for number in range(9)
           for other in (constraint("country", "IN", "de"), constraint("age", "NUM_GT", "65"))]
    ten += [strategy(constraint("plan", "IN", "premium"), constraint("country", "IN", "de")),
            strategy(constraint("plan", "IN", "premium"), constraint("age", "NUM_GT", "18"))]
    thousand = [f"user-{number}" for number in range(4_000, 5_000)]
    strategies = {
        "static": None, "equality": [premium], "ten-rules": ten,
        "in-1000": [strategy(constraint("userId", "IN", *thousand))],
        "semver": [strategy(constraint("version", "SEMVER_GT", "2.1.0"))],
        "fractional": [strategy()],
    }
    for number in range(1_000):
        strategies[f"bulk-{number:04d}"] = [strategy()] if number % 3 else [premium]
    features = [{"name": name, "type": "release", "enabled": rules is not None, "strategies": rules or [strategy()]}
                for name, rules in strategies.items()]
    variants = [{"name": name, "weight": 250, "weightType": "variable", "stickiness": "userId"} for name in "abcd"]
    next(feature for feature in features if feature["name"] == "fractional")["variants"] = variants
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": features}))
    context = {"userId": fields["targetingKey"],
               "properties": {name: str(value) for name, value in fields.items() if name != "targetingKey"}}
    cases = {
        key: (lambda key=key: engine.check_enabled(key, context).is_enabled, expected)
        for key, expected in EXPECTED.items() if key != "fractional"
    }
    cases["fractional"] = (lambda: engine.check_variant("fractional", context).name, None)
    for count in (100, 1000):
        cases[f"bulk:{count}"] = bulk(data, count, lambda key: engine.check_enabled(key, context))
    return cases


# Flipt

def segment_constraint(name: str, operator: str, value: str, kind: str = "STRING") -> dict:
    return {"type": f"{kind}_CONSTRAINT_COMPARISON_TYPE", "property": name, "operator": operator, "value": value}


def segment(key: str, *constraints: dict, match: str = "ALL") -> dict:
    return {"key": key, "matchType": f"{match}_SEGMENT_MATCH_TYPE", "constraints": list(constraints)}


def rollout(rank: int, value: bool, *segments: dict) -> dict:
    return {"type": "SEGMENT_ROLLOUT_TYPE", "rank": rank,
            "segment": {"value": value, "segmentOperator": "AND_SEGMENT_OPERATOR", "segments": list(segments)}}


def flipt(data: dict) -> dict:
    premium = rollout(1, True, segment("premium", segment_constraint("plan", "eq", "premium")))
    ten = [
        rollout(number + 1, number == 9,
                segment(f"plan-{number}", segment_constraint("plan", "eq", f"plan-{number}" if number < 9 else "premium")),
                segment(f"or-{number}", segment_constraint("country", "eq", "de"),
                        segment_constraint("age", "gt", "65" if number < 9 else "18", "NUMBER"), match="ANY"))
        for number in range(10)
    ]
    thousand = json.dumps([f"user-{number}" for number in range(4_000, 5_000)])
    rollouts = {
        "static": [], "equality": [premium], "ten-rules": ten,
        "in-1000": [rollout(1, True, segment("listed", segment_constraint("user", "isoneof", thousand)))],
    }
    for number in range(1_000):
        rollouts[f"bulk-{number:04d}"] = [] if number % 3 else [premium]
    flags = [{"key": key, "name": key, "type": "BOOLEAN_FLAG_TYPE", "enabled": False, "rules": [], "rollouts": rules}
             for key, rules in rollouts.items()]
    flags.append({
        "key": "fractional", "name": "fractional", "type": "VARIANT_FLAG_TYPE", "enabled": True, "rollouts": [],
        "rules": [{"id": "1", "rank": 1, "segmentOperator": "OR_SEGMENT_OPERATOR",
                   "segments": [segment("premium", segment_constraint("plan", "eq", "premium"))],
                   "distributions": [{"ruleId": "1", "rollout": 25, "variantId": name, "variantKey": name,
                                      "variantAttachment": ""} for name in "abcd"]}]})
    address = serve(json.dumps({"namespace": {"key": "default"}, "flags": flags}).encode())
    client = FliptClient(ClientOptions(url=address, update_interval=3600))
    context = {name: str(value) for name, value in data["context"].items()} | {"user": data["context"]["targetingKey"]}
    user = data["context"]["targetingKey"]
    cases = {
        key: (lambda key=key: client.evaluate_boolean(key, user, context).enabled, expected)
        for key, expected in EXPECTED.items() if key in rollouts
    }
    cases["fractional"] = (lambda: client.evaluate_variant("fractional", user, context).variant_key, None)
    for count in (100, 1000):
        cases[f"bulk:{count}"] = bulk(data, count, lambda key: client.evaluate_boolean(key, user, context))
    return cases


def serve(document: bytes) -> str:
    """A Flipt server that has nothing but a snapshot; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


if __name__ == "__main__":
    main()
