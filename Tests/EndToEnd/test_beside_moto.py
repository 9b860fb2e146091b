"""The same calls to `flag-server dynamodb` and to moto_server: every difference is known, and has its reason."""

import datetime
import json
import re
import subprocess
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from moto_calls import SCENES, Call
from moto_differences import DIFFERENCES, EVERYWHERE, Difference
from server import REPOSITORY, clean_environment, free_port
from tables import TableServer

UNORDERED = {"AttributeDefinitions", "GlobalSecondaryIndexes", "Responses"}
"""Lists whose order means nothing; so are the items of a scan."""


def client(port: int):
    """A client that sends what it is told to, also what the service will refuse."""
    return boto3.client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="any",
        aws_secret_access_key="any", config=Config(retries={"max_attempts": 0}, parameter_validation=False))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    server = TableServer(tmp_path_factory.mktemp("tables") / "data", "--store", "memory").start()
    yield client(server.port)
    server.kill()


@pytest.fixture(scope="module")
def motos(tmp_path_factory):
    programs = subprocess.run(
        [REPOSITORY / "scripts" / "install-python", "peer-moto", "Benchmarks/Peers/moto.txt"], check=True,
        capture_output=True, text=True).stdout.strip()
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [f"{programs}/moto_server", "-p", str(port)], stdout=output, stderr=output, env=clean_environment())
    caller = client(port)
    deadline = time.monotonic() + 60
    while True:
        try:
            caller.list_tables()
            break
        except Exception:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
    yield caller
    process.terminate()
    process.wait(20)


def answer(caller, call: Call) -> dict:
    """What a call is answered with, without what differs from run to run."""
    try:
        found = getattr(caller, call.operation)(**call.parameters)
    except ClientError as error:
        found = error.response
    found = {name: value for name, value in found.items() if name not in ("ResponseMetadata", "message", "Message")}
    return without_chance(found, call.operation)


def without_chance(value, name: str, operation: str = ""):
    """A value without identifiers, dates and accounts, and with lists that have no order in one."""
    operation = operation or name
    match value:
        case dict() if value and value.keys() <= {"SS", "NS", "BS"}:
            return {kind: sorted(map(str, elements)) for kind, elements in value.items()}
        case dict():
            return {key: without_chance(held, key, operation) for key, held in value.items()}
        case list():
            elements = [without_chance(element, name, operation) for element in value]
            if name in UNORDERED or operation == "batch_get_item" or (operation, name) == ("scan", "Items"):
                elements.sort(key=lambda element: json.dumps(element, sort_keys=True))
            return elements
        case datetime.datetime():
            return "a time"
        case str() if name in ("TableId", "Address"):
            return name
        case str():
            value = re.sub(r"arn:aws:dynamodb:[a-z0-9-]+:\d+:", "arn:aws:dynamodb:REGION:ACCOUNT:", value)
            return re.sub(r"backup/[0-9a-f-]+", "backup/ID", value)
        case bytes():
            return str(value)
    return value


def leaves(value, path: str = "") -> dict:
    """Every leaf of a value by its path; what is empty is a leaf too."""
    match value:
        case dict() if value:
            parts = [(f"{path}.{name}".removeprefix("."), held) for name, held in value.items()]
        case list() if value:
            parts = [(f"{path}[{place}]", held) for place, held in enumerate(value)]
        case _:
            return {path: value}
    return {inner: leaf for part, held in parts for inner, leaf in leaves(held, part).items()}


def differing(call: Call, ours: dict, motos: dict) -> dict[str, str]:
    """The paths at which two answers differ, with what stands there. Where one is an error and the other is not, or
    another one, that is the whole difference."""
    outcomes = [found.get("Error", {}).get("Code", "success") for found in (ours, motos)]
    if outcomes[0] != outcomes[1]:
        return {"outcome": f"{outcomes[0]} ({ours.get('Error', {}).get('Message')}), moto: {outcomes[1]}"}
    left, right = leaves(ours), leaves(motos)
    paths = sorted(path for path in left.keys() | right.keys() if path)
    pairs = {path: (left.get(path, "nothing"), right.get(path, "nothing")) for path in paths}
    return {path: f"{one!r:.200}, moto: {other!r:.200}" for path, (one, other) in pairs.items() if one != other}


@pytest.fixture(scope="module")
def met() -> set[Difference]:
    """What explained something so far."""
    return set()


@pytest.mark.parametrize("scene", SCENES)
def test_answers_differ_only_where_that_is_explained(ours, motos, met, scene):
    known = DIFFERENCES.get(scene, [])
    unexplained, needed = [], set()
    for call in SCENES[scene]:
        found = differing(call, answer(ours, call), answer(motos, call))
        for path, what in found.items():
            reasons = [difference for difference in [*known, *EVERYWHERE] if difference.covers(call, path)]
            needed |= {(difference, call.name) for difference in reasons}
            if not reasons:
                unexplained.append(f"{call.name} ({call.operation}), {path}: {what}")
    assert not unexplained, "no reason is known for these:\n" + "\n".join(unexplained)
    met |= {difference for difference, _ in needed}
    vanished = [f"{name}: {difference.reason}" for difference in known for name in difference.calls
                if (difference, name) not in needed]
    vanished += [difference.reason for difference in known if difference not in met]
    assert not vanished, "these differ no longer, or are no calls:\n" + "\n".join(vanished)


def test_what_differs_everywhere_still_does(met):
    if not met:
        pytest.skip("looks at what the scenes met, and none was played")
    assert [difference.reason for difference in EVERYWHERE if difference not in met] == []
