"""DynamoDB's protocol below the clients: headers, connections, errors that no client would cause, and durability."""

import http.client
import json
import threading
import zlib

import pytest
from botocore.exceptions import ClientError

from server import FlagServer, free_port, run_command
from tables import THINGS, TableServer, client_for


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    server = TableServer(tmp_path_factory.mktemp("tables") / "data", "--store", "memory").start()
    yield server
    server.kill()


@pytest.fixture
def named_page_tables(tmp_path):
    server = TableServer(tmp_path / "data", "--store", "memory", "--cors-origin", "http://localhost:5173").start()
    yield server
    server.kill()


def test_an_answer_carries_its_checksum_and_an_identifier(tables):
    answers = [tables.post("ListTables", {}), tables.post("GetItem", {"TableName": "nowhere"})]
    for status, headers, body in answers:
        assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
        assert headers["Content-Type"] == "application/x-amz-json-1.0"
        assert len(headers["x-amzn-RequestId"]) == 52
    assert answers[0][1]["x-amzn-RequestId"] != answers[1][1]["x-amzn-RequestId"]


def test_a_connection_stays_open_through_answers_and_errors(tables):
    connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=30)
    connection.connect()
    socket = connection.sock
    for operation, body in [("ListTables", b"{}"), ("ListTables", b"{"), ("Nothing", b"{}"), ("GetItem", b"{}")] * 5:
        tables.post(operation, body, connection=connection)
        assert connection.sock is socket
    connection.close()


@pytest.mark.parametrize("operation, body, kind", [
    ("ListTables", b"{", "com.amazon.coral.service#SerializationException"),
    ("ListTables", b'{"Limit": "1"}', "com.amazon.coral.service#SerializationException"),
    ("ListTables", b'{"Limit": 0}', "com.amazon.coral.validate#ValidationException"),
    ("Nothing", b"{}", "com.amazon.coral.service#UnknownOperationException"),
    ("DescribeTable", b'{"TableName": "nowhere"}', "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
])
def test_errors_name_their_kind(tables, operation, body, kind):
    status, _, content = tables.post(operation, body)
    assert status == 400
    assert json.loads(content)["__type"] == kind


@pytest.mark.parametrize("content_type, answered", [
    ("application/x-amz-json-1.0", "application/x-amz-json-1.0"),
    ("application/x-amz-json-1.0; charset=utf-8", "application/x-amz-json-1.0"),
    ("application/json", "application/json"),
])
def test_an_answer_is_of_the_type_of_the_request(tables, content_type, answered):
    for operation, body, status in [("ListTables", b"{}", 200), ("Nothing", b"{}", 400), ("Nothing", b"{", 400)]:
        answer = tables.post(operation, body, {"Content-Type": content_type})
        assert (answer[0], answer[1]["Content-Type"]) == (status, answered)
    # What is not JSON is told as such, whatever was to be done with it.
    assert json.loads(answer[2])["__type"] == "com.amazon.coral.service#SerializationException"


def test_what_is_no_request_is_not_found(tables):
    for content_type in ["text/plain", "application/x-amz-json-1.1"]:
        assert tables.post("ListTables", b"{}", {"Content-Type": content_type})[0] == 404
    for method, path in [("GET", "/other"), ("POST", "/other"), ("PUT", "/")]:
        connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=30)
        connection.request(
            method, path, b"{}", {"Content-Type": "application/json", "X-Amz-Target": "DynamoDB_20120810.ListTables"})
        assert connection.getresponse().status == 404
        connection.close()


def test_any_signature_or_none_is_accepted(tables):
    for value in ["AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0", "Bearer x"]:
        assert tables.post("ListTables", {}, {"Authorization": value})[0] == 200
    assert tables.post("ListTables", {})[0] == 200


def preflight(tables, origin: str):
    connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=30)
    connection.request("OPTIONS", "/", headers={
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-amz-target,authorization,x-anything"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_pages_of_other_origins_may_not_call(tables):
    assert "Access-Control-Allow-Origin" not in tables.post("ListTables", {})[1]
    for fields in [{"Origin": "http://x"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                   {"Origin": "http://x", "Content-Type": "text/plain"}]:
        status, answered, body = tables.post("ListTables", {}, fields)
        assert status == 403
        assert json.loads(body)["__type"].endswith("#AccessDeniedException")
        assert "Access-Control-Allow-Origin" not in answered
    response = preflight(tables, "http://x")
    assert response.status == 403
    assert "Access-Control-Allow-Headers" not in response.headers


def test_a_page_of_an_origin_that_was_named_may_call_and_read(named_page_tables):
    tables = named_page_tables
    status, fields, _ = tables.post("ListTables", {}, {"Origin": "http://localhost:5173"})
    assert status == 200
    assert fields["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert fields["Vary"] == "Origin"
    assert "x-amz-crc32" in fields["Access-Control-Expose-Headers"]
    assert tables.post("ListTables", {}, {"Origin": "http://localhost:5174"})[0] == 403
    response = preflight(tables, "http://localhost:5173")
    assert response.status == 200
    # What DynamoDB's clients send, whatever is asked for.
    assert "x-amz-target" in response.headers["Access-Control-Allow-Headers"]
    assert "x-anything" not in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Allow-Methods"] == "POST"


def test_a_name_that_was_made_to_lead_here_is_refused(tables):
    for host, status in [("evil.example", 421), ("127.0.0.1.evil.example:8000", 421), ("localhost", 200),
                         (f"127.0.0.1:{tables.port}", 200), ("[::1]:8000", 200), ("LOCALHOST.", 200)]:
        assert tables.post("ListTables", {}, {"Host": host})[0] == status, host


def test_what_is_no_call_is_told_so(tables):
    connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=30)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
    connection.request("PUT", "/", body=b"{}")
    response = connection.getresponse()
    assert response.status == 404
    assert b"This is a server of DynamoDB's protocol: POST / with" in response.read()
    connection.close()


def test_an_operation_that_there_is_not_is_named(tables):
    _, _, content = tables.post("ListImports", {})
    assert json.loads(content)["message"] == "DynamoDB_20120810.ListImports is no operation that this server has"


@pytest.mark.parametrize("service, call", [
    ("sts", lambda client: client.get_caller_identity()),
    ("sqs", lambda client: client.list_queues()),
    ("s3", lambda client: client.list_buckets()),
    ("lambda", lambda client: client.list_functions()),
    ("secretsmanager", lambda client: client.list_secrets()),
])
def test_a_client_of_another_service_is_told_which_server_this_is(tables, service, call):
    with pytest.raises(ClientError) as refused:
        call(client_for(tables.port, service=service))
    error = refused.value.response["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert error["Message"] == (
        f"This server answers for DynamoDB and not for {service}. AWS_ENDPOINT_URL is for all services: set "
        "AWS_ENDPOINT_URL_DYNAMODB in its place")


def test_resources_are_in_the_region_that_the_client_signed_for(tables):
    near, far = client_for(tables.port), client_for(tables.port, region="ap-southeast-2")
    near.create_table(**THINGS | {"TableName": "anywhere"})
    try:
        for client, region in [(far, "ap-southeast-2"), (near, "us-east-1")]:
            arn = client.describe_table(TableName="anywhere")["Table"]["TableArn"]
            assert arn.startswith(f"arn:aws:dynamodb:{region}:")
    finally:
        near.delete_table(TableName="anywhere")


def test_content_comes_as_its_checksum_has_it_also_when_a_coding_is_accepted(tables):
    for number in range(40):
        tables.post("CreateTable", THINGS | {"TableName": f"many-{number}-{'x' * 100}"})
    try:
        _, headers, body = tables.post(
            "ListTables", {}, {"Accept-Encoding": "gzip", "Content-Type": "application/json"})
        assert len(body) > 4000
        assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    finally:
        for number in range(40):
            tables.post("DeleteTable", {"TableName": f"many-{number}-{'x' * 100}"})


@pytest.mark.parametrize("hosts, address", [
    ("127.0.0.1,::1", "http://127.0.0.1:{port}, http://[::1]:{port}"),
    ("unix:{socket},127.0.0.1", "http://127.0.0.1:{port}"),
])
def test_beside_a_server_of_several_addresses_or_a_path(tmp_path, hosts, address):
    port = free_port()
    server = FlagServer(
        tmp_path / "data", "--host", hosts.format(socket=tmp_path / "flags.sock"), "--dynamodb-port", str(port))
    server.start()
    try:
        assert client_for(port).list_tables()["TableNames"] == ["feature-flags-local"]
        told = [line for line in server.log.splitlines() if "ready for DynamoDB clients" in line]
        assert address.format(port=port) in told[0]
    finally:
        server.kill()


def test_a_body_beyond_sixteen_megabytes_is_413(tables):
    connection = http.client.HTTPConnection("127.0.0.1", tables.port, timeout=30)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", str(16 * 1024 * 1024 + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_what_was_answered_survives_a_crash(data_dir):
    tables = TableServer(data_dir).start()
    tables.client.create_table(**THINGS)
    answered = []

    def write(writer: int):
        client = client_for(tables.port)
        try:
            for number in range(10_000):
                client.put_item(TableName="things", Item={
                    "pk": {"S": f"w{writer}"}, "sk": {"N": str(number)}, "group": {"S": "g"}})
                answered.append((writer, number))
        except Exception:
            # The server is gone, as it should be.
            return

    writers = [threading.Thread(target=write, args=[writer]) for writer in range(8)]
    for writer in writers:
        writer.start()
    while len(answered) < 400:
        writers[0].join(0.01)
    tables.kill()
    for writer in writers:
        writer.join()
    tables.start()
    try:
        pages = tables.client.get_paginator("scan").paginate(TableName="things", IndexName="by-group")
        stored = {(int(item["pk"]["S"][1:]), int(item["sk"]["N"])) for page in pages for item in page["Items"]}
        assert set(answered) <= stored
        described = tables.client.describe_table(TableName="things")["Table"]
        assert described["ItemCount"] == len(stored)
        assert tables.terminate() == 0
    finally:
        tables.kill()


def test_tables_alone_listen_on_loopback_only():
    completed = run_command("dynamodb", "--host", "0.0.0.0")
    assert completed.returncode == 64
    assert "loopback" in completed.stderr


def test_flags_and_tables_are_served_side_by_side(start_server, data_dir):
    port = free_port()
    server: FlagServer = start_server("--dynamodb-port", port)
    client = client_for(port)
    assert client.list_tables()["TableNames"] == ["feature-flags-local"]
    client.scan(TableName="feature-flags-local", ReturnConsumedCapacity="TOTAL")
    counted = server.metric("flag_server_dynamodb_consumed_units_total")
    assert counted['{table="feature-flags-local",index="",kind="read"}'] == 0.5
    requests = server.metric("flag_server_dynamodb_requests_total")
    assert requests['{operation="Scan",outcome="success"}'] == 1


def test_with_authentication_on_the_port_stays_closed(start_server):
    port = free_port()
    server: FlagServer = start_server("--auth", "on", "--dynamodb-port", port)
    with pytest.raises(OSError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
    assert "the DynamoDB port stays closed" in server.log
