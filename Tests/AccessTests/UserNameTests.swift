import DynamoModel
import FlagCore
import Testing

@testable import Access

@Suite("Users and what they may")
struct UserNameTests {
    @Test(
        "A name is short, small and ASCII",
        arguments: ["a", "ann", "0", "ann.lee", "a_b-c.9", String(repeating: "a", count: 64)])
    func names(text: String) { #expect(UserName(text)?.text == text) }

    @Test(
        "Anything else is no name",
        arguments: [
            "", "Ann", ".ann", "-ann", "_a", "ann lee", "ann/", "änn", "ann\n", "ann\u{0}", "ann@example.com",
            String(repeating: "a", count: 65),
        ])
    func others(text: String) { #expect(UserName(text) == nil) }

    private func record(_ roles: UserRoles) throws -> UserRecord {
        UserRecord(
            name: try #require(UserName("ann")), roles: roles, createdAt: Timestamp(millisecondsSinceEpoch: 0),
            createdBy: "test",
            password: UserRecord.Password(digest: [1], salt: [2], cost: .standard), revision: 5)
    }

    @Test("A second factor is needed by administrators anywhere and by everybody who is anything in production")
    func secondFactor() throws {
        let cases: [(UserRoles, Bool)] = [
            (UserRoles([:]), false), (UserRoles([.development: [.editor], .staging: [.operator]]), false),
            (UserRoles([.development: [.admin]]), true), (UserRoles([.production: [.viewer]]), true),
            (UserRoles(everywhere: [.viewer]), true),
        ]
        for (roles, isNeeded) in cases {
            #expect(try record(roles).standing == (isNeeded ? .mustEnrol : .good), "\(roles)")
        }
    }

    @Test("Whoever has something to do first, or is disabled, may nothing; else what their roles may")
    func permissions() throws {
        var record = try record(UserRoles([.production: [.operator], .development: [.viewer, .editor]]))
        #expect(record.caller.anywhere.isEmpty && record.caller.principal.description == "account ann")
        record.secondFactor = UserRecord.SecondFactor(sealedSecret: [1], lastStep: 1)
        #expect(record.standing == .good)
        #expect(record.caller.permissions(in: .production) == Role.operator.permissions)
        #expect(record.caller.permissions(in: .development) == Role.viewer.permissions.union(Role.editor.permissions))
        #expect(record.caller.permissions(in: .staging).isEmpty)
        var oneTime = record
        oneTime.password = UserRecord.Password(
            digest: [1], salt: [2], cost: .standard, oneTimeEnd: Timestamp(millisecondsSinceEpoch: 9))
        #expect(oneTime.standing == .mustChangePassword && oneTime.caller.anywhere.isEmpty)
        record.disabledAt = Timestamp(millisecondsSinceEpoch: 3)
        #expect(record.caller.anywhere.isEmpty)
    }

    @Test("A revision is never used twice, also when the clock is set back")
    func revisions() throws {
        var record = try record(UserRoles([:]))
        let ring = { (record: UserRecord) in UserRing([record.name: record]) }
        #expect(ring(record).record(record.name, revision: 5) == record)
        record.revoke(at: Timestamp(millisecondsSinceEpoch: 100))
        #expect(record.revision == 100 && ring(record).record(record.name, revision: 5) == nil)
        record.revoke(at: Timestamp(millisecondsSinceEpoch: 50))
        #expect(record.revision == 101)
        record.disabledAt = Timestamp(millisecondsSinceEpoch: 3)
        #expect(ring(record).record(record.name, revision: 101) == nil)
    }
}
