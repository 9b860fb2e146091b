"""Every operation of DynamoDB's API on tables and items, through boto3."""

from decimal import Decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from tables import THINGS, TableServer, refusal


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """One server for all tests of the module; each test has a table of its own."""
    server = TableServer(tmp_path_factory.mktemp("tables") / "data", "--store", "memory").start()
    yield server
    server.kill()


@pytest.fixture
def client(tables, request):
    """A client, with the table `things` made anew."""
    tables.client.create_table(**THINGS)
    yield tables.client
    tables.client.delete_table(TableName="things")


def thing(partition: str, sort: int, **attributes) -> dict:
    return {"pk": {"S": partition}, "sk": {"N": str(sort)}, **attributes}


def put(client, partition: str, sort: int, **attributes):
    client.put_item(TableName="things", Item=thing(partition, sort, **attributes))


def test_every_type_comes_back(client):
    everything = thing(
        "a", 1, text={"S": "é\"\\\n"}, empty={"S": ""}, number={"N": "-12345678901234567890.123456789012345678"},
        bytes={"B": bytes(range(256))}, yes={"BOOL": True}, no={"BOOL": False}, nothing={"NULL": True},
        list={"L": [{"S": "a"}, {"L": []}, {"M": {"x": {"N": "1"}}}]}, map={"M": {}},
        texts={"SS": ["a", "b"]}, numbers={"NS": ["-1", "2"]}, blobs={"BS": [b"\0", b"\xff"]})
    client.put_item(TableName="things", Item=everything)
    assert client.get_item(TableName="things", Key=thing("a", 1), ConsistentRead=True)["Item"] == everything


def test_the_resource_interface(tables, client):
    table = boto3.resource(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{tables.port}", region_name="us-east-1", aws_access_key_id="x",
        aws_secret_access_key="x").Table("things")
    with table.batch_writer() as batch:
        for sort in range(60):
            batch.put_item(Item={"pk": "a", "sk": Decimal(sort), "even": sort % 2 == 0})
    found = table.query(
        KeyConditionExpression=Key("pk").eq("a") & Key("sk").between(10, 19), FilterExpression=Attr("even").eq(True),
        ScanIndexForward=False)
    assert [int(item["sk"]) for item in found["Items"]] == [18, 16, 14, 12, 10]
    assert (found["Count"], found["ScannedCount"]) == (5, 10)
    assert table.item_count == 60


def test_put_update_and_delete_answer_what_is_asked(client):
    put(client, "a", 1, n={"N": "1"})
    old = client.put_item(TableName="things", Item=thing("a", 1, n={"N": "2"}), ReturnValues="ALL_OLD")
    assert old["Attributes"]["n"] == {"N": "1"}
    updated = client.update_item(
        TableName="things", Key=thing("a", 1), UpdateExpression="ADD n :d SET l = list_append(if_not_exists(l, :e), :l)",
        ExpressionAttributeValues={":d": {"N": "3"}, ":e": {"L": []}, ":l": {"L": [{"S": "x"}]}},
        ReturnValues="UPDATED_NEW")
    assert updated["Attributes"] == {"n": {"N": "5"}, "l": {"L": [{"S": "x"}]}}
    gone = client.delete_item(TableName="things", Key=thing("a", 1), ReturnValues="ALL_OLD")
    assert gone["Attributes"]["n"] == {"N": "5"}
    assert "Item" not in client.get_item(TableName="things", Key=thing("a", 1))


def test_a_failed_condition_shows_the_item_to_those_who_ask(client):
    put(client, "a", 1)
    with pytest.raises(ClientError) as failure:
        client.put_item(
            TableName="things", Item=thing("a", 1), ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert failure.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert failure.value.response["Item"] == thing("a", 1)


def test_pages_of_queries_and_scans(client):
    for sort in range(25):
        put(client, "a", sort, group={"S": "g"}, note={"S": "n"}, more={"S": "m"})
    pages = client.get_paginator("query").paginate(
        TableName="things", IndexName="by-group", KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"}, ExpressionAttributeValues={":g": {"S": "g"}},
        PaginationConfig={"PageSize": 7})
    items = [item for page in pages for item in page["Items"]]
    assert [int(item["sk"]["N"]) for item in items] == list(range(25))
    assert set(items[0]) == {"pk", "sk", "group", "note"}
    seen = []
    for segment in range(3):
        for page in client.get_paginator("scan").paginate(
                TableName="things", Segment=segment, TotalSegments=3, PaginationConfig={"PageSize": 4}):
            seen += [int(item["sk"]["N"]) for item in page["Items"]]
    assert sorted(seen) == list(range(25))


def test_a_page_is_at_most_a_megabyte(client):
    for sort in range(5):
        put(client, "a", sort, v={"S": "x" * 300_000})
    first = client.query(
        TableName="things", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "a"}},
        ReturnConsumedCapacity="TOTAL")
    assert first["Count"] == 3
    assert first["LastEvaluatedKey"] == thing("a", 2)
    assert first["ConsumedCapacity"]["CapacityUnits"] == pytest.approx(110, abs=1)


def test_batches(client):
    client.batch_write_item(RequestItems={"things": [{"PutRequest": {"Item": thing("a", n)}} for n in range(25)]})
    answer = client.batch_write_item(RequestItems={"things": [{"DeleteRequest": {"Key": thing("a", 0)}}]})
    assert answer["UnprocessedItems"] == {}
    found = client.batch_get_item(RequestItems={"things": {
        "Keys": [thing("a", n) for n in range(30)], "ProjectionExpression": "sk", "ConsistentRead": True}})
    assert sorted(int(item["sk"]["N"]) for item in found["Responses"]["things"]) == list(range(1, 25))
    assert found["UnprocessedKeys"] == {}


def test_transactions(client):
    put(client, "b", 1)
    with pytest.raises(client.exceptions.TransactionCanceledException) as failure:
        client.transact_write_items(TransactItems=[
            {"Put": {"TableName": "things", "Item": thing("a", 1)}},
            {"ConditionCheck": {
                "TableName": "things", "Key": thing("b", 1), "ConditionExpression": "attribute_not_exists(pk)"}},
        ])
    assert [reason["Code"] for reason in failure.value.response["CancellationReasons"]] == [
        "None", "ConditionalCheckFailed"]
    assert "[None, ConditionalCheckFailed]" in failure.value.response["Error"]["Message"]
    client.transact_write_items(TransactItems=[
        {"Put": {"TableName": "things", "Item": thing("a", 1)}},
        {"Update": {
            "TableName": "things", "Key": thing("c", 1), "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}}}},
        {"Delete": {"TableName": "things", "Key": thing("b", 1)}},
    ])
    found = client.transact_get_items(TransactItems=[
        {"Get": {"TableName": "things", "Key": thing(partition, 1)}} for partition in "abc"])
    assert found["Responses"] == [{"Item": thing("a", 1)}, {}, {"Item": thing("c", 1, n={"N": "1"})}]


def test_a_transaction_is_done_once_for_its_token(client):
    add = [{"Update": {
        "TableName": "things", "Key": thing("a", 1), "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}}}}]
    for _ in range(3):
        client.transact_write_items(TransactItems=add, ClientRequestToken="once")
    assert client.get_item(TableName="things", Key=thing("a", 1))["Item"]["n"] == {"N": "1"}
    code, _ = refusal(
        client.transact_write_items, TransactItems=[{"Delete": {"TableName": "things", "Key": thing("a", 1)}}],
        ClientRequestToken="once")
    assert code == "IdempotentParameterMismatchException"


def test_tables_are_made_described_changed_listed_and_deleted(tables):
    client = tables.client
    client.create_table(
        TableName="books", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "B"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
    client.get_waiter("table_exists").wait(TableName="books")
    assert "books" in client.list_tables()["TableNames"]
    assert refusal(
        client.create_table, TableName="books", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "B"}], BillingMode="PAY_PER_REQUEST",
    ) == ("ResourceInUseException", "Table already exists: books")
    client.update_table(
        TableName="books", ProvisionedThroughput={"ReadCapacityUnits": 50, "WriteCapacityUnits": 50})
    table = client.describe_table(TableName="books")["Table"]
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 50
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"].endswith(":table/books")
    client.delete_table(TableName="books")
    client.get_waiter("table_not_exists").wait(TableName="books")
    assert refusal(client.describe_table, TableName="books") == (
        "ResourceNotFoundException", "Requested resource not found: Table: books not found")


def test_an_index_is_added_and_removed(client):
    put(client, "a", 1, rank={"N": "7"})
    client.update_table(
        TableName="things", AttributeDefinitions=[{"AttributeName": "rank", "AttributeType": "N"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "by-rank", "KeySchema": [{"AttributeName": "rank", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}}])
    found = client.query(
        TableName="things", IndexName="by-rank", KeyConditionExpression="#r = :r",
        ExpressionAttributeNames={"#r": "rank"}, ExpressionAttributeValues={":r": {"N": "7.0"}})
    assert found["Items"] == [thing("a", 1, rank={"N": "7"})]
    client.update_table(
        TableName="things", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-rank"}}])
    assert refusal(client.scan, TableName="things", IndexName="by-rank") == (
        "ValidationException", "The table does not have the specified index: by-rank")


def test_limits_and_endpoints(tables):
    assert tables.client.describe_limits()["TableMaxReadCapacityUnits"] == 40_000
    (endpoint,) = tables.client.describe_endpoints()["Endpoints"]
    assert endpoint["Address"] == f"127.0.0.1:{tables.port}"
