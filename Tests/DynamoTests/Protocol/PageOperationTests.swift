import JSON
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Queries and scans over the protocol")
struct PageOperationTests {
    private static func filled() throws -> TestService {
        let service = try TestService()
        for sort in 1...9 {
            service.put(
                "a", sort, #""owner":{"S":"o"},"rank":{"N":"\#(10 - sort)"},"tag":{"S":"t"},"v":{"N":"\#(sort % 3)"}"#)
        }
        for partition in 0..<40 { service.put("p\(partition)", 1) }
        return service
    }

    private func query(_ condition: String, _ values: String, _ more: String = "") -> String {
        #"{"TableName":"things","KeyConditionExpression":"\#(condition)","#
            + #""ExpressionAttributeValues":{\#(values)}\#(more)}"#
    }

    @Test(
        "A query answers the sort keys that it asks for, in either direction",
        arguments: [
            ("", "", "", ["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
            (" AND sk BETWEEN :x AND :y", #","# + #"":x":{"N":"3"},":y":{"N":"5"}"#, "", ["3", "4", "5"]),
            (" AND sk > :x", #",":x":{"N":"7.5"}"#, #","ScanIndexForward":false"#, ["9", "8"]),
            ("", "", #","Limit":2,"ScanIndexForward":false"#, ["9", "8"]),
        ])
    func query(sort: String, values: String, more: String, expected: [String]) throws {
        let service = try Self.filled()
        let reply = service.call(.query, query("pk = :p" + sort, #"":p":{"S":"a"}"# + values, more))
        #expect(reply.sortKeys == expected)
    }

    @Test(
        "Pages of any length add up to the whole, forwards and backwards, of the table and of an index",
        arguments: 1...5)
    func paging(limit: Int) throws {
        let service = try Self.filled()
        for index in [nil, "by-owner"] {
            for forward in [true, false] {
                var keys: [String] = []
                var start = ""
                repeat {
                    let more =
                        #","Limit":\#(limit),"ScanIndexForward":\#(forward)"# + start
                        + (index.map { ##","IndexName":"\##($0)","ExpressionAttributeNames":{"#k":"owner"}"## }
                            ?? ##","ExpressionAttributeNames":{"#k":"pk"}"##)
                    let reply = service.call(
                        .query, query("#k = :p", #"":p":{"S":"\#(index == nil ? "a" : "o")"}"#, more))
                    keys += reply.sortKeys
                    start = reply["LastEvaluatedKey"].map { #","ExclusiveStartKey":\#($0.serialized())"# } ?? ""
                } while !start.isEmpty
                let ascending = (1...9).map { "\($0)" }
                #expect(keys == ((index == nil) == forward ? ascending : ascending.reversed()))
            }
        }
    }

    @Test("Filter and limit: the limit counts what was looked at")
    func filter() throws {
        let service = try Self.filled()
        let reply = service.call(
            .query,
            query("pk = :p", #"":p":{"S":"a"},":v":{"N":"0"}"#, #","FilterExpression":"v = :v","Limit":4"#))
        #expect(reply.sortKeys == ["3"])
        #expect(reply["Count"] == (try .text("1")))
        #expect(reply["ScannedCount"] == (try .text("4")))
        #expect(reply["LastEvaluatedKey"] == (try .text(#"{"pk":{"S":"a"},"sk":{"N":"4"}}"#)))
    }

    @Test("Segments of a scan are apart from one another and together the whole", arguments: [1, 2, 3, 7, 64])
    func segments(total: Int) throws {
        let service = try Self.filled()
        var seen: [String] = []
        var used = 0
        for segment in 0..<total {
            var start = ""
            var ofSegment: [String] = []
            repeat {
                let reply = service.call(
                    .scan, #"{"TableName":"things","Segment":\#(segment),"TotalSegments":\#(total),"Limit":3\#(start)}"#
                )
                ofSegment += (reply["Items"]?.arrayValue ?? []).map { $0.objectValue?["pk"]?.serialized() ?? "" }
                start = reply["LastEvaluatedKey"].map { #","ExclusiveStartKey":\#($0.serialized())"# } ?? ""
            } while !start.isEmpty
            seen += ofSegment
            if !ofSegment.isEmpty { used += 1 }
        }
        #expect(seen.count == 49)
        #expect(Set(seen).count == 41)
        if total < 8 { #expect(used == total) }
    }

    @Test("What a page answers can be cut down to attributes or to a count")
    func select() throws {
        let service = try Self.filled()
        let counted = service.call(.query, query("pk = :p", #"":p":{"S":"a"}"#, #","Select":"COUNT""#))
        #expect(counted.json == (try .text(#"{"Count":9,"ScannedCount":9}"#)))
        let cut = service.call(.query, query("pk = :p", #"":p":{"S":"a"}"#, #","ProjectionExpression":"v","Limit":1"#))
        #expect(cut["Items"] == (try .text(#"[{"v":{"N":"1"}}]"#)))
        let keys = service.call(
            .query,
            query("tag = :p", #"":p":{"S":"t"}"#, #","IndexName":"by-tag","Limit":1"#))
        #expect(keys["Items"] == (try .text(#"[{"tag":{"S":"t"},"pk":{"S":"a"},"sk":{"N":"1"}}]"#)))
    }

    private static let refusals: [(body: String, message: String)] = [
        (
            #"{"TableName":"things"}"#,
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        ),
        (
            Q.of(#""Select":"SPECIFIC_ATTRIBUTES""#),
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        ),
        (
            Q.of(#""Select":"COUNT","ProjectionExpression":"v""#),
            "Cannot specify the ProjectionExpression when choosing to get COUNT"
        ),
        (
            Q.of(#""Select":"ALL_PROJECTED_ATTRIBUTES""#),
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        ),
        (Q.of(#""IndexName":"nope""#), "The table does not have the specified index: nope"),
        (
            Q.of(#""IndexName":"by-tag","ConsistentRead":true"#),
            "Consistent reads are not supported on global secondary indexes"
        ),
        (
            Q.of(#""IndexName":"by-tag","Select":"ALL_ATTRIBUTES""#, key: "tag"),
            """
            One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for \
            global secondary index by-tag because its projection type is not ALL
            """
        ),
        (
            Q.of(#""IndexName":"by-tag","ProjectionExpression":"v""#, key: "tag"),
            "One or more parameter values were invalid: Global secondary index by-tag does not project [v]"
        ),
        (
            Q.of(#""FilterExpression":"attribute_exists(sk)""#),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"
        ),
        (Q.of(#""IndexName":"by-tag""#), "Query condition missed key schema element: tag"),
        (Q.of(#""ExclusiveStartKey":{"pk":{"S":"a"}}"#), "The provided starting key is invalid"),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"N":"1"}}"#),
            "The provided starting key is outside query boundaries based on provided conditions"
        ),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"1"}}"#),
            "The provided key element does not match the schema"
        ),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"1"}},"IndexName":"nope""#),
            "The table does not have the specified index: nope"
        ),
        (
            Q.of(
                #""IndexName":"by-tag","ExclusiveStartKey":{"tag":{"S":"a"},"pk":{"S":"a"},"sk":{"S":"1"}}"#,
                key: "tag"),
            "The provided starting key is invalid: The provided key element does not match the schema"
        ),
        (
            // Also before what is asked of the index.
            Q.of(
                #""IndexName":"by-tag","Select":"ALL_ATTRIBUTES","ExclusiveStartKey":{"tag":{"S":"a"},"x":{"S":"a"}}"#,
                key: "tag"),
            "The provided starting key is invalid"
        ),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"6"}}"#, sort: " AND sk < :s"),
            "The provided starting key does not match the range key predicate"
        ),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"N":"4"}}"#, sort: " AND sk < :s"),
            "The query can return at most one row and cannot be restarted"
        ),
        (
            Q.of(#""ExclusiveStartKey":{"pk":{},"sk":{"N":"1"}}"#),
            """
            The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly \
            one of the supported datatypes
            """
        ),
    ]

    @Test("What a query may not ask for is refused in DynamoDB's words", arguments: refusals)
    func refused(body: String, message: String) throws {
        let reply = try Self.filled().call(.query, body)
        #expect(reply.error == "ValidationException")
        #expect(reply.message == message)
    }

    private enum Q {
        static func of(_ more: String, key: String = "pk", sort: String = "") -> String {
            let values = #"":p":{"S":"a"}"# + (sort.isEmpty ? "" : #",":s":{"N":"5"}"#)
            return ##"{"TableName":"things","KeyConditionExpression":"#k = :p\##(sort)","ExpressionAttributeNames":{"##
                + ##""#k":"\##(key)"},"ExpressionAttributeValues":{\##(values)},\##(more)}"##
        }
    }

    @Test("A query for the only item of a partition has one page, and begins nowhere else")
    func partitionKeyOnly() throws {
        let service = try TestService()
        try service.store.createTable(TableSchema(name: "words", partitionKey: KeyAttribute("w")))
        _ = service.call(.putItem, #"{"TableName":"words","Item":{"w":{"S":"a"}}}"#)
        let query =
            #"{"TableName":"words","KeyConditionExpression":"w = :w","ExpressionAttributeValues":{":w":{"S":"a"}},"#
        let page = service.call(.query, query + #""Limit":1}"#)
        #expect(page["Count"] == (try .text("1")) && page["LastEvaluatedKey"] == nil)
        #expect(
            service.call(.query, query + #""ExclusiveStartKey":{"w":{"S":"a"}}}"#).message
                == "The provided exclusive start key is invalid: ExclusiveStartKey: {w=AttributeValue: {S:a}}")
        #expect(
            service.call(.query, query + #""ExclusiveStartKey":{"w":{"S":"b"}}}"#).message
                == "The provided starting key is outside query boundaries based on provided conditions")
    }

    @Test(
        "A scan begins only after what is a key",
        arguments: [
            (#"{"pk":{"S":"a"},"sk":{"S":"1"}}"#, nil, ": The provided key element does not match the schema"),
            (#"{"pk":{"S":"a"}}"#, nil, ": The provided key element does not match the schema"),
            (#"{"tag":{"S":"a"},"pk":{"S":"a"}}"#, "by-tag", ""),
            (
                #"{"tag":{"S":"a"},"pk":{"S":"a"},"sk":{"S":"1"}}"#, "by-tag",
                ": The provided key element does not match the schema"
            ),
        ] as [(String, String?, String)])
    func scanStart(key: String, index: String?, rest: String) throws {
        let member = index.map { #","IndexName":"\#($0)""# } ?? ""
        let reply = try TestService().call(
            .scan, #"{"TableName":"things","ExclusiveStartKey":\#(key)\#(member)}"#)
        #expect(reply.message == "The provided starting key is invalid\(rest)")
    }

    @Test(
        "Segments must be ones that there are",
        arguments: [
            (
                #""Segment":1"#,
                "The TotalSegments parameter is required but was not present in the request when"
                    + " Segment parameter is present"
            ),
            (
                #""TotalSegments":1"#,
                "The Segment parameter is required but was not present in the request when parameter"
                    + " TotalSegments is present"
            ),
            (
                #""Segment":2,"TotalSegments":2"#,
                "The Segment parameter is zero-based and must be less than parameter TotalSegments:"
                    + " Segment: 2 is not less than TotalSegments: 2"
            ),
        ])
    func segments(parameters: String, message: String) throws {
        #expect(try TestService().call(.scan, #"{"TableName":"things",\#(parameters)}"#).message == message)
    }
}
