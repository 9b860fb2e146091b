"""Access keys of the DynamoDB port with authentication on: signatures as boto3 and `aws` make them, and policies."""

import datetime
import hashlib
import http.client
import json
import subprocess
import time
import urllib.parse
from unittest import mock

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

import dynamodb
from server import REPOSITORY, FlagServer, free_port, run_command
from tables import THINGS, refusal

TABLE = "feature-flags-dev"
EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}


class Tables:
    """A server of the `dev` profile with authentication on and a DynamoDB port."""

    def __init__(self, data_dir, throttle="off"):
        self.port = free_port()
        self.server = FlagServer(
            data_dir, "--auth", "on", "--dynamodb-port", self.port, environment="dev",
            env={"FLAG_SERVER_THROTTLE_ADMINISTRATION": throttle})

    def command(self, *arguments):
        return run_command("access-keys", *arguments, "--profile", "dev", "--data-dir", self.server.data_dir)

    def create(self, policy, name="tests", *options) -> Credentials:
        """Makes a key by the command, and waits until the port is open."""
        path = self.server.data_dir.parent / "policy.json"
        path.write_text(json.dumps(policy))
        made = self.command("create", "--name", name, "--policy", path, "--format", "json", *options)
        assert made.returncode == 0, made.stderr
        answer = json.loads(made.stdout)
        self.await_port()
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"])

    def await_port(self):
        """Waits until the port is open: with the first key, and behind the port for flags."""
        deadline = time.monotonic() + 20
        while True:
            try:
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=5).connect()
                return
            except OSError:
                assert time.monotonic() < deadline, self.server.log
                time.sleep(0.005)

    def client(self, credentials, region="us-east-1", token=None):
        return boto3.client(
            "dynamodb", endpoint_url=f"http://127.0.0.1:{self.port}", region_name=region,
            aws_access_key_id=credentials.access_key, aws_secret_access_key=credentials.secret_key,
            aws_session_token=token, config=Config(retries={"total_max_attempts": 1}))

    def signed(self, credentials, operation="ListTables", body="{}", at=None, headers=None) -> AWSRequest:
        """A request as botocore signs it, at another time where one is given."""
        request = AWSRequest("POST", f"http://127.0.0.1:{self.port}/", data=body.encode(), headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Host": f"127.0.0.1:{self.port}", **(headers or {})})
        with clock(at):
            SigV4Auth(credentials, "dynamodb", "us-east-1").add_auth(request)
        return request

    def send(self, headers, body, target="/") -> tuple[int, str, str]:
        """Sends a request as it is: the status, the kind of error and what it says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        pairs = headers if isinstance(headers, list) else list(headers.items())
        for name, value in pairs:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if isinstance(body, str) else body)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        answer = json.loads(content) if content else {}
        return response.status, answer.get("__type", "").split("#")[-1], answer.get("message", "")


def clock(at):
    """Has botocore sign at another time; None is now."""
    return mock.patch("botocore.auth.get_current_datetime", lambda: at or now())


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    tables = Tables(tmp_path_factory.mktemp("access") / "data")
    with tables.server:
        tables.server.start()
        yield tables


@pytest.fixture(scope="module")
def admin(tables):
    """A key that may everything."""
    return tables.create(EVERYTHING, "admin")


@pytest.fixture(scope="module")
def things(tables, admin):
    """boto3's client of that key, with a table that has an index."""
    client = tables.client(admin)
    client.create_table(**THINGS)
    return client


def test_the_port_opens_with_the_first_key(tmp_path):
    tables = Tables(tmp_path / "data")
    with tables.server:
        tables.server.start()
        with pytest.raises(OSError):
            http.client.HTTPConnection("127.0.0.1", tables.port, timeout=5).connect()
        client = tables.client(tables.create(EVERYTHING))
        assert client.list_tables()["TableNames"] == [TABLE]
        tables.server.stop()
        tables.server.start()
        tables.await_port()
        assert client.list_tables()["TableNames"] == [TABLE]


def test_a_key_that_was_made_without_a_server_opens_the_port_at_start(tmp_path):
    tables = Tables(tmp_path / "data")
    with tables.server:
        tables.server.start()
        tables.server.stop()
        path = tmp_path / "policy.json"
        path.write_text(json.dumps(EVERYTHING))
        made = tables.command("create", "--name", "offline", "--policy", path)
        lines = dict(line.split("=", 1) for line in made.stdout.splitlines())
        assert list(lines) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], made
        tables.server.start()
        tables.await_port()
        client = tables.client(Credentials(*lines.values()))
        assert client.list_tables()["TableNames"] == [TABLE]
        stored = b"".join(path.read_bytes() for path in tables.server.data_dir.rglob("*") if path.is_file())
        assert lines["AWS_ACCESS_KEY_ID"].encode() in stored
        assert lines["AWS_SECRET_ACCESS_KEY"].encode() not in stored


def test_a_server_whose_own_key_is_gone_does_not_start(tmp_path):
    tables = Tables(tmp_path / "data")
    with tables.server:
        tables.server.start()
        tables.create(EVERYTHING)
        tables.server.stop()
        (tables.server.data_dir / "access.key").unlink()
        with pytest.raises(Exception, match="access.key is gone"):
            tables.server.start()


def test_boto3_does_everything(things, admin, tables):
    things.put_item(TableName="things", Item={"pk": {"S": "a"}, "sk": {"N": "1"}, "group": {"S": "g"}})
    things.update_item(
        TableName="things", Key={"pk": {"S": "a"}, "sk": {"N": "1"}}, UpdateExpression="SET note = :n",
        ExpressionAttributeValues={":n": {"S": "é ü"}})
    key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    assert things.get_item(TableName="things", Key=key)["Item"]["note"] == {"S": "é ü"}
    found = things.query(
        TableName="things", IndexName="by-group", KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"}, ExpressionAttributeValues={":g": {"S": "g"}})
    assert found["Count"] == 1
    things.batch_write_item(RequestItems={"things": [
        {"PutRequest": {"Item": {"pk": {"S": "b"}, "sk": {"N": str(number)}}}} for number in range(25)]})
    assert len(things.batch_get_item(RequestItems={"things": {"Keys": [key]}})["Responses"]["things"]) == 1
    things.transact_write_items(TransactItems=[
        {"ConditionCheck": {
            "TableName": "things", "Key": key, "ConditionExpression": "attribute_exists(pk)"}},
        {"Put": {"TableName": "things", "Item": {"pk": {"S": "c"}, "sk": {"N": "1"}}}}])
    assert things.transact_get_items(TransactItems=[{"Get": {"TableName": "things", "Key": key}}])["Responses"]
    # Content that is hashed away from the loop.
    large = {"pk": {"S": "large"}, "sk": {"N": "1"}, "text": {"S": "x" * 300_000}}
    things.put_item(TableName="things", Item=large)
    assert things.get_item(TableName="things", Key={"pk": {"S": "large"}, "sk": {"N": "1"}})["Item"] == large
    for region in ["eu-central-1", "ap-northeast-1"]:
        assert "things" in tables.client(admin, region).list_tables()["TableNames"]
    arn = tables.client(admin, "eu-central-1").describe_table(TableName="things")["Table"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-central-1:000000000000:table/things"


def test_large_content_is_checked_as_well(tables, admin):
    body = json.dumps({"TableName": "things", "Item": {"pk": {"S": "forged"}, "sk": {"N": "1"},
                                                       "text": {"S": "x" * 300_000}}})
    request = tables.signed(admin, "PutItem", body)
    status, kind, message = tables.send(request.headers, body.replace("xx", "xy", 1))
    assert (status, kind) == (400, "InvalidSignatureException")
    assert "does not match" in message


def test_the_aws_command_signs_as_well(tables, admin):
    def aws(*arguments):
        environment = dynamodb.environment(tables.port) | {
            "AWS_ACCESS_KEY_ID": admin.access_key, "AWS_SECRET_ACCESS_KEY": admin.secret_key}
        return subprocess.run(
            ["aws", "dynamodb", *arguments], capture_output=True, text=True, env=environment, timeout=60)

    item = {"PK": {"S": "FLAG#staging#cli"}, "SK": {"S": "METADATA"}, "flagKey": {"S": "cli"},
            "description": {"S": "A flag"}, "defaultEnabled": {"BOOL": True}, "owner": {"S": "team"},
            "createdAt": {"S": "2026-01-02T03:04:05Z"}}
    put = aws("put-item", "--table-name", TABLE, "--item", json.dumps(item))
    assert put.returncode == 0, put.stderr
    key = {name: item[name] for name in ["PK", "SK"]}
    got = aws("get-item", "--table-name", TABLE, "--key", json.dumps(key))
    assert json.loads(got.stdout)["Item"]["flagKey"] == {"S": "cli"}, got.stderr


def test_what_a_key_writes_is_in_its_name(tables, admin, things):
    made = run_command(
        "keys", "create", "--name", "look", "--kind", "admin", "--environment", "*", "--role", "admin", "--profile",
        "dev", "--data-dir", tables.server.data_dir)
    things.put_item(TableName=TABLE, Item=dynamodb.typed_flag("told"))
    path, shown = "/api/flags/told/history?environment=staging", {"X-API-Key": made.stdout.strip()}
    deadline = time.monotonic() + 5
    while not (entries := tables.server.expect(200, "GET", path, headers=shown)["history"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert entries[0]["by"] == f"access-key {admin.access_key}"
    assert f'"principal":"access-key {admin.access_key}"' in tables.server.log


# Signatures


def test_a_signed_request_is_taken_as_it_is(tables, admin):
    request = tables.signed(admin)
    assert tables.send(request.headers, "{}")[0] == 200
    # The digest of the content can be told as well.
    digest = hashlib.sha256(b"{}").hexdigest()
    told = tables.signed(admin, headers={"X-Amz-Content-SHA256": digest})
    assert tables.send(told.headers, "{}")[0] == 200


@pytest.mark.parametrize("name", ["Content-Type", "X-Amz-Target", "Host", "X-Amz-Date"])
def test_no_signed_field_can_be_changed(tables, admin, name):
    headers = dict(tables.signed(admin).headers)
    assert name.lower() in headers["Authorization"]
    before = headers[name]
    headers[name] = {
        "Content-Type": "application/json", "X-Amz-Target": "DynamoDB_20120810.DescribeLimits",
        "Host": f"localhost:{tables.port}",
        "X-Amz-Date": before[:-2] + ("1" if before[-2] != "1" else "2") + "Z"}[name]
    status, kind, message = tables.send(headers, "{}")
    assert (status, kind) == (400, "InvalidSignatureException"), message
    # Nor be taken away, or be there twice with another value.
    del headers[name]
    assert tables.send(headers, "{}")[0] >= 400
    if name != "Host":
        twice = [*headers.items(), (name, before), (name, "other")]
        assert tables.send(twice, "{}")[0] >= 400


@pytest.mark.parametrize("old, new, kind", [
    ("Credential=AKIA", "Credential=AKIB", "UnrecognizedClientException"),
    ("/us-east-1/", "/us-east-2/", "InvalidSignatureException"),
    ("/dynamodb/", "/dynamodc/", None), ("/dynamodb/", "/dynamo/db/", None),
    ("aws4_request", "aws5_request", "IncompleteSignatureException"),
    ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA1 ", "IncompleteSignatureException"),
    ("AWS4-HMAC-SHA256 ", "Bearer ", "MissingAuthenticationTokenException"),
    ("SignedHeaders=content-type;", "SignedHeaders=", "InvalidSignatureException"),
    ("host;", "", "InvalidSignatureException"), (";x-amz-target", "", "InvalidSignatureException"),
    (";x-amz-date", "", "InvalidSignatureException"), ("host;", "Host;", "IncompleteSignatureException"),
    ("host;", "host;host;", "IncompleteSignatureException"),
    ("host;", ";".join(f"h{number}" for number in range(70)) + ";host;", "IncompleteSignatureException"),
    ("Signature=", "Signature=0", "InvalidSignatureException"), ("Signature=", "Sig=", "IncompleteSignatureException"),
    ("SignedHeaders=", "Headers=", "IncompleteSignatureException"),
    ("Credential=", "Credential=x, Credential=", "IncompleteSignatureException"),
])
def test_no_part_of_the_authorization_can_be_changed(tables, admin, old, new, kind):
    headers = dict(tables.signed(admin).headers)
    assert old in headers["Authorization"]
    headers["Authorization"] = headers["Authorization"].replace(old, new)
    status, told, message = tables.send(headers, "{}")
    assert status == 400 and "Table" not in message
    if kind:
        assert told == kind, message


def test_neither_content_nor_query_nor_path_can_be_changed(tables, admin):
    headers = tables.signed(admin).headers
    assert tables.send(headers, "{ }")[1] == "InvalidSignatureException"
    assert tables.send(headers, "")[1] == "InvalidSignatureException"
    assert tables.send(headers, "{}", "/?a=b")[1] == "InvalidSignatureException"
    assert tables.send(headers, "{}", "/other")[0] == 404
    assert tables.send(headers, "{}", "//")[0] == 404


def test_every_digit_of_the_signature_counts(tables, admin):
    headers = dict(tables.signed(admin).headers)
    start, signature = headers["Authorization"].rsplit("=", 1)
    for place in range(len(signature)):
        changed = signature[:place] + ("0" if signature[place] != "0" else "1") + signature[place + 1:]
        headers["Authorization"] = f"{start}={changed}"
        assert tables.send(headers, "{}")[1] == "InvalidSignatureException", place
    headers["Authorization"] = f"{start}={signature}"
    assert tables.send(headers, "{}")[0] == 200


@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64, "", "x" * 64])
def test_the_content_is_always_signed(tables, admin, value):
    request = tables.signed(admin, headers={"X-Amz-Content-SHA256": value})
    assert tables.send(request.headers, "{}")[1] == "InvalidSignatureException"


def test_a_request_without_a_signature_is_told_so(tables, admin):
    headers = {"Host": "localhost", "Content-Type": "application/x-amz-json-1.0",
               "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    assert tables.send(headers, "{}") == (
        400, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
    # Also for an operation that there is none of, and for one that changes something.
    for operation in ["Nothing", "DeleteTable"]:
        headers["X-Amz-Target"] = f"DynamoDB_20120810.{operation}"
        assert tables.send(headers, json.dumps({"TableName": "things"}))[1] == "MissingAuthenticationTokenException"
    without_date = {name: value for name, value in tables.signed(admin).headers.items() if name != "X-Amz-Date"}
    assert tables.send(without_date, "{}")[1] == "IncompleteSignatureException"


@pytest.mark.parametrize("minutes, words", [(-6, "Signature expired: "), (6, "Signature not yet current: ")])
def test_clocks_may_not_be_six_minutes_apart(tables, admin, minutes, words):
    request = tables.signed(admin, at=now() + datetime.timedelta(minutes=minutes))
    status, kind, message = tables.send(request.headers, "{}")
    assert (status, kind) == (400, "InvalidSignatureException")
    assert message.startswith(words)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_may_be_four_minutes_apart(tables, admin, minutes):
    request = tables.signed(admin, at=now() + datetime.timedelta(minutes=minutes))
    assert tables.send(request.headers, "{}")[0] == 200


def test_who_is_not_known_is_refused(tables, admin):
    unknown = Credentials("AKIAAAAAAAAAAAAAAAAA", admin.secret_key)
    assert refusal(tables.client(unknown).list_tables)[0] == "UnrecognizedClientException"
    wrong = Credentials(admin.access_key, "x" * 40)
    assert refusal(tables.client(wrong).list_tables)[0] == "InvalidSignatureException"
    assert refusal(tables.client(admin, token="token").list_tables) == (
        "UnrecognizedClientException", "The security token included in the request is invalid.")


def test_a_revoked_key_is_refused_on_connections_that_are_open(tables, admin):
    key = tables.create(EVERYTHING, "short")
    client = tables.client(key)
    client.list_tables()
    revoked = tables.command("revoke", key.access_key, "--reason", "leaked")
    assert "revoked: leaked" in revoked.stdout, revoked.stderr
    assert refusal(client.list_tables)[0] == "UnrecognizedClientException"
    listed = tables.command("list").stdout.splitlines()
    assert [line for line in listed if key.access_key in line and "revoked" in line], listed
    assert json.loads(tables.command("show", key.access_key, "--format", "json").stdout)["state"] == "revoked"


# URLs that were signed beforehand


class PresignedAuth(SigV4QueryAuth):
    """botocore's, for a request whose content stays where it is."""

    def __init__(self, *arguments, content, **settings):
        super().__init__(*arguments, **settings)
        self.content = content

    def payload(self, request):
        return hashlib.sha256(self.content).hexdigest()


def presigned(tables, credentials, content="{}", expires=60, at=None) -> tuple[str, dict]:
    """The target and the headers of a signed URL."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables",
               "Host": f"127.0.0.1:{tables.port}"}
    request = AWSRequest("POST", f"http://127.0.0.1:{tables.port}/", headers=headers)
    with clock(at):
        PresignedAuth(
            credentials, "dynamodb", "us-east-1", expires=expires, content=content.encode()).add_auth(request)
    parts = urllib.parse.urlsplit(request.url)
    return f"/?{parts.query}", headers


def test_a_signed_url_is_good_for_its_time(tables, admin):
    target, headers = presigned(tables, admin)
    for _ in range(2):
        assert tables.send(headers, "{}", target)[0] == 200
    # Longer than requests may be old, and no longer than it says.
    target, headers = presigned(tables, admin, expires=3600, at=now() - datetime.timedelta(minutes=30))
    assert tables.send(headers, "{}", target)[0] == 200
    target, headers = presigned(tables, admin, expires=60, at=now() - datetime.timedelta(seconds=90))
    status, kind, message = tables.send(headers, "{}", target)
    assert (status, kind) == (400, "InvalidSignatureException") and message.startswith("Signature expired: ")
    target, headers = presigned(tables, admin, at=now() + datetime.timedelta(minutes=6))
    assert tables.send(headers, "{}", target)[1] == "InvalidSignatureException"


@pytest.mark.parametrize("old, new, kind", [
    ("X-Amz-Expires=60", "X-Amz-Expires=600", "InvalidSignatureException"),
    ("X-Amz-Expires=60", "X-Amz-Expires=604801", "IncompleteSignatureException"),
    ("X-Amz-Expires=60", "X-Amz-Expires=-1", "IncompleteSignatureException"),
    ("X-Amz-Expires=60&", "", "IncompleteSignatureException"),
    ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "IncompleteSignatureException"),
    ("X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target", "X-Amz-SignedHeaders=host", "InvalidSignatureException"),
    ("X-Amz-Credential=AKIA", "X-Amz-Credential=AKIB", "UnrecognizedClientException"),
    ("us-east-1", "us-west-1", "InvalidSignatureException"),
    ("X-Amz-Signature=", "a=b&X-Amz-Signature=", "InvalidSignatureException"),
    ("X-Amz-Signature=", "X-Amz-Signature=0", "InvalidSignatureException"),
    ("X-Amz-Signature=", "X-Amz-Signature=x&X-Amz-Signature=", "IncompleteSignatureException"),
    ("X-Amz-Signature=", "X-Amz-Security-Token=x&X-Amz-Signature=", "UnrecognizedClientException"),
])
def test_no_part_of_a_signed_url_can_be_changed(tables, admin, old, new, kind):
    target, headers = presigned(tables, admin)
    assert old in target, target
    status, told, message = tables.send(headers, "{}", target.replace(old, new, 1))
    assert (status, told) == (400, kind), message


def test_what_comes_with_a_signed_url_is_signed_too(tables, admin):
    target, headers = presigned(tables, admin)
    other = headers | {"X-Amz-Target": "DynamoDB_20120810.DescribeLimits"}
    assert tables.send(other, "{}", target)[1] == "InvalidSignatureException"
    assert tables.send(headers, '{"Limit": 1}', target)[1] == "InvalidSignatureException"
    both = headers | {"Authorization": tables.signed(admin).headers["Authorization"]}
    assert tables.send(both, "{}", target)[1] == "IncompleteSignatureException"


# Policies


def denial(name, action, resource, is_explicit=False) -> tuple[str, str]:
    reason = (
        "with an explicit deny in an identity-based policy" if is_explicit
        else f"because no identity-based policy allows the dynamodb:{action} action")
    return "AccessDeniedException", (
        f"User: arn:aws:iam::000000000000:user/{name} is not authorized to perform: dynamodb:{action} on resource: "
        f"{resource} {reason}")


def arn(table, rest=""):
    return f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}{rest}"


def test_the_operators_policies_are_held_to(tables):
    policies = REPOSITORY / "config" / "iam"
    operator = tables.client(tables.create(json.loads((policies / "flag-operators.json").read_text()), "operator"))
    operator.put_item(TableName=TABLE, Item=dynamodb.typed_flag("iam"))
    key = {"PK": {"S": "FLAG#staging#iam"}, "SK": {"S": "METADATA"}}
    operator.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET defaultEnabled = :f",
        ExpressionAttributeValues={":f": {"BOOL": False}})
    assert operator.get_item(TableName=TABLE, Key=key)["Item"]["defaultEnabled"] == {"BOOL": False}
    query = {"TableName": TABLE, "KeyConditionExpression": "PK = :k", "ExpressionAttributeValues": {":k": key["PK"]}}
    assert operator.query(**query)["Count"] == 1
    assert operator.scan(TableName=TABLE)["Count"] >= 1
    by_owner = {
        "TableName": TABLE, "IndexName": "GSI2-OWNER-INDEX", "KeyConditionExpression": "GSI2PK = :k",
        "ExpressionAttributeValues": {":k": {"S": "OWNER#staging#platform-team"}}}
    index = arn(TABLE, "/index/GSI2-OWNER-INDEX")
    assert refusal(operator.query, **by_owner) == denial("operator", "Query", index)
    with_indexes = tables.client(
        tables.create(json.loads((policies / "flag-operators-with-indexes.json").read_text()), "indexed"))
    assert with_indexes.query(**by_owner)["Count"] >= 1
    for call, action, resource in [
        (lambda: operator.delete_table(TableName=TABLE), "DeleteTable", arn(TABLE)),
        (lambda: operator.list_tables(), "ListTables", "*"),
        (lambda: operator.describe_table(TableName=TABLE), "DescribeTable", arn(TABLE)),
        (lambda: operator.get_item(TableName="things", Key=key), "GetItem", arn("things")),
        (lambda: operator.get_item(TableName="nowhere", Key=key), "GetItem", arn("nowhere")),
        (lambda: operator.get_item(TableName=arn("things"), Key=key), "GetItem", arn("things")),
        (lambda: operator.batch_get_item(RequestItems={TABLE: {"Keys": [key]}}), "BatchGetItem", arn(TABLE)),
        (lambda: operator.transact_write_items(TransactItems=[{"ConditionCheck": {
            "TableName": TABLE, "Key": key, "ConditionExpression": "attribute_exists(PK)"}}]),
         "ConditionCheckItem", arn(TABLE)),
        (lambda: operator.create_backup(TableName=TABLE, BackupName="one"), "CreateBackup", arn(TABLE)),
    ]:
        assert refusal(call) == denial("operator", action, resource)
    operator.transact_write_items(TransactItems=[{"Delete": {"TableName": TABLE, "Key": key}}])


def test_a_part_of_a_transaction_or_batch_that_is_not_allowed_keeps_all_from_being_done(tables, things):
    key = {"pk": {"S": "part"}, "sk": {"N": "1"}}
    client = tables.client(tables.create({"Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": arn("things")},
        {"Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": "*"}]}, "parts"))
    put = {"Put": {"TableName": "things", "Item": key}}
    delete = {"Delete": {"TableName": "things", "Key": {"pk": {"S": "x"}, "sk": {"N": "1"}}}}
    elsewhere = {"Put": {"TableName": TABLE, "Item": dynamodb.typed_flag("part")}}
    assert refusal(client.transact_write_items, TransactItems=[put, delete]) == denial(
        "parts", "DeleteItem", arn("things"), is_explicit=True)
    assert refusal(client.transact_write_items, TransactItems=[put, elsewhere]) == denial(
        "parts", "PutItem", arn(TABLE))
    assert refusal(client.batch_write_item, RequestItems={
        "things": [{"PutRequest": {"Item": key}}],
        TABLE: [{"PutRequest": {"Item": dynamodb.typed_flag("part")}}]}) == denial(
            "parts", "BatchWriteItem", arn(TABLE))
    assert "Item" not in things.get_item(TableName="things", Key=key)
    client.transact_write_items(TransactItems=[put])
    assert "Item" in things.get_item(TableName="things", Key=key)


def test_leading_keys_bound_what_is_reached(tables, things):
    client = tables.client(tables.create({"Statement": {
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "mine-*"}}}}, "leading"))

    def key(partition):
        return {"pk": {"S": partition}, "sk": {"N": "1"}}

    def query(partition, **more):
        return client.query(
            TableName="things", KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": partition}}, **more)

    client.put_item(TableName="things", Item=key("mine-1") | {"group": {"S": "mine-g"}})
    assert client.get_item(TableName="things", Key=key("mine-1"))["Item"]
    assert query("mine-1")["Count"] == 1
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "things", "Item": key("mine-2")}}])
    client.batch_get_item(RequestItems={"things": {"Keys": [key("mine-1"), key("mine-2")]}})
    group = {"TableName": "things", "IndexName": "by-group", "KeyConditionExpression": "#g = :g",
             "ExpressionAttributeNames": {"#g": "group"}}
    assert client.query(**group, ExpressionAttributeValues={":g": {"S": "mine-g"}})["Count"] == 1
    for call in [
        lambda: client.put_item(TableName="things", Item=key("theirs")),
        lambda: client.get_item(TableName="things", Key=key("theirs")),
        lambda: client.delete_item(TableName="things", Key=key("theirs")), lambda: query("theirs"),
        lambda: client.query(**group, ExpressionAttributeValues={":g": {"S": "g"}}),
        lambda: client.batch_get_item(RequestItems={"things": {"Keys": [key("mine-1"), key("theirs")]}}),
        lambda: client.batch_write_item(RequestItems={"things": [{"DeleteRequest": {"Key": key("theirs")}}]}),
        lambda: client.transact_get_items(TransactItems=[{"Get": {"TableName": "things", "Key": key("theirs")}}]),
        lambda: client.scan(TableName="things"), lambda: client.delete_table(TableName="things"),
        lambda: client.list_tables(),
    ]:
        assert refusal(call)[0] == "AccessDeniedException"


def test_attributes_bound_what_is_seen_and_written(tables, things):
    things.put_item(TableName="things", Item={
        "pk": {"S": "seen"}, "sk": {"N": "1"}, "note": {"S": "open"}, "secret": {"S": "hidden"}})
    client = tables.client(tables.create({"Statement": {
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": arn("things", "*"),
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "note"]}}}}, "attributes"))
    key = {"pk": {"S": "seen"}, "sk": {"N": "1"}}
    table = {"TableName": "things"}
    keyed = table | {"Key": key}
    assert client.get_item(**keyed, ProjectionExpression="note")["Item"] == {"note": {"S": "open"}}
    value = {":v": {"S": "v"}}
    client.update_item(**keyed, UpdateExpression="SET note = :v", ExpressionAttributeValues=value)
    query = table | {"KeyConditionExpression": "pk = :v"}
    client.query(**query, ProjectionExpression="note", ExpressionAttributeValues=value)
    client.query(**query, Select="COUNT", ExpressionAttributeValues=value)
    client.scan(**table, ProjectionExpression="pk, note")
    for call in [
        lambda: client.get_item(**keyed),
        lambda: client.get_item(**keyed, ProjectionExpression="note, secret"),
        lambda: client.get_item(
            **keyed, ProjectionExpression="#s", ExpressionAttributeNames={"#s": "secret"}),
        lambda: client.update_item(**keyed, UpdateExpression="SET note = secret"),
        lambda: client.update_item(
            **keyed, UpdateExpression="SET secret = :v", ExpressionAttributeValues=value),
        lambda: client.update_item(
            **keyed, UpdateExpression="SET note = if_not_exists(secret, :v)", ExpressionAttributeValues=value),
        lambda: client.update_item(
            **keyed, UpdateExpression="SET note = :v", ConditionExpression="begins_with(secret, :v)",
            ExpressionAttributeValues=value),
        lambda: client.update_item(
            **keyed, UpdateExpression="SET note = :v", ReturnValues="ALL_OLD", ExpressionAttributeValues=value),
        lambda: client.put_item(**table, Item=key | {"secret": {"S": "x"}}),
        lambda: client.put_item(**table, Item=key, ReturnValues="ALL_OLD"),
        lambda: client.query(**query, ExpressionAttributeValues=value),
        lambda: client.query(
            **query, Select="COUNT", FilterExpression="secret = :v", ExpressionAttributeValues=value),
        lambda: client.scan(**table), lambda: client.batch_get_item(RequestItems={"things": {"Keys": [key]}}),
        lambda: client.transact_get_items(TransactItems=[{"Get": keyed}]),
    ]:
        assert refusal(call)[0] == "AccessDeniedException"


def test_a_backup_is_its_tables_whatever_its_name_says(tables, things):
    backup = things.create_backup(TableName="things", BackupName="held")["BackupDetails"]["BackupArn"]
    client = tables.client(tables.create({"Statement": {
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": arn("mine", "*")}}, "backups"))
    forged = backup.replace("table/things", "table/mine")
    for name in [backup, forged]:
        for call in [client.describe_backup, client.delete_backup]:
            assert refusal(call, BackupArn=name)[0] == "AccessDeniedException"
        assert refusal(client.restore_table_from_backup, BackupArn=name, TargetTableName="mine")[0] == (
            "AccessDeniedException")
    restore = {"SourceTableName": "things", "TargetTableName": "mine", "UseLatestRestorableTime": True}
    assert refusal(client.restore_table_to_point_in_time, **restore)[0] == "AccessDeniedException"


def test_what_is_not_understood_is_told_when_the_key_is_made(tables, tmp_path):
    path = tmp_path / "policy.json"
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    statement = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": condition}
    path.write_text(json.dumps({"Statement": statement}))
    made = tables.command("create", "--name", "odd", "--policy", path)
    assert made.returncode == 0 and "never matches" in made.stderr
    path.write_text(json.dumps({"Statement": statement | {"Effect": "Deny"}}))
    refused = tables.command("create", "--name", "odd", "--policy", path)
    assert refused.returncode == 1 and "aws:SourceVpc" in refused.stderr and not refused.stdout
    path.write_text("{")
    assert str(path) in tables.command("create", "--name", "odd", "--policy", path).stderr


def test_what_boto3_signs_beforehand_has_its_parameters_where_no_server_reads_them(tables, admin):
    url = tables.client(admin).generate_presigned_url("get_item", Params={
        "TableName": "things", "Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}})
    parameters = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    # As Python writes them, which is no JSON; and the operation stands in a field that the URL has not.
    assert parameters["Key"] == "{'pk': {'S': 'a'}, 'sk': {'N': '1'}}"
    assert "x-amz-target" in parameters["X-Amz-SignedHeaders"] and "GetItem" not in url
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.GetItem",
               "Host": f"127.0.0.1:{tables.port}"}
    # The signature is good, and the content that was signed is empty.
    assert tables.send(headers, "", f"/?{urllib.parse.urlsplit(url).query}")[1] == "SerializationException"


# How often, and what is known of use


def test_an_address_that_nobody_signs_for_has_to_wait_and_whoever_signs_there_does_not(tmp_path):
    tables = Tables(tmp_path / "data", throttle="5/h")
    with tables.server:
        tables.server.start()
        key = tables.create(EVERYTHING)
        headers = {"Host": "localhost", "Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Target": "DynamoDB_20120810.ListTables"}
        wrong = dict(tables.signed(Credentials(key.access_key, "x" * 40)).headers)
        unknown = dict(tables.signed(Credentials("AKIAAAAAAAAAAAAAAAAA", "x" * 40)).headers)
        told = [tables.send(fields, "{}")[1] for fields in [headers, wrong, unknown, headers, wrong]]
        assert told == ["MissingAuthenticationTokenException", "InvalidSignatureException",
                        "UnrecognizedClientException", "MissingAuthenticationTokenException",
                        "InvalidSignatureException"]
        for fields in [headers, wrong, unknown]:
            status, kind, message = tables.send(fields, "{}")
            assert (status, kind) == (400, "ThrottlingException") and "try again in" in message
        for _ in range(20):
            assert tables.send(tables.signed(key).headers, "{}")[0] == 200


@pytest.mark.parametrize("signed_for", [None, "AKIAAAAAAAAAAAAAAAAA"])
def test_the_content_of_a_stranger_is_not_waited_for(tables, admin, signed_for):
    headers = {"Host": "localhost", "Content-Type": "application/x-amz-json-1.0",
               "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    if signed_for:
        headers = dict(tables.signed(Credentials(signed_for, "x" * 40)).headers)
    connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=10)
    connection.putrequest("POST", "/", skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(15 << 20))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 400 and b"AuthenticationToken" in (content := response.read()) or b"Unrecog" in content
    connection.close()


def test_a_key_can_have_a_rate_of_its_own(tables, admin):
    slow = tables.create(EVERYTHING, "slow", "--rate", "3/h")
    statuses = [tables.send(tables.signed(slow).headers, "{}")[:2] for _ in range(5)]
    assert statuses == [(200, "")] * 3 + [(400, "ThrottlingException")] * 2
    # Whoever cannot sign with it takes nothing from it.
    other = tables.create(EVERYTHING, "other", "--rate", "1/h")
    for _ in range(3):
        tables.send(tables.signed(Credentials(other.access_key, "x" * 40)).headers, "{}")
    assert tables.send(tables.signed(other).headers, "{}")[0] == 200
    assert "3/h" in tables.command("show", slow.access_key).stdout
    refused = tables.command("create", "--name", "x", "--policy", "x", "--rate", "fast")
    assert refused.returncode == 64 and "--rate must be" in refused.stderr


def test_the_day_of_a_keys_last_use_is_kept(tables, admin):
    key = tables.create(EVERYTHING, "seen")

    def shown():
        return json.loads(tables.command("show", key.access_key, "--format", "json").stdout)["lastUsed"]

    tables.send(tables.signed(Credentials(key.access_key, "x" * 40)).headers, "{}")
    assert shown() is None
    before = now().date().isoformat()
    tables.send(tables.signed(key).headers, "{}")
    deadline = time.monotonic() + 10
    while not (day := shown()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert day in (before, now().date().isoformat())
    assert f"used {day}" in tables.command("list").stdout
