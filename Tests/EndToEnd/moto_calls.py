"""The calls that `test_beside_moto` makes of both servers, scene by scene; each scene has tables of its own.

A call is its name, the operation in boto3's spelling, and its parameters. Items are written short: `item(pk="a", n=1)`.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a scene."""

    name: str
    operation: str
    parameters: dict


def value(python):
    """An attribute value as it travels: what is a `dict` already stays as it is."""
    match python:
        case dict(): return python
        case None: return {"NULL": True}
        case bool(): return {"BOOL": python}
        case int() | float(): return {"N": str(python)}
        case str(): return {"S": python}
        case bytes(): return {"B": python}
        case list(): return {"L": [value(element) for element in python]}
        case set(): return {"SS": sorted(python)}
    raise TypeError(python)


def item(**attributes) -> dict:
    return {name: value(held) for name, held in attributes.items()}


def values(**named) -> dict:
    """`ExpressionAttributeValues`, without the colons."""
    return {f":{name}": value(held) for name, held in named.items()}


def number(text: str) -> dict:
    return {"N": text}


def table(name: str, *keys: str, indexes=(), **more) -> dict:
    """Parameters of CreateTable. Keys are written `pk:S`; an index is (name, keys, projection)."""
    named = dict(key.split(":") for index in [keys, *(keys for _, keys, _ in indexes)] for key in index)
    members = {"TableName": name, "KeySchema": schema(keys), "BillingMode": "PAY_PER_REQUEST",
               "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in named.items()]}
    if indexes:
        members["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": schema(keys), "Projection": projection}
            for index, keys, projection in indexes]
    return {**members, **more}


def schema(keys) -> list[dict]:
    return [{"AttributeName": key.split(":")[0], "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"))]


ALL = {"ProjectionType": "ALL"}
KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}
ORDERS = table("orders", "pk:S", "sk:N", indexes=[
    ("by-state", ("state:S", "sk:N"), ALL),
    ("by-owner", ("owner:S",), KEYS_ONLY),
    ("by-city", ("city:S", "pk:S"), {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]})])


def units(read: int, write: int) -> dict:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


TABLES = [
    Call("a table by demand", "create_table", ORDERS),
    Call("the same again", "create_table", ORDERS),
    Call("a provisioned table", "create_table", {
        **table("fixed", "id:B"), "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 6)}),
    Call("a table without capacity", "create_table", {**table("none-1", "id:S"), "BillingMode": "PROVISIONED"}),
    Call("a table by demand with capacity", "create_table", {
        **table("none-2", "id:S"), "ProvisionedThroughput": units(1, 1)}),
    Call("a table's name too short", "create_table", table("ab", "id:S")),
    Call("a table's name with a blank", "create_table", table("a b c", "id:S")),
    Call("an attribute that no key uses", "create_table", {
        **table("none-3", "id:S"), "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "more", "AttributeType": "S"}]}),
    Call("a key without a type", "create_table", {
        **table("none-4", "id:S"), "AttributeDefinitions": [{"AttributeName": "other", "AttributeType": "S"}]}),
    Call("two partition keys", "create_table", {
        **table("none-5", "id:S", "b:S"), "KeySchema": [
            {"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "HASH"}]}),
    Call("a sort key only", "create_table", {
        **table("none-6", "id:S"), "KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}),
    Call("a key of an unknown type", "create_table", table("none-7", "id:BOOL")),
    Call("an empty list of indexes", "create_table", {**table("none-8", "id:S"), "GlobalSecondaryIndexes": []}),
    Call("two indexes of one name", "create_table", table(
        "none-9", "id:S", indexes=[("same", ("a:S",), ALL), ("same", ("b:S",), ALL)])),
    Call("attributes with a projection of everything", "create_table", table("none-10", "id:S", indexes=[
        ("i-1", ("a:S",), {"ProjectionType": "ALL", "NonKeyAttributes": ["x"]})])),
    Call("a description", "describe_table", {"TableName": "orders"}),
    Call("a description of a provisioned table", "describe_table", {"TableName": "fixed"}),
    Call("a description of nothing", "describe_table", {"TableName": "nowhere"}),
    Call("more capacity", "update_table", {"TableName": "fixed", "ProvisionedThroughput": units(50, 60)}),
    Call("a change that changes nothing", "update_table", {
        "TableName": "fixed", "ProvisionedThroughput": units(50, 60)}),
    Call("a change to demand", "update_table", {"TableName": "fixed", "BillingMode": "PAY_PER_REQUEST"}),
    Call("a change of nothing at all", "update_table", {"TableName": "fixed"}),
    Call("a change to provisioned without figures", "update_table", {
        "TableName": "fixed", "BillingMode": "PROVISIONED"}),
    Call("an index more", "update_table", {
        "TableName": "orders", "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "rank", "AttributeType": "N"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-rank", "KeySchema": schema(["rank:N"]), "Projection": ALL}}]}),
    Call("an index that there is", "update_table", {
        "TableName": "orders", "AttributeDefinitions": [{"AttributeName": "rank", "AttributeType": "N"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-rank", "KeySchema": schema(["rank:N"]), "Projection": ALL}}]}),
    Call("an index less", "update_table", {
        "TableName": "orders", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-rank"}}]}),
    Call("an index less that there is not", "update_table", {
        "TableName": "orders", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-rank"}}]}),
    Call("a change of no table", "update_table", {"TableName": "nowhere", "BillingMode": "PAY_PER_REQUEST"}),
    Call("the endpoints", "describe_endpoints", {}),
    Call("the limits", "describe_limits", {}),
    Call("the removal of a table", "delete_table", {"TableName": "fixed"}),
    Call("its removal again", "delete_table", {"TableName": "fixed"}),
    Call("a table that must stay", "create_table", {**table("kept", "id:S"), "DeletionProtectionEnabled": True}),
    Call("its removal", "delete_table", {"TableName": "kept"}),
    Call("it need not stay", "update_table", {"TableName": "kept", "DeletionProtectionEnabled": False}),
    Call("its removal now", "delete_table", {"TableName": "kept"}),
    Call("orders go", "delete_table", {"TableName": "orders"}),
]


LISTS = [
    *(Call(f"{name} is made", "create_table", table(name, "id:S")) for name in ("apples", "bananas", "cherries")),
    Call("the tables", "list_tables", {}),
    Call("the first two", "list_tables", {"Limit": 2}),
    Call("those after", "list_tables", {"ExclusiveStartTableName": "bananas"}),
    Call("none at a time", "list_tables", {"Limit": 0}),
    Call("101 at a time", "list_tables", {"Limit": 101}),
    *(Call(f"{name} goes", "delete_table", {"TableName": name}) for name in ("apples", "bananas", "cherries")),
]


def orders(name: str, operation: str, **parameters) -> Call:
    """A call on the table `orders`."""
    return Call(name, operation, {"TableName": "orders", **parameters})


def key(pk="a", sk=1) -> dict:
    return item(pk=pk, sk=sk)


EVERYTHING = item(
    pk="all", sk=1, text="é\"\\\n", empty="", yes=True, no=False, nothing=None, bytes=b"\x00\xff", no_bytes=b"",
    list=["a", [], 1, {"M": item(x=1)}], map={"M": {}}, texts={"a", "b"}, numbers={"NS": ["-1", "2"]},
    blobs={"BS": [b"\x00", b"\xff"]}, exact=number("-12345678901234567890.123456789012345678"))

ITEMS = [
    Call("orders", "create_table", ORDERS),
    orders("every type", "put_item", Item=EVERYTHING),
    orders("every type comes back", "get_item", Key=key("all"), ConsistentRead=True),
    orders("a put of something new", "put_item", Item=item(pk="a", sk=1, n=1), ReturnValues="ALL_OLD"),
    orders("a put in its place", "put_item", Item=item(pk="a", sk=1, n=2, m={"M": item(x=1)}), ReturnValues="ALL_OLD"),
    orders("a put that is to answer the new", "put_item", Item=key(), ReturnValues="ALL_NEW"),
    orders("a put with a condition that holds", "put_item", Item=item(pk="a", sk=1, n=3),
           ConditionExpression="n = :n", ExpressionAttributeValues=values(n=2)),
    orders("a put with a condition that does not", "put_item", Item=item(pk="a", sk=1, n=4),
           ConditionExpression="attribute_not_exists(pk)"),
    orders("the same, which shows the item", "put_item", Item=item(pk="a", sk=1, n=4),
           ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    orders("a put without its sort key", "put_item", Item=item(pk="a")),
    orders("a put with a sort key of another type", "put_item", Item=item(pk="a", sk="1")),
    orders("a put with an empty partition key", "put_item", Item=item(pk="", sk=1)),
    orders("a put with an index key of another type", "put_item", Item=item(pk="a", sk=2, state=1)),
    orders("a put with an empty index key", "put_item", Item=item(pk="a", sk=2, state="")),
    orders("a put with an empty set", "put_item", Item=item(pk="a", sk=2, s={"SS": []})),
    orders("a put with a set that has something twice", "put_item", Item=item(pk="a", sk=2, s={"SS": ["x", "x"]})),
    orders("a put with a number that is none", "put_item", Item=item(pk="a", sk=2, n=number("one"))),
    orders("a put with a number too large", "put_item", Item=item(pk="a", sk=2, n=number("1e126"))),
    orders("a put with a number too exact", "put_item", Item=item(pk="a", sk=2, n=number("1" * 39))),
    orders("a put with two types", "put_item", Item=item(pk="a", sk=2, n={"N": "1", "S": "1"})),
    orders("a put with NULL false", "put_item", Item=item(pk="a", sk=2, n={"NULL": False})),
    orders("a put that is too large", "put_item", Item=item(pk="a", sk=2, t="x" * 410_000)),
    orders("a put with a partition key too long", "put_item", Item=item(pk="x" * 2049, sk=2)),
    Call("a put into no table", "put_item", {"TableName": "nowhere", "Item": key()}),
    orders("numbers are written in one way", "put_item", Item=item(
        pk="n", sk=number("0010"), a=number("1.50"), b=number("-0"), c=number("1E3"), d=number("1e-5"),
        e=number("+7"), f=number("0.0")), ReturnValues="NONE"),
    orders("and come back so", "get_item", Key=item(pk="n", sk=10)),
    orders("a get of nothing", "get_item", Key=key("none")),
    orders("a get with a key too many", "get_item", Key=item(pk="a", sk=1, n=1)),
    orders("a get with a key too few", "get_item", Key=item(pk="a")),
    orders("a get with a key of another type", "get_item", Key=item(pk=1, sk=1)),
    orders("a get of some attributes", "get_item", Key=key("all"), ProjectionExpression="#l[0], #l[2], texts, nope",
           ExpressionAttributeNames={"#l": "list"}),
    orders("a get of an attribute inside", "get_item", Key=key("all"), ProjectionExpression="#l[3].x",
           ExpressionAttributeNames={"#l": "list"}),
    orders("a get with a reserved word", "get_item", Key=key("all"), ProjectionExpression="list"),
    orders("a get with paths that overlap", "get_item", Key=key("all"), ProjectionExpression="texts, texts[0]"),
    orders("a get with a name that nothing uses", "get_item", Key=key("all"), ProjectionExpression="texts",
           ExpressionAttributeNames={"#l": "list"}),
    orders("a get with a name that is not given", "get_item", Key=key("all"), ProjectionExpression="#l"),
    orders("a get with names and no expression", "get_item", Key=key("all"),
           ExpressionAttributeNames={"#l": "list"}),
    orders("a removal", "delete_item", Key=key("n", 10), ReturnValues="ALL_OLD"),
    orders("a removal of nothing", "delete_item", Key=key("n", 10), ReturnValues="ALL_OLD"),
    orders("a removal with a condition that does not hold", "delete_item", Key=key(), ConditionExpression="n > :n",
           ExpressionAttributeValues=values(n=3), ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    orders("a removal that is to answer the new", "delete_item", Key=key(), ReturnValues="UPDATED_NEW"),
    orders("a removal with a condition that holds", "delete_item", Key=key(), ConditionExpression="n = :n",
           ExpressionAttributeValues=values(n=3)),
    orders("orders go", "delete_table"),
]


def update(name: str, expression: str, values_given: dict | None = None, sk=1, **more) -> Call:
    parameters = {"Key": key("u", sk), "UpdateExpression": expression, "ReturnValues": "ALL_NEW", **more}
    if values_given:
        parameters["ExpressionAttributeValues"] = values(**values_given)
    return orders(name, "update_item", **parameters)


UPDATES = [
    Call("orders", "create_table", ORDERS),
    update("an update makes the item", "SET a = :a", {"a": 1}),
    update("SET of several", "SET a = a + :one, b = :b, m = :m, l = :l", {
        "one": 1, "b": "b", "m": {"M": item(x=1, y={"M": {}})}, "l": ["a", "b", "c"]}),
    update("SET with a difference", "SET a = a - :n", {"n": number("0.5")}),
    update("SET with if_not_exists", "SET c = if_not_exists(c, :z) + :one, a = if_not_exists(a, :z)", {
        "z": 0, "one": 1}),
    update("SET with list_append", "SET l = list_append(l, :l)", {"l": ["d"]}),
    update("SET in front of a list", "SET l = list_append(:l, l)", {"l": ["0"]}),
    update("SET of an element", "SET l[1] = :v", {"v": "A"}),
    update("SET behind a list's end", "SET l[99] = :v", {"v": "end"}),
    update("SET inside a map", "SET m.y.z = :v, m.x = m.x + :v", {"v": 2}),
    update("SET inside what is not there", "SET no.such = :v", {"v": 1}),
    update("SET inside what is no map", "SET a.b = :v", {"v": 1}),
    update("SET from another path", "SET copy = m.x"),
    update("SET from a path that is not there", "SET copy = nope"),
    update("operands are those from before", "SET p = a, a = :v", {"v": 100}),
    update("REMOVE of an element and an attribute", "REMOVE l[0], copy, nope"),
    update("REMOVE of two elements", "REMOVE l[0], l[1]"),
    update("REMOVE inside a map", "REMOVE m.y.z"),
    update("ADD to a number, to nothing and to a set", "ADD a :n, fresh :n, tags :s", {"n": 1, "s": {"x", "y"}}),
    update("ADD to a set", "ADD tags :s", {"s": {"y", "z"}}),
    update("DELETE from a set", "DELETE tags :s", {"s": {"x", "nope"}}),
    update("DELETE of all of a set", "DELETE tags :s", {"s": {"y", "z"}}),
    update("all four clauses", "SET d = :d REMOVE b ADD a :n, tags :s DELETE nope :s", {
        "d": [], "n": number("-1"), "s": {"q"}}),
    update("ADD of a string", "ADD a :v", {"v": "x"}),
    update("ADD of a number to a string", "ADD text :v", {"v": 1}, sk=2),
    update("ADD of another kind of set", "ADD tags :v", {"v": {"NS": ["1"]}}),
    update("DELETE of a number", "DELETE a :v", {"v": 1}),
    update("a sum with a string", "SET a = a + :v", {"v": "x"}),
    update("a sum with what is not there", "SET a = nope + :v", {"v": 1}),
    update("list_append to a number", "SET a = list_append(a, :v)", {"v": []}),
    update("a change of a key", "SET sk = :v", {"v": 1}),
    update("a change of the same twice", "SET a = :v, a = :v", {"v": 1}),
    update("paths that overlap", "SET m = :v, m.x = :v", {"v": 1}),
    update("the same clause twice", "SET a = :v SET b = :v", {"v": 1}),
    update("no such function", "SET a = upper(:v)", {"v": "x"}),
    update("a syntax error", "SET a = ", None),
    update("an empty expression", "", None),
    update("a value that is not given", "SET a = :v"),
    update("a value that nothing uses", "SET a = :v", {"v": 1, "w": 1}),
    update("an index key of another type", "SET #s = :v", {"v": 1}, ExpressionAttributeNames={"#s": "state"}),
    update("a number beyond the range", "SET a = :v + :v", {"v": number("9e125")}),
    update("a sum that needs 39 digits", "SET a = :v + :w", {"v": number("1" * 38), "w": number("0.1")}),
    update("ALL_OLD of what is there", "SET d = :v", {"v": 5}, ReturnValues="ALL_OLD"),
    update("UPDATED_OLD", "SET d = :v, neu = :v", {"v": 6}, ReturnValues="UPDATED_OLD"),
    update("UPDATED_NEW", "SET d = :v, m.x = :v REMOVE neu", {"v": 7}, ReturnValues="UPDATED_NEW"),
    update("UPDATED_OLD of something new", "SET other = :v", {"v": 7}, ReturnValues="UPDATED_OLD"),
    update("UPDATED_NEW of an element", "SET l[0] = :v", {"v": 7}, ReturnValues="UPDATED_NEW"),
    update("UPDATED_NEW of a removal", "REMOVE other", ReturnValues="UPDATED_NEW"),
    update("NONE", "SET d = :v", {"v": 8}, ReturnValues="NONE"),
    update("return values of no kind", "SET d = :v", {"v": 8}, ReturnValues="SOME"),
    update("ALL_OLD of an item that was not there", "SET d = :v", {"v": 8}, sk=3, ReturnValues="ALL_OLD"),
    orders("an update of nothing", "update_item", Key=key("u", 4), ReturnValues="ALL_NEW"),
    update("a condition that holds", "SET d = :v", {"v": 9, "old": 8}, ConditionExpression="d = :old"),
    update("a condition that does not", "SET d = :v", {"v": 9, "old": 8}, ConditionExpression="d = :old",
           ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    update("a condition on an item that is not there", "SET d = :v", {"v": 9}, sk=5,
           ConditionExpression="attribute_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    orders("orders go", "delete_table"),
]

CONDITIONED = item(
    pk="c", sk=1, n=5, t="hello", b=b"\x01\x02", yes=True, nil=None, l=["a", 1, ["deep"]],
    m={"M": item(x=1, y={"M": item(z="zz")})}, ss={"a", "b"}, ns={"NS": ["1", "2"]}, **{"a.b": "dot", "size": 3})


def condition(expression: str, names: dict | None = None, **given) -> Call:
    """Whether a condition holds: a put in its own place, which says so."""
    parameters: dict = {"Item": CONDITIONED, "ConditionExpression": expression}
    if names:
        parameters["ExpressionAttributeNames"] = names
    if given:
        parameters["ExpressionAttributeValues"] = values(**given)
    shown = [f"{name}={held!r}" for name, held in {**(names or {}), **given}.items()]
    return orders(", ".join([expression or "(nothing)", *shown]), "put_item", **parameters)


CONDITIONS = [
    Call("orders", "create_table", ORDERS),
    orders("the item", "put_item", Item=CONDITIONED),
    *(condition(f"n {comparison} :v", v=v) for comparison in ("=", "<>", "<", "<=", ">", ">=") for v in (4, 5, 6)),
    *(condition(f"n {comparison} :v", v="5") for comparison in ("=", "<>", "<", ">=")),
    *(condition(f"t {comparison} :v", v="help") for comparison in ("=", "<>", "<", ">")),
    *(condition(f"b {comparison} :v", v=b"\x01\xff") for comparison in ("=", "<>", "<", ">")),
    condition("yes = :v", v=True), condition("yes < :v", v=True), condition("nil = :v", v=None),
    condition("l = :v", v=["a", 1, ["deep"]]), condition("ss = :v", v={"b", "a"}), condition("ss < :v", v={"b"}),
    condition("nope = nada"), condition("nope <> nada"), condition("nope <> :v", v=1), condition("nope < :v", v=1),
    condition("NOT nope < :v", v=1), condition(":v = n", v=5), condition("n = n"), condition("n = sk"),
    condition("m.x = :v", v=1), condition("m.y.z = :v", v="zz"), condition("l[0] = :v", v="a"),
    condition("l[2][0] = :v", v="deep"), condition("l[7] = :v", v="a"), condition("#p = :v", {"#p": "a.b"}, v="dot"),
    condition("m.#p = :v", {"#p": "x"}, v=1),
    condition("n BETWEEN :a AND :b", a=5, b=6), condition("n BETWEEN :a AND :b", a=6, b=7),
    condition("n BETWEEN :a AND :b", a=6, b=5), condition("t BETWEEN :a AND :b", a="a", b="z"),
    condition("n BETWEEN :a AND :b", a="1", b=6),
    condition("n IN (:a, :b)", a=1, b=5), condition("n IN (:a)", a="5"), condition("t IN (:a, t)", a="x"),
    condition("n IN ()"),
    condition("attribute_exists(n)"), condition("attribute_exists(m.y.q)"), condition("attribute_not_exists(l[9])"),
    condition("attribute_exists(:v)", v="n"), condition("attribute_exists(n, t)"),
    *(condition("attribute_type(t, :v)", v=kind) for kind in ("S", "N", "X")),
    *(condition(f"attribute_type({path}, :v)", v=kind) for path, kind in (
        ("n", "N"), ("b", "B"), ("yes", "BOOL"), ("nil", "NULL"), ("l", "L"), ("m", "M"), ("ss", "SS"), ("ns", "NS"))),
    condition("attribute_type(t, :v)", v=1),
    condition("begins_with(t, :v)", v="he"), condition("begins_with(t, :v)", v=""),
    condition("begins_with(n, :v)", v="5"),
    condition("begins_with(b, :v)", v=b"\x01"), condition("begins_with(t, :v)", v=1), condition("begins_with(t, t)"),
    condition("contains(t, :v)", v="ell"), condition("contains(ss, :v)", v="a"), condition("contains(ns, :v)", v=2),
    condition("contains(l, :v)", v=1), condition("contains(l, :v)", v=["deep"]), condition("contains(n, :v)", v=5),
    condition("contains(t, :v)", v=1), condition("contains(ss, :v)", v={"a"}), condition("contains(t, t)"),
    *(condition(f"size({path}) = :v", v=v) for path, v in (
        ("t", 5), ("b", 2), ("l", 3), ("m", 2), ("ss", 2), ("n", 1), ("yes", 1), ("nope", 0))),
    condition("#s = :v", {"#s": "size"}, v=3), condition("size(:v) = :n", v="abc", n=3),
    condition("attribute_exists(n) AND t = :v", v="hello"), condition("attribute_exists(q) OR t = :v", v="hello"),
    condition("NOT attribute_exists(q)"), condition("NOT (attribute_exists(q) OR n = :v)", v=5),
    condition("attribute_exists(q) AND n = :v OR t = :t", v=5, t="hello"),
    condition("t = :t OR attribute_exists(q) AND n = :v", v=5, t="hello"),
    condition("NOT n = :v AND NOT t = :v", v=7), condition("not n = :v and t <> :v", v=7),
    condition("(n = :v)", v=5), condition("((n = :v))", v=5), condition("((n = :v) AND (t = :t))", v=5, t="hello"),
    condition(""), condition("n"), condition("n ="), condition("n = = :v", v=5), condition("(n = :v", v=5),
    condition("n = :v AND", v=5), condition("n == :v", v=5), condition("n != :v", v=5), condition("n = 5"),
    condition("n = :v", v=5, w=6), condition("n = :w", v=5), condition("#n = :v", v=5),
    condition("n = :v", {"#n": "n"}, v=5), condition("exists(n)"), condition("size(n)"),
    condition("attribute_exists"), condition("name = :v", v=5), condition("n = size", v=5),
    condition("n = :v;", v=5), condition("n = :v AND (t = :t OR (n < :v AND (NOT t = :t)))", v=5, t="hello"),
    condition("begins_with(t)"), condition("contains(t, :v, :v)", v="x"),
    condition("t BETWEEN :a AND :b", a="z", b="a"),
    orders("orders go", "delete_table"),
]

FILLED = [
    Call("orders", "create_table", ORDERS),
    *(orders(f"order {sk}", "put_item", Item=item(
        pk="q" if sk < 8 else "r", sk=sk, state="open" if sk % 2 else "done", owner=f"o{sk % 3}", note=f"note {sk}",
        city="Rome", n=sk * 10, **({"even": True} if sk % 2 == 0 else {}))) for sk in range(12)),
    orders("a negative one", "put_item", Item=item(pk="q", sk=number("-1.5"), n=0)),
]


def query(name: str, expression: str, given: dict, **more) -> Call:
    return orders(name, "query", KeyConditionExpression=expression, ExpressionAttributeValues=values(**given), **more)


QUERIES = [
    *FILLED,
    query("a partition", "pk = :p", {"p": "q"}),
    query("backwards", "pk = :p", {"p": "q"}, ScanIndexForward=False),
    query("a partition that is not there", "pk = :p", {"p": "none"}),
    *(query(f"sk {comparison}", f"pk = :p AND sk {comparison} :s", {"p": "q", "s": 3})
      for comparison in ("=", "<", "<=", ">", ">=")),
    query("between", "pk = :p AND sk BETWEEN :a AND :b", {"p": "q", "a": 2, "b": 4}),
    query("between, turned round", "pk = :p AND sk BETWEEN :a AND :b", {"p": "q", "a": 4, "b": 2}),
    query("the sort key first", "sk > :s AND pk = :p", {"p": "q", "s": 5}),
    query("in parentheses", "(pk = :p) AND (sk > :s)", {"p": "q", "s": 5}),
    query("begins_with on a number", "pk = :p AND begins_with(sk, :s)", {"p": "q", "s": "1"}),
    query("a key of another type", "pk = :p", {"p": 1}),
    query("no partition", "sk = :s", {"s": 1}),
    query("a partition by comparison", "pk > :p", {"p": "q"}),
    query("another attribute", "pk = :p AND n = :n", {"p": "q", "n": 1}),
    query("OR", "pk = :p OR sk = :s", {"p": "q", "s": 1}),
    query("<> for the sort key", "pk = :p AND sk <> :s", {"p": "q", "s": 1}),
    query("three conditions", "pk = :p AND sk > :a AND sk < :b", {"p": "q", "a": 1, "b": 2}),
    query("a page", "pk = :p", {"p": "q"}, Limit=3),
    query("the next", "pk = :p", {"p": "q"}, Limit=3, ExclusiveStartKey=key("q", 1)),
    query("the next backwards", "pk = :p", {"p": "q"}, Limit=3, ExclusiveStartKey=key("q", 4), ScanIndexForward=False),
    query("a page as long as what is left", "pk = :p", {"p": "q"}, Limit=3, ExclusiveStartKey=key("q", 4)),
    query("from a key that is not there", "pk = :p", {"p": "q"}, Limit=2, ExclusiveStartKey=key("q", number("2.5"))),
    query("from a key of another partition", "pk = :p", {"p": "q"}, ExclusiveStartKey=key("r", 1)),
    query("from half a key", "pk = :p", {"p": "q"}, ExclusiveStartKey=item(pk="q")),
    query("a filter", "pk = :p", {"p": "q", "n": 30}, FilterExpression="n > :n"),
    query("a page with a filter", "pk = :p", {"p": "q", "n": 30}, FilterExpression="n > :n", Limit=4),
    query("a filter on a key", "pk = :p", {"p": "q", "s": 3}, FilterExpression="sk > :s"),
    query("a filter with a function", "pk = :p", {"p": "q"}, FilterExpression="attribute_exists(even)"),
    query("a count", "pk = :p", {"p": "q", "n": 30}, FilterExpression="n > :n", Select="COUNT"),
    query("a projection", "pk = :p", {"p": "q"}, ProjectionExpression="n, #s",
          ExpressionAttributeNames={"#s": "state"}),
    query("Select of attributes without them", "pk = :p", {"p": "q"}, Select="SPECIFIC_ATTRIBUTES"),
    query("Select of all with a projection", "pk = :p", {"p": "q"}, Select="ALL_ATTRIBUTES", ProjectionExpression="n"),
    query("Select of what an index has, without an index", "pk = :p", {"p": "q"}, Select="ALL_PROJECTED_ATTRIBUTES"),
    query("a limit of nothing", "pk = :p", {"p": "q"}, Limit=0),
    query("an index", "#s = :s", {"s": "open"}, IndexName="by-state", ExpressionAttributeNames={"#s": "state"}),
    query("an index by its sort key", "#s = :s AND sk < :k", {"s": "open", "k": 4}, IndexName="by-state",
          ExpressionAttributeNames={"#s": "state"}, ScanIndexForward=False),
    query("a page of an index", "#s = :s", {"s": "open"}, IndexName="by-state", Limit=2,
          ExpressionAttributeNames={"#s": "state"}),
    query("its next", "#s = :s", {"s": "open"}, IndexName="by-state", Limit=2,
          ExpressionAttributeNames={"#s": "state"}, ExclusiveStartKey=item(pk="q", sk=3, state="open")),
    query("the same condition twice", "#o = :o AND #o = :o", {"o": "o1"}, IndexName="by-owner",
          ExpressionAttributeNames={"#o": "owner"}),
    query("an index of keys only", "#o = :o", {"o": "o1"}, IndexName="by-owner", Limit=1,
          ExpressionAttributeNames={"#o": "owner"}),
    query("an index with some attributes", "city = :c AND pk = :p", {"c": "Rome", "p": "r"}, IndexName="by-city"),
    query("an index with some attributes by prefix", "city = :c AND begins_with(pk, :p)", {"c": "Rome", "p": "r"},
          IndexName="by-city", Select="COUNT"),
    query("attributes that an index does not have", "city = :c", {"c": "Rome"}, IndexName="by-city",
          ProjectionExpression="n", Limit=1),
    query("all attributes of an index that does not have them", "city = :c", {"c": "Rome"}, IndexName="by-city",
          Select="ALL_ATTRIBUTES", Limit=1),
    query("a filter on what an index does not have", "city = :c", {"c": "Rome", "n": 1}, IndexName="by-city",
          FilterExpression="n = :n"),
    query("an index, consistently", "city = :c", {"c": "Rome"}, IndexName="by-city", ConsistentRead=True),
    query("no such index", "city = :c", {"c": "Rome"}, IndexName="nope"),
    query("the table's key on an index", "pk = :c", {"c": "Rome"}, IndexName="by-city"),
    orders("a scan", "scan"),
    orders("a scan with a filter", "scan", FilterExpression="n >= :n", ExpressionAttributeValues=values(n=70)),
    orders("a scan that counts", "scan", Select="COUNT"),
    orders("a scan with a projection", "scan", ProjectionExpression="pk, n"),
    orders("a scan of an index", "scan", IndexName="by-state"),
    orders("a scan of an index of keys", "scan", IndexName="by-owner"),
    orders("a scan of an index, consistently", "scan", IndexName="by-owner", ConsistentRead=True),
    orders("a scan of no index", "scan", IndexName="nope"),
    orders("a segment without a total", "scan", Segment=0),
    orders("a segment beyond the total", "scan", Segment=2, TotalSegments=2),
    orders("a scan of no items", "scan", Limit=0),
    orders("a scan from half a key", "scan", ExclusiveStartKey=item(pk="q")),
    Call("a scan of no table", "scan", {"TableName": "nowhere"}),
    Call("a query of no table", "query", {
        "TableName": "nowhere", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": values(p="q")}),
    orders("a query without a condition", "query"),
    orders("orders go", "delete_table"),
]

OTHERS = table("others", "id:S")


def put_request(**attributes) -> dict:
    return {"PutRequest": {"Item": item(**attributes)}}


BATCHES = [
    Call("orders", "create_table", ORDERS),
    Call("others", "create_table", OTHERS),
    Call("puts and removals into two tables", "batch_write_item", {"RequestItems": {
        "orders": [put_request(pk="a", sk=sk, n=sk) for sk in range(5)] + [{"DeleteRequest": {"Key": key("b", 1)}}],
        "others": [put_request(id="x", v=1)]}}),
    Call("gets from two tables", "batch_get_item", {"RequestItems": {
        "orders": {"Keys": [key("a", sk) for sk in (0, 2, 9)], "ProjectionExpression": "n", "ConsistentRead": True},
        "others": {"Keys": [item(id="x"), item(id="none")]}}}),
    Call("a get of the same twice", "batch_get_item", {"RequestItems": {"orders": {"Keys": [key(), key()]}}}),
    Call("a put of the same twice", "batch_write_item", {"RequestItems": {"orders": [
        put_request(pk="a", sk=1), put_request(pk="a", sk=1)]}}),
    Call("26 puts", "batch_write_item", {"RequestItems": {"orders": [put_request(pk="a", sk=sk) for sk in range(26)]}}),
    Call("101 gets", "batch_get_item", {"RequestItems": {"orders": {"Keys": [key("a", sk) for sk in range(101)]}}}),
    Call("no puts", "batch_write_item", {"RequestItems": {}}),
    Call("no puts for a table", "batch_write_item", {"RequestItems": {"orders": []}}),
    Call("no gets", "batch_get_item", {"RequestItems": {}}),
    Call("no gets from a table", "batch_get_item", {"RequestItems": {"orders": {"Keys": []}}}),
    Call("a put and a removal in one", "batch_write_item", {"RequestItems": {"orders": [
        {"PutRequest": {"Item": key()}, "DeleteRequest": {"Key": key()}}]}}),
    Call("a put into no table in a batch", "batch_write_item", {"RequestItems": {"nowhere": [put_request(id="x")]}}),
    Call("a get from no table in a batch", "batch_get_item", {"RequestItems": {"nowhere": {"Keys": [item(id="x")]}}}),
    Call("a put without its key in a batch", "batch_write_item", {"RequestItems": {"orders": [put_request(pk="a")]}}),
    Call("a get with a key too few in a batch", "batch_get_item", {"RequestItems": {
        "orders": {"Keys": [item(pk="a")]}}}),
    Call("a put with an empty key in a batch", "batch_write_item", {"RequestItems": {"orders": [
        put_request(pk="", sk=1)]}}),
    orders("orders go", "delete_table"),
    Call("others go", "delete_table", {"TableName": "others"}),
]


def one(kind: str, **members) -> dict:
    """A part of a transaction on `orders`."""
    return {kind: {"TableName": "orders", **members}}


TRANSACTIONS = [
    Call("orders", "create_table", ORDERS),
    orders("one", "put_item", Item=item(pk="a", sk=1, n=1)),
    orders("two", "put_item", Item=item(pk="a", sk=2, n=2)),
    Call("all four kinds", "transact_write_items", {"TransactItems": [
        one("Put", Item=item(pk="b", sk=1)),
        one("Update", Key=key("a", 1), UpdateExpression="ADD n :v", ExpressionAttributeValues=values(v=1)),
        one("Delete", Key=key("a", 2)),
        one("ConditionCheck", Key=key("a", 3), ConditionExpression="attribute_not_exists(pk)")]}),
    Call("what they did", "transact_get_items", {"TransactItems": [
        one("Get", Key=key("b", 1)), one("Get", Key=key("a", 1), ProjectionExpression="n"),
        one("Get", Key=key("a", 2))]}),
    Call("a condition that does not hold", "transact_write_items", {"TransactItems": [
        one("Put", Item=item(pk="c", sk=1)),
        one("Update", Key=key("a", 1), UpdateExpression="SET n = :v", ConditionExpression="n = :w",
            ExpressionAttributeValues=values(v=1, w=9), ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        one("Delete", Key=key("b", 1), ConditionExpression="attribute_not_exists(pk)")]}),
    orders("nothing of it happened", "get_item", Key=key("c", 1)),
    Call("an operand that does not fit", "transact_write_items", {"TransactItems": [
        one("Update", Key=key("a", 1), UpdateExpression="SET n = pk + :v", ExpressionAttributeValues=values(v=1))]}),
    Call("one item twice", "transact_write_items", {"TransactItems": [
        one("Put", Item=key("a", 1)), one("Delete", Key=key("a", 1))]}),
    Call("a check without a condition", "transact_write_items", {"TransactItems": [
        one("ConditionCheck", Key=key("a", 1))]}),
    Call("two kinds in one", "transact_write_items", {"TransactItems": [
        one("Put", Item=key("a", 1)) | one("Delete", Key=key("b", 1))]}),
    Call("nothing", "transact_write_items", {"TransactItems": []}),
    Call("nothing to get", "transact_get_items", {"TransactItems": []}),
    Call("101 puts", "transact_write_items", {"TransactItems": [one("Put", Item=key("t", sk)) for sk in range(101)]}),
    Call("101 gets", "transact_get_items", {"TransactItems": [one("Get", Key=key("t", sk)) for sk in range(101)]}),
    Call("no such table", "transact_write_items", {"TransactItems": [
        {"Put": {"TableName": "nowhere", "Item": key()}}]}),
    Call("no such table to get from", "transact_get_items", {"TransactItems": [
        {"Get": {"TableName": "nowhere", "Key": key()}}]}),
    Call("a put without its key", "transact_write_items", {"TransactItems": [one("Put", Item=item(pk="a"))]}),
    Call("an empty index key", "transact_write_items", {"TransactItems": [
        one("Put", Item=item(pk="a", sk=1, state=""))]}),
    Call("with a token", "transact_write_items", {"ClientRequestToken": "t-1", "TransactItems": [
        one("Update", Key=key("d", 1), UpdateExpression="ADD n :v", ExpressionAttributeValues=values(v=1))]}),
    Call("with it again", "transact_write_items", {"ClientRequestToken": "t-1", "TransactItems": [
        one("Update", Key=key("d", 1), UpdateExpression="ADD n :v", ExpressionAttributeValues=values(v=1))]}),
    orders("it was done once", "get_item", Key=key("d", 1)),
    Call("with it for something else", "transact_write_items", {"ClientRequestToken": "t-1", "TransactItems": [
        one("Delete", Key=key("d", 1))]}),
    Call("a get with a key too few", "transact_get_items", {"TransactItems": [one("Get", Key=item(pk="a"))]}),
    orders("orders go", "delete_table"),
]


def metered(name: str, operation: str, **parameters) -> Call:
    return orders(name, operation, ReturnConsumedCapacity="TOTAL", **parameters)


CAPACITY = [
    Call("orders", "create_table", ORDERS),
    metered("a small put", "put_item", Item=item(pk="a", sk=1)),
    metered("a put of 2.5 KB", "put_item", Item=item(pk="a", sk=2, v="x" * 2500)),
    metered("a smaller one in its place", "put_item", Item=item(pk="a", sk=2, v="x")),
    metered("a put with two indexes", "put_item", Item=item(pk="a", sk=3, state="s", owner="o")),
    metered("a get", "get_item", Key=key("a", 1)),
    metered("a consistent get", "get_item", Key=key("a", 1), ConsistentRead=True),
    metered("a get of nothing", "get_item", Key=key("none", 1)),
    orders("9 KB", "put_item", Item=item(pk="a", sk=4, v="x" * 9000)),
    metered("a get of 9 KB", "get_item", Key=key("a", 4)),
    metered("an update", "update_item", Key=key("a", 1), UpdateExpression="SET n = :v",
            ExpressionAttributeValues=values(v=1)),
    metered("a removal", "delete_item", Key=key("a", 1)),
    metered("a removal of nothing", "delete_item", Key=key("a", 1)),
    metered("a query", "query", KeyConditionExpression="pk = :p", ExpressionAttributeValues=values(p="a")),
    metered("a consistent query", "query", KeyConditionExpression="pk = :p", ExpressionAttributeValues=values(p="a"),
            ConsistentRead=True),
    metered("a scan", "scan"),
    metered("a scan of an index", "scan", IndexName="by-state"),
    Call("a batch of puts", "batch_write_item", {"ReturnConsumedCapacity": "TOTAL", "RequestItems": {
        "orders": [put_request(pk="b", sk=sk) for sk in range(3)]}}),
    Call("a batch of gets", "batch_get_item", {"ReturnConsumedCapacity": "TOTAL", "RequestItems": {
        "orders": {"Keys": [key("b", sk) for sk in range(3)]}}}),
    Call("a transaction", "transact_write_items", {"ReturnConsumedCapacity": "TOTAL", "TransactItems": [
        one("Put", Item=key("c", sk)) for sk in range(2)]}),
    Call("a transaction of gets", "transact_get_items", {"ReturnConsumedCapacity": "TOTAL", "TransactItems": [
        one("Get", Key=key("c", sk)) for sk in range(2)]}),
    orders("by index", "put_item", ReturnConsumedCapacity="INDEXES", Item=item(pk="d", sk=1, state="s", owner="o")),
    orders("by index, a query", "query", ReturnConsumedCapacity="INDEXES", IndexName="by-state",
           KeyConditionExpression="#s = :s", ExpressionAttributeNames={"#s": "state"},
           ExpressionAttributeValues=values(s="s")),
    orders("none", "put_item", ReturnConsumedCapacity="NONE", Item=key("d", 1)),
    orders("capacity of no kind", "put_item", ReturnConsumedCapacity="SOME", Item=key("d", 1)),
    orders("metrics of collections", "put_item", ReturnItemCollectionMetrics="SIZE", Item=key("d", 1)),
    orders("orders go", "delete_table"),
]

BACKUPS = [
    Call("others", "create_table", OTHERS),
    Call("an item", "put_item", {"TableName": "others", "Item": item(id="x")}),
    Call("a backup", "create_backup", {"TableName": "others", "BackupName": "first"}),
    Call("a backup of nothing", "create_backup", {"TableName": "nowhere", "BackupName": "first"}),
    Call("the backups", "list_backups", {}),
    Call("the backups of a table", "list_backups", {"TableName": "others"}),
    Call("the backups of another", "list_backups", {"TableName": "another"}),
    Call("a backup that there is not", "describe_backup", {
        "BackupArn": "arn:aws:dynamodb:us-east-1:123456789012:table/others/backup/01234567890123-abcdef01"}),
    Call("its removal", "delete_backup", {
        "BackupArn": "arn:aws:dynamodb:us-east-1:123456789012:table/others/backup/01234567890123-abcdef01"}),
    Call("a restore of it", "restore_table_from_backup", {
        "TargetTableName": "copy", "BackupArn":
            "arn:aws:dynamodb:us-east-1:123456789012:table/others/backup/01234567890123-abcdef01"}),
    Call("continuous backups", "describe_continuous_backups", {"TableName": "others"}),
    Call("continuous backups on", "update_continuous_backups", {
        "TableName": "others", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}),
    Call("they are on", "describe_continuous_backups", {"TableName": "others"}),
    Call("continuous backups off", "update_continuous_backups", {
        "TableName": "others", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}),
    Call("continuous backups of nothing", "describe_continuous_backups", {"TableName": "nowhere"}),
    Call("continuous backups of nothing on", "update_continuous_backups", {
        "TableName": "nowhere", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}),
    Call("a restore of nothing to a moment", "restore_table_to_point_in_time", {
        "SourceTableName": "nowhere", "TargetTableName": "copy", "UseLatestRestorableTime": True}),
    Call("others go", "delete_table", {"TableName": "others"}),
]

SCENES = {
    "lists": LISTS, "tables": TABLES, "items": ITEMS, "updates": UPDATES, "conditions": CONDITIONS, "queries": QUERIES,
    "batches": BATCHES, "transactions": TRANSACTIONS, "capacity": CAPACITY, "backups": BACKUPS,
}
