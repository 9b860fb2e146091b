"""Where moto_server answers otherwise than `flag-server dynamodb`, and what DynamoDB's documentation says of it.

"Guide" is the Amazon DynamoDB Developer Guide and "API" the Amazon DynamoDB API Reference, both at
https://docs.aws.amazon.com/amazondynamodb/latest/. In everything that is listed here moto is the one that differs from
them; where moto was right, flag-server was changed.
"""

import dataclasses
import re

from moto_calls import Call

OUTCOME = "outcome"
"""The path where one answer is a success and the other an error, or both are different errors."""
MESSAGE = r"Error\.Message"


@dataclasses.dataclass(frozen=True)
class Difference:
    """Why calls differ at paths. `calls` names them; an empty one stands for every call of the operations."""

    reason: str
    calls: tuple[str, ...] = ()
    paths: str = OUTCOME
    operations: tuple[str, ...] = ()

    def covers(self, call: Call, path: str) -> bool:
        named = call.name in self.calls if self.calls else call.operation in self.operations
        return named and re.fullmatch(self.paths, path) is not None


WORDING = ("Guide, Error handling, Error components: programs go by the exception's name, and no page lists the texts. "
           "Ours are those that public conformance suites expect of the service.")
VALIDATION = ("Guide, Error handling, Error messages and codes, ValidationException: a parameter that is missing, out "
              "of range or of the wrong type is 400.")
BROKEN = VALIDATION + " moto fails inside and answers 500."
OBSERVED = "No page says so: the service refuses it, as public conformance suites record."

TABLES = ("create_table", "describe_table", "update_table", "delete_table")
DESCRIPTION = r"Table(Description)?\."
INDEX = DESCRIPTION + r"GlobalSecondaryIndexes\[\d\]\."

EVERYWHERE = [
    Difference(
        "API, TableDescription: the lists of indexes represent one or more of them; moto answers empty lists.",
        operations=TABLES, paths=DESCRIPTION + "(Local|Global)SecondaryIndexes"),
    Difference("API, TableDescription, TableId: moto has none.", operations=TABLES, paths=DESCRIPTION + "TableId"),
    Difference(
        "API, TableDescription, ItemCount and TableSizeBytes: brought up to date about every six hours, so that any "
        "earlier figure is right.", operations=TABLES, paths=DESCRIPTION + "(ItemCount|TableSizeBytes)"),
    Difference(
        "API, GlobalSecondaryIndexDescription: IndexArn, IndexSizeBytes and ItemCount, which moto does not have.",
        operations=TABLES, paths=INDEX + "(IndexArn|IndexSizeBytes|ItemCount)"),
    Difference(
        "API, ProvisionedThroughputDescription, NumberOfDecreasesToday: moto leaves it out.",
        operations=TABLES, paths=f"({DESCRIPTION}|{INDEX})" + r"ProvisionedThroughput\.NumberOfDecreasesToday"),
    Difference(
        "API, BillingModeSummary, LastUpdateToPayPerRequestDateTime: when the mode was last set; moto has none.",
        operations=TABLES, paths=DESCRIPTION + r"BillingModeSummary\.LastUpdateToPayPerRequestDateTime"),
    Difference(
        "API, DeleteTable: after the request the table is in the DELETING state.",
        operations=("delete_table",), paths=DESCRIPTION + "TableStatus"),
    Difference(
        "API, DeleteTable, Sample response: of a table that goes name, status, size and throughput, and no more.",
        operations=("delete_table",),
        paths=DESCRIPTION + "(AttributeDefinitions|KeySchema|CreationDateTime|WarmThroughput|GlobalSecondaryIndexes).*"),
    Difference(
        "API, ItemCollectionMetrics: only if ReturnItemCollectionMetrics was specified.",
        operations=("batch_write_item", "transact_write_items"), paths="ItemCollectionMetrics"),
]

UNASKED = Difference(
    "API, ConsumedCapacity of each operation: only returned if ReturnConsumedCapacity was specified.",
    operations=("update_item", "batch_write_item", "batch_get_item", "transact_write_items"),
    paths="ConsumedCapacity.*")

DIFFERENCES: dict[str, list[Difference]] = {}

DIFFERENCES["lists"] = [
    Difference("API, ListTables, Limit: valid range from 1 to 100.", ("none at a time", "101 at a time")),
]

DIFFERENCES["tables"] = [
    Difference(WORDING, (
        "a table by demand with capacity", "a change of no table", "its removal again", "its removal"), MESSAGE),
    Difference(
        "API, CreateTable, TableName: 3 to 255 of a-z, A-Z, 0-9, _, - and .",
        ("a table's name too short", "a table's name with a blank")),
    Difference(
        "API, CreateTable, KeySchema: the first element must be HASH and the second RANGE.",
        ("two partition keys", "a sort key only")),
    Difference("API, AttributeDefinition, AttributeType: S, N or B.", ("a key of an unknown type",)),
    Difference(
        "API, GlobalSecondaryIndex, IndexName: unique among all indexes of the table.", ("two indexes of one name",)),
    Difference(
        "API, Projection: NonKeyAttributes are INCLUDE's; ALL has everything.",
        ("attributes with a projection of everything",)),
    Difference(
        "No page says so: BillingModeSummary appears once a table was on demand.",
        ("a provisioned table", "a description of a provisioned table", "more capacity"),
        DESCRIPTION + r"BillingModeSummary\.BillingMode"),
    Difference(
        "API, UpdateTable, ProvisionedThroughput: the new settings; moto keeps the table's warm throughput at the old.",
        ("more capacity",), DESCRIPTION + r"WarmThroughput\.(Read|Write)UnitsPerSecond"),
    Difference(
        OBSERVED, ("a change that changes nothing", "a change of nothing at all")),
    Difference(
        "API, CreateTable, BillingMode: with PROVISIONED the throughput must be specified.",
        ("a change to provisioned without figures",)),
    Difference(
        "API, ProvisionedThroughputDescription: 0 units on demand. moto keeps what was provisioned.",
        ("a change to demand",), DESCRIPTION + "(ProvisionedThroughput|WarmThroughput).*"),
    Difference(
        "API, TableDescription, AttributeDefinitions: each attribute of the table's and the indexes' keys; moto "
        "forgets those that UpdateTable did not repeat.",
        ("an index more", "an index less", "orders go"), DESCRIPTION + "AttributeDefinitions.*"),
    Difference(BROKEN, ("an index that there is", "an index less that there is not")),
    Difference(
        "Guide, Quotas, Throughput: 40,000 units a table and 80,000 an account.", ("the limits",), ".*CapacityUnits"),
    Difference(
        "API, UpdateTable, BillingMode: the table stays on demand; moto forgot it after a refused request.",
        ("the removal of a table",), DESCRIPTION + "(BillingModeSummary|ProvisionedThroughput|WarmThroughput).*"),
]

CANONICAL = "Guide, Supported data types, Number: leading and trailing zeroes are trimmed; a number has one form."
RETURNED = r"(Item|Attributes)\..*"

DIFFERENCES["items"] = [
    Difference(WORDING, (
        "a put that is to answer the new", "a put with an empty partition key", "a put with an empty set",
        "a put with NULL false", "a get with a key too few", "a get with a reserved word",
        "a removal that is to answer the new"), MESSAGE),
    Difference(
        "API, PutItem, Item: attributes that are part of an index key must have the type of its definition.",
        ("a put with an index key of another type",)),
    Difference(
        "Guide, Supported data types, Sets: each value within a set must be unique.",
        ("a put with a set that has something twice",)),
    Difference(
        "Guide, Supported data types, Number: up to 38 digits, 9.99e125 at most; more is an exception.",
        ("a put with a number too large", "a put with a number too exact")),
    Difference("API, AttributeValue: a union, of which exactly one member is given.", ("a put with two types",)),
    Difference(CANONICAL, ("and come back so", "a removal"), RETURNED),
    Difference(VALIDATION, ("a get with a key of another type",)),
    Difference(
        "Guide, Expression attribute names: #name stands for the name that it is given; moto loses it before an index.",
        ("a get of some attributes", "a get of an attribute inside")),
    Difference(OBSERVED, ("a get with paths that overlap",)),
    Difference(
        "Guide, Expression attribute names: each #name is to be defined.", ("a get with a name that is not given",)),
]

DIFFERENCES["updates"] = [
    UNASKED,
    Difference(WORDING, (
        "ADD of a string", "DELETE of a number", "a sum with a string", "list_append to a number",
        "a change of the same twice", "paths that overlap", "the same clause twice", "no such function",
        "an empty expression", "a value that nothing uses", "return values of no kind"), MESSAGE),
    Difference(
        "Guide, Document paths: a dot leads into a map, and the attribute is a number.",
        ("SET inside what is no map",)),
    Difference(
        "API, PutItem, Item: attributes that are part of an index key must have the type of its definition.",
        ("an index key of another type",)),
    Difference(BROKEN, ("a number beyond the range",)),
    Difference(
        "Guide, Supported data types, Number: more than 38 digits is an exception; moto rounds.",
        ("a sum that needs 39 digits",)),
    Difference(
        "It follows from the two before it: moto has stored what should have been refused.",
        ("ALL_OLD of what is there", "a condition that holds", "a condition that does not"),
        r"(Attributes|Item)\.(a|state)\..*"),
    Difference(
        "API, UpdateItem, ReturnValues: UPDATED_NEW is only the updated attributes, and one element was.",
        ("UPDATED_NEW of an element",), r"Attributes\.l\.L\[\d\]\.S"),
    Difference(
        "API, UpdateItem, UpdateExpression: not required; the item is made of its key.", ("an update of nothing",)),
]

COMPARISON = "Guide, Condition expressions, Comparison operator and function reference: "
DISTINCT = "No page says so: an operand is not compared with itself, as public conformance suites record."

DIFFERENCES["conditions"] = [
    Difference(WORDING, ("n = :v, #n='n', v=5", "exists(n)"), MESSAGE),
    Difference(
        COMPARISON + "attributes of two types are not equal, and none is before the other. moto answers 500.",
        ("n < :v, v='5'", "n >= :v, v='5'")),
    Difference(
        COMPARISON + "an order is of numbers, strings and binaries; public conformance suites record the refusal.",
        ("yes < :v, v=True", "ss < :v, v={'b'}")),
    Difference(
        "No page says so: what is not there equals nothing, as public conformance suites record.",
        ("nope = nada", "nope <> nada")),
    Difference(DISTINCT, (
        "n = n", "t IN (:a, t), a='x'", "begins_with(t, t)", "contains(t, t)")),
    Difference(
        OBSERVED, ("n BETWEEN :a AND :b, a=6, b=5", "t BETWEEN :a AND :b, a='z', b='a'")),
    Difference(
        COMPARISON + "attribute_type takes the names of types only, as a string.",
        ("attribute_type(t, :v), v='X'", "attribute_type(t, :v), v=1")),
    Difference(
        COMPARISON + "begins_with is for strings, and by the API's Condition for binaries as well.",
        ("begins_with(b, :v), v=b'\\x01'", "begins_with(t, :v), v=1")),
    Difference(
        COMPARISON + "size is of strings, binaries, sets, lists and maps; no other value has one. moto answers 500.",
        ("size(n) = :v, v=1", "size(yes) = :v, v=1", "size(nope) = :v, v=0")),
    Difference(
        COMPARISON + "an operand is a path or a value. moto answers 500.", ("size(:v) = :n, v='abc', n=3",)),
    Difference(
        "Guide, Condition expressions, Syntax: an expression is one condition at least, literals are :values.",
        ("(nothing)", "n = 5")),
    Difference(
        "Guide, Expression attribute values: given for the expression; one that nothing uses is refused, as the API's "
        "ValidationException has it.", ("n = :v, v=5, w=6",)),
    Difference(BROKEN, (
        "n BETWEEN :a AND :b, a='1', b=6", "n IN ()", "attribute_exists(:v), v='n'",
        "attribute_exists(n, t)", "n", "n =", "n = = :v, v=5", "(n = :v, v=5",
        "n = :v AND, v=5", "n == :v, v=5", "n != :v, v=5", "n = :w, v=5",
        "#n = :v, v=5", "size(n)", "attribute_exists", "n = size, v=5",
        "n = :v;, v=5", "begins_with(t)", "contains(t, :v, :v), v='x'")),
]

DIFFERENCES["queries"] = [
    Difference(WORDING, (
        "Select of attributes without them", "Select of all with a projection",
        "Select of what an index has, without an index", "a segment beyond the total", "a query without a condition"),
        MESSAGE),
    Difference(OBSERVED, ("between, turned round", "from a key of another partition")),
    Difference(BROKEN, (
        "begins_with on a number", "OR", "<> for the sort key", "from half a key", "a limit of nothing",
        "a scan of no items", "a scan from half a key")),
    Difference(VALIDATION, ("a key of another type",)),
    Difference(
        "API, Query, KeyConditionExpression: an equality test on the partition key, one comparison of the sort key.",
        ("three conditions", "the same condition twice")),
    Difference(
        "API, Query, LastEvaluatedKey: where the operation stopped; one that is there does not mean that more follows.",
        ("a page as long as what is left",), r"LastEvaluatedKey\..*"),
    Difference(
        "API, Query, FilterExpression: does not allow key attributes.", ("a filter on a key",)),
    Difference(
        "API, Query, Select, SPECIFIC_ATTRIBUTES: of a global index only attributes that are projected.",
        ("attributes that an index does not have",)),
    Difference(
        "API, Query, Errors: ResourceNotFoundException is of tables; a wrong IndexName is a wrong parameter.",
        ("no such index",)),
]

DIFFERENCES["batches"] = [
    UNASKED,
    Difference(WORDING, (
        "101 gets", "a get with a key too few in a batch", "a put with an empty key in a batch",
        "a put without its key in a batch"), MESSAGE),
    Difference("API, BatchWriteItem, RequestItems: 1 to 25 requests.", ("26 puts", "no puts", "no puts for a table")),
    Difference("API, BatchGetItem, RequestItems: 1 to 100 keys of a table.", ("no gets", "no gets from a table")),
    Difference("API, BatchWriteItem, WriteRequest: a put or a removal, not both.", ("a put and a removal in one",)),
]

DIFFERENCES["transactions"] = [
    UNASKED,
    Difference(WORDING, ("101 puts", "101 gets"), MESSAGE),
    Difference(
        "API, TransactionCanceledException: a key that is none of its table is a reason, ValidationError; so the "
        "service answers reads, too, as public conformance suites record.", ("a get with a key too few",)),
    Difference(
        "API, TransactGetItems, Get, ProjectionExpression: the attributes to retrieve, and no others.",
        ("what they did",), r"Responses\[\d\]\.Item\.(pk|sk)\..*"),
    Difference(
        "API, TransactionCanceledException: an operand of the wrong type and an unsupported index key are reasons, "
        "ValidationError.", ("an operand that does not fit", "an empty index key")),
    Difference(
        "API, TransactionCanceledException: the reasons' codes, of which ValidationError is this one's.",
        ("a put without its key",), r"CancellationReasons\[0\]\..*|Error\.Message"),
    Difference("API, ConditionCheck, ConditionExpression: required.", ("a check without a condition",)),
    Difference("API, TransactItems: 1 to 100 of them.", ("nothing", "nothing to get")),
    Difference(
        "API, TransactWriteItems, ClientRequestToken: calls that are the same have the effect of one.",
        ("it was done once",), r"Item\.n\.N"),
    Difference(
        "API, TransactWriteItems, ClientRequestToken: IdempotentParameterMismatch for other parameters.",
        ("with it for something else",)),
]

ARITHMETIC = ("Guide, Capacity unit consumption: writes by 1 KB of the larger of the old and the new item, and for "
              "each index that changes; reads by 4 KB, half when eventually consistent; moto counts requests.")

DIFFERENCES["capacity"] = [
    Difference(ARITHMETIC, (
        "a put of 2.5 KB", "a smaller one in its place", "a put with two indexes", "a consistent get", "a get of 9 KB",
        "an update", "a query", "a consistent query", "a scan", "a scan of an index", "a batch of puts",
        "a batch of gets", "a transaction", "by index"), "ConsumedCapacity.*"),
    Difference(
        "API, ReturnConsumedCapacity, INDEXES: for the table and each secondary index; this one is a global one.",
        ("by index, a query",), "ConsumedCapacity.*"),
]

DIFFERENCES["backups"] = [
    Difference(
        "API, BackupDetails, BackupSizeBytes: the backup's size; moto answers 123 always.",
        ("a backup", "the backups", "the backups of a table"), r".*\.BackupSizeBytes"),
    Difference(
        "API, BackupSummary, TableId: moto has none.", ("the backups", "the backups of a table"), r".*\.TableId"),
    Difference(
        "API, RestoreTableToPointInTime, Errors: TableNotFoundException, when the source table does not exist.",
        ("a restore of nothing to a moment",)),
]
