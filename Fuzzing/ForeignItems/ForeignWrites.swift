import DynamoModel

/// Writes of somebody who knows the table and not what its items mean: items under the keys of the flag table's schema,
/// with attributes of right and wrong types, huge numbers, deep and long values, made of bytes. The same bytes make the
/// same writes.
package struct ForeignWrites {
    /// One write.
    package enum Write: Sendable {
        case put(Item)
        case delete(TableKey)
    }

    /// The writes, in order.
    package private(set) var writes: [Write] = []
    private var bytes: ArraySlice<UInt8>
    private static let writesMaximum = 32

    /// Makes writes of bytes.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
        while !self.bytes.isEmpty, writes.count < Self.writesMaximum { writes.append(write()) }
    }

    /// A number below `bound` (at most 256), 0 when there are no more bytes.
    private mutating func choice(_ bound: Int) -> Int { Int(bytes.popFirst() ?? 0) % bound }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[choice(values.count)] }

    // MARK: - Keys

    private static let environments = ["development", "development", "staging", "production", "nowhere", ""]
    private static let names = [
        "f", "g", "s", "acme", "é", "e\u{301}", "a#b", "", ".", "\u{0}", String(repeating: "k", count: 128),
        String(repeating: "k", count: 1_000), String(repeating: "k", count: 1_019),
        String(repeating: "k", count: 2_030),
    ]

    private mutating func name() -> String {
        let number = choice(Self.names.count + 1)
        return number < Self.names.count ? Self.names[number] : text()
    }

    /// Some of the bytes as a text.
    private mutating func text() -> String {
        let count = choice(24)
        defer { bytes = bytes.dropFirst(count) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private mutating func write() -> Write {
        let kind = choice(8)
        let environment = pick(Self.environments)
        let first = name()
        var (partition, sort) = ("", "METADATA")
        var item: Item = [:]
        var own: [AttributeName] = []
        switch kind {
        case 0, 1:
            partition = "FLAG#\(environment)#\(first)"
            item = Self.flag(first, isFull: kind == 1)
            own = [
                "definition", "rollout", "requires", "version", "createdAt", "updatedAt", "expiresAt", "owner", "tags",
            ]
        case 2:
            (partition, sort) = ("TENANT#\(environment)#\(first)", "FLAG#\(name())")
            item = ["enabled": true]
            own = ["enabled", "variant", "expiresAt", "updatedAt"]
        case 3:
            (partition, sort) = ("EMERGENCY#\(environment)", first.isEmpty ? "GLOBAL" : "FLAG#\(first)")
            own = ["enabled", "reason", "activatedAt", "activatedBy"]
        case 4:
            partition = "SEGMENT#\(environment)#\(first)"
            item = Self.segment
            own = ["condition", "version", "createdAt", "updatedAt", "owner"]
        case 5: (partition, sort) = ("SEGMENT#\(environment)#\(first)", "KEY#\(name())")
        case 6:
            partition = "REVISION#\(environment)"
            item = ["revision": 7]
            own = ["revision"]
        default: (partition, sort) = (text() + "#\(environment)#\(first)", text())
        }
        if choice(8) == 7 { return .delete(TableKey(.string(partition), .string(sort))) }
        for _ in 0..<choice(6) {
            let attribute = pick(own.isEmpty || choice(3) == 2 ? Self.attributes : own)
            item[attribute] = choice(6) == 5 ? nil : value()
        }
        item["PK"] = .string(partition)
        item["SK"] = .string(sort)
        return .put(item)
    }

    private static func flag(_ key: String, isFull: Bool) -> Item {
        var item: Item = [
            "flagKey": .string(key), "description": "d", "owner": "ops", "createdAt": "2026-01-02T03:04:05Z",
        ]
        if isFull { item["definition"] = .string(definitions[0]) } else { item["defaultEnabled"] = true }
        return item
    }

    private static let segment: Item = [
        "description": "d", "owner": "o", "createdAt": "2026-01-01T00:00:00Z", "condition": #"{"var":"x"}"#,
    ]

    // MARK: - Values

    private static let attributes: [AttributeName] = [
        "flagKey", "description", "owner", "createdAt", "updatedAt", "expiresAt", "version", "tags", "defaultEnabled",
        "definition", "rollout", "requires", "keptInvalid", "environment", "enabled", "variant", "updatedBy", "reason",
        "activatedAt", "activatedBy", "revision", "name", "condition", "tenantId", "GSI1PK", "GSI1SK", "GSI2PK",
        "GSI2SK", "GSI3PK", "GSI3SK", "GSI4PK", "GSI4SK", "other",
    ]
    private static let definitions = [
        #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","#
            + #""targeting":{"if":[{"segment":"s"},"on",{"fractional":[["on",1],["off",99]]}]}}"#,
        #"{"state":"ENABLED","variants":{"v":1e400,"w":-0,"x":9223372036854775808},"defaultVariant":"v"}"#,
        #"{"variants":{"a":{}},"targeting":{"*":[{"var":"n"},1e308,1e308]},"defaultVariant":"a","state":"ENABLED"}"#,
        #"{"fractional":[["a",9223372036854775807],["b",9223372036854775807]]}"#, "{", "",
    ]
    private static let texts =
        definitions + [
            "f", "yes", "9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+05:00", "2026-01-02T03:04:05Z",
            "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
            #"{"percentage":50,"startAt":"0000-01-01T00:00:00Z","endAt":"0099-01-01T00:00:00Z"}"#,
            #"{"percentage":50,"businessHours":{"timeZone":"Europe/Berlin","from":"23:00","to":"01:00"}}"#,
            #"{"percentage":1e400,"startAt":"9999-12-31T23:59:59-05:00"}"#,
            #"[{"flagKey":"f","variant":"on"}]"#, #"[{"flagKey":"g","variant":"on"},{"flagKey":"g","variant":"on"}]"#,
            #"{"segment":"s"}"#, "OWNER#staging#ops", String(repeating: "[", count: 2_000),
            String(repeating: "x", count: 100_000),
        ]
    private static let numbers = [
        "0", "-1", "1", "1.5", "2", "9007199254740991", "9007199254740992", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "1E+30", "9.9E+125", "-9.9E+125", "1E-130",
        "99999999999999999999999999999999999999",
    ]

    private mutating func value() -> AttributeValue {
        switch choice(12) {
        case 0, 1: return .string(pick(Self.texts))
        case 2: return .string(text())
        case 3, 4: return .number((try? DynamoNumber(pick(Self.numbers))) ?? .zero)
        case 5: return .bool(choice(2) == 1)
        case 6: return .null
        case 7: return .binary(Array(text().utf8))
        case 8: return .stringSet(AttributeSet([pick(Self.texts) + "x", "a"]))
        case 9: return .list([value(), value()])
        case 10: return .map(["percentage": value(), "businessHours": value()])
        default: return (0..<30).reduce(value()) { deep, _ in .list([deep]) }
        }
    }
}
