import FlagCore
import JSON
import Testing

@testable import Access
@testable import FlagCache
@testable import FlagStore

@Suite("Changes as values")
struct FlagOperationTests {
    /// One of every kind, that could be done after those before it.
    static let all: [FlagOperation] = {
        let segment: JSONValue = ["description": "d", "owner": "o"]
        let flag: JSONValue = ["description": "d", "owner": "o", "defaultEnabled": true]
        func named(_ json: JSONValue, _ member: String, _ name: String) -> JSONValue {
            guard case .object(var object) = json else { return json }
            object[member] = .string(name)
            return .object(object)
        }
        let operations: [(FlagOperation.Kind, String?, String?, JSONValue?)] = [
            (.createSegment, nil, nil, named(segment, "name", "beta")),
            (.replaceSegment, "beta", nil, segment),
            (.patchSegment, "beta", nil, ["owner": "p"]),
            (.editSegmentKeys, "beta", nil, ["add": ["u1", "u2"]]),
            (.replaceSegmentKeys, "beta", nil, ["keys": ["u3"]]),
            (.rollbackSegment, "beta", nil, ["version": 1]),
            (.createFlag, nil, nil, named(flag, "flagKey", "chat")),
            (.replaceFlag, "chat", nil, flag),
            (.patchFlag, "chat", nil, ["owner": "p"]),
            (.rollbackFlag, "chat", nil, ["version": 1, "reason": "as before"]),
            (.archiveFlag, "chat", nil, nil),
            (.unarchiveFlag, "chat", nil, ["reason": "needed"]),
            (.setOverride, "chat", "acme", ["enabled": true, "updatedBy": "me"]),
            (.removeOverride, "chat", "acme", nil),
            (.rollbackOverride, "chat", "acme", ["entry": 7]),
            (.setKillSwitch, nil, nil, ["flagKey": "chat", "reason": "r", "activatedBy": "me"]),
            (.endKillSwitch, nil, nil, ["flagKey": "chat", "deactivatedBy": "me"]),
            (.deleteFlag, "chat", nil, nil),
            (.restoreFlag, "chat", nil, ["withOverrides": true]),
            (.promoteFlag, "chat", nil, ["from": "staging", "to": "development"]),
            (.deleteSegment, "beta", nil, nil),
        ]
        return operations.compactMap { try? FlagOperation($0, of: $1, tenant: $2, body: $3) }
    }()

    private static func apply(_ operation: FlagOperation, _ fixture: Fixture) throws -> Written {
        try fixture.wait {
            fixture.repository.apply(
                operation, in: .tests(.development), listed: { _, _ in .empty }, completion: $0)
        }
    }

    private static func check(_ operation: FlagOperation, _ fixture: Fixture) throws -> Written {
        try fixture.repository.check(operation, in: .tests(.development), listed: { _, _ in .empty })
    }

    @Test("There is one of every kind")
    func kinds() {
        #expect(Set(Self.all.map(\.kind)) == Set(FlagOperation.Kind.allCases))
    }

    @Test("What is stored of an operation is the same operation again", arguments: all)
    func stored(operation: FlagOperation) throws {
        var operation = operation
        operation.expectedVersion = 3
        let again = try FlagOperation(json: JSONValue(parsing: operation.json.serialized()))
        #expect(again.json == operation.json)
        #expect(again.kind == operation.kind && again.expectedVersion == 3)
    }

    @Test("What does not read is not an operation")
    func unreadable() {
        for json in [
            [:], ["operation": "explode"], ["operation": "patchFlag", "name": "a"],
            ["operation": "createFlag", "body": ["flagKey": "a"]],
        ] as [JSONValue] {
            #expect(throws: DefinitionIssues.self) { try FlagOperation(json: json) }
        }
    }

    @Test("A check says what applying leaves, and leaves everything as it was")
    func checked() throws {
        let followed = try FlagTableFollowerTests.Followed()
        let fixture = followed.fixture
        try fixture.createSimple("chat", in: .staging, owner: "staging")
        // Of which entry an override is to come back is known when there is one.
        for operation in Self.all where operation.kind != .rollbackOverride {
            let before = try fixture.repository.revision(of: .development)
            let expected = try Self.check(operation, fixture)
            #expect(try fixture.repository.revision(of: .development) == before, "\(operation.kind)")
            let written = try Self.apply(operation, fixture)
            #expect("\(written.withoutCount)" == "\(expected.withoutCount)", "\(operation.kind)")
            #expect(try fixture.repository.revision(of: .development) > before, "\(operation.kind)")
        }
    }

    @Test("A check counts the keys that a segment would list")
    func counted() throws {
        let fixture = try Fixture()
        _ = try Self.apply(try #require(Self.all.first { $0.kind == .createSegment }), fixture)
        var changes = SegmentKeyChanges()
        changes.set(Array("u1".utf8), isListed: true)
        let listed = SegmentKeySet.empty.changed(by: changes)
        for (kind, body, count) in [
            (.editSegmentKeys, ["add": ["u1", "u2", "u3"]], 3), (.editSegmentKeys, ["remove": ["u1", "u9"]], 0),
            (.replaceSegmentKeys, ["keys": ["u1", "u2"]], 2),
        ] as [(FlagOperation.Kind, JSONValue, Int)] {
            let operation = try FlagOperation(kind, of: "beta", body: body)
            let written = try fixture.repository.check(
                operation, in: .tests(.development), listed: { _, _ in listed })
            guard case .segment(_, count) = written else {
                Issue.record("\(body.serialized()) leaves \(written)")
                continue
            }
        }
    }

    @Test("Of several reasons a check names the one that applying names")
    func order() throws {
        let fixture = try Fixture()
        for operation in Self.all.filter({ [.createFlag, .createSegment].contains($0.kind) }) {
            _ = try Self.apply(operation, fixture)
        }
        try fixture.create([
            "flagKey": "user", "description": "d", "owner": "o", "defaultEnabled": true,
            "requires": [["flagKey": "chat", "variant": "on"]],
        ])
        let cases = [
            try FlagOperation(
                .createFlag,
                body: [
                    "flagKey": "chat", "description": "d", "owner": "o", "defaultEnabled": true,
                    "requires": [["flagKey": "none", "variant": "on"]],
                ]),
            try FlagOperation(.deleteFlag, of: "chat", expecting: 9),
            try FlagOperation(
                .setOverride, of: "none", tenant: "acme",
                body: ["enabled": true, "updatedBy": "me", "expiresAt": "2001-01-01T00:00:00Z"]),
        ]
        for operation in cases {
            let applied = failure { _ = try Self.apply(operation, fixture) }
            #expect(applied != nil)
            #expect("\(applied as Any)" == "\(failure { _ = try Self.check(operation, fixture) } as Any)")
        }
    }

    @Test("A check refuses what applying refuses, in the same words")
    func refused() throws {
        let fixture = try Fixture()
        // Nothing is there that they are about, but for what creates it.
        for operation in Self.all where ![.createFlag, .createSegment].contains(operation.kind) {
            let applied = failure { _ = try Self.apply(operation, fixture) }
            let checked = failure { _ = try Self.check(operation, fixture) }
            #expect(applied != nil, "\(operation.kind)")
            #expect("\(applied as Any)" == "\(checked as Any)", "\(operation.kind)")
        }
        // All is there, and at version 1.
        for kind in [FlagOperation.Kind.createSegment, .createFlag] {
            let operation = try #require(Self.all.first { $0.kind == kind })
            _ = try Self.apply(operation, fixture)
            #expect("\(failure { _ = try Self.check(operation, fixture) } as Any)".contains("already"))
        }
        let versioned: Set<FlagOperation.Kind> = [
            .replaceFlag, .patchFlag, .deleteFlag, .replaceSegment, .patchSegment, .deleteSegment, .editSegmentKeys,
            .replaceSegmentKeys,
        ]
        for var operation in Self.all where versioned.contains(operation.kind) {
            operation.expectedVersion = 9
            for run in [Self.check, Self.apply] {
                guard case .versionMismatch(_, 9, 1)? = failure({ _ = try run(operation, fixture) }) else {
                    Issue.record("\(operation.kind) goes past its version")
                    continue
                }
            }
        }
    }
}

extension Written {
    /// Applying leaves the number of keys to the caches, which follow.
    fileprivate var withoutCount: Written {
        if case .segment(let segment, _) = self { .segment(segment) } else { self }
    }
}
