import DynamoModel
import FlagCore
import JSON
import Platform
import TableEngine
import Testing

@testable import FlagStore

@Suite("Lists and overrides")
struct ListsAndOverridesTests {
    @Test("Flags are listed newest first, page by page, each once")
    func newestFirst() throws {
        let fixture = try Fixture()
        for number in 0..<25 { try fixture.createSimple("flag-\(number)", at: Fixture.start + Int64(number)) }
        var keys: [String] = []
        var cursor: String?
        var pages = 0
        repeat {
            let page = try fixture.repository.flags(FlagQuery(limit: 10, cursor: cursor), in: .development)
            keys += page.records.map(\.key)
            cursor = page.nextCursor
            pages += 1
        } while cursor != nil
        #expect(keys == (0..<25).reversed().map { "flag-\($0)" })
        #expect(pages == 3)
    }

    @Test("A page of large flags ends before it has as many as were asked for, and the next goes on there")
    func largeFlags() throws {
        let fixture = try Fixture()
        let text = String(repeating: "x", count: 250_000)
        for number in 0..<12 {
            try fixture.create([
                "flagKey": .string("f\(number)"), "description": "d", "owner": "o", "state": "ENABLED",
                "variants": ["v": .string(text)], "defaultVariant": "v",
            ])
        }
        var keys: [String] = []
        var sizes: [Int] = []
        var query = FlagQuery(limit: 1000)
        repeat {
            let page = try fixture.repository.flags(query, in: .development)
            keys += page.records.map(\.key)
            sizes.append(page.records.count)
            query.cursor = page.nextCursor
        } while query.cursor != nil
        #expect(sizes == [5, 5, 2])
        #expect(Set(keys).count == 12)
    }

    @Test("The first page says how many there are in all, unless a tag selects them or they are too many to count")
    func totals() throws {
        let fixture = try Fixture()
        for number in 0..<12 { try fixture.createSimple("flag-\(number)", at: Fixture.start + Int64(number)) }
        func total(_ query: FlagQuery) throws -> Int? { try fixture.repository.flags(query, in: .development).total }
        let first = try fixture.repository.flags(FlagQuery(limit: 5), in: .development)
        #expect(first.total == 12)
        #expect(try total(FlagQuery(limit: 5, cursor: first.nextCursor)) == nil)
        #expect(try total(FlagQuery(limit: 50)) == 12)
        #expect(try total(FlagQuery(owner: "nobody", limit: 5)) == 0)
        #expect(try total(FlagQuery(tag: "rare", limit: 5)) == nil)
        let all = Query(
            table: fixture.repository.table, index: FlagIndex.all.name,
            partition: .string(FlagIndex.all.partition(in: .development)))
        #expect(try fixture.repository.store.count(all, upTo: 12) == 12)
        #expect(try fixture.repository.store.count(all, upTo: 11) == nil)
    }

    @Test("A page that ends with the list has no cursor")
    func exactPage() throws {
        let fixture = try Fixture()
        for number in 0..<10 { try fixture.createSimple("flag-\(number)", at: Fixture.start + Int64(number)) }
        #expect(try fixture.repository.flags(FlagQuery(limit: 10), in: .development).nextCursor == nil)
        #expect(try fixture.repository.flags(FlagQuery(limit: 9), in: .development).nextCursor != nil)
    }

    @Test("Owner, expiry and tag select flags, alone and together")
    func selections() throws {
        let fixture = try Fixture()
        for number in 0..<12 {
            guard case .object(var body) = Fixture.simple("flag-\(number)", owner: number < 6 ? "ann" : "bob") else {
                continue
            }
            if number % 2 == 0 { body["tags"] = ["even"] }
            if number % 3 == 0 { body["expiresAt"] = .string((Fixture.start + Int64(number) * 1_000).rfc3339) }
            try fixture.create(.object(body))
        }
        func keys(_ query: FlagQuery) throws -> [String] {
            try fixture.repository.flags(query, in: .development).records.map(\.key)
        }
        #expect(try keys(FlagQuery(owner: "bob")).sorted() == (6..<12).map { "flag-\($0)" }.sorted())
        #expect(try keys(FlagQuery(expiresBefore: Fixture.start + 6_000)) == ["flag-0", "flag-3"])
        #expect(try keys(FlagQuery(owner: "ann", tag: "even")) == ["flag-0", "flag-2", "flag-4"])
        #expect(try keys(FlagQuery(owner: "ann", expiresBefore: Fixture.start + 99_000, tag: "even")) == ["flag-0"])
        #expect(try keys(FlagQuery(owner: "nobody")).isEmpty)
        try fixture.patch("flag-11", ["owner": "ann"])
        #expect(try keys(FlagQuery(owner: "ann")).contains("flag-11"), "An index follows its flag")
    }

    @Test("A tag's pages hold as many flags as asked for, however rare the tag is")
    func rareTag() throws {
        let fixture = try Fixture()
        for number in 0..<40 {
            guard case .object(var body) = Fixture.simple("flag-\(number)") else { continue }
            if number % 10 == 0 { body["tags"] = ["rare"] }
            try fixture.create(.object(body), at: Fixture.start + Int64(number))
        }
        let first = try fixture.repository.flags(FlagQuery(tag: "rare", limit: 3), in: .development)
        #expect(first.records.map(\.key) == ["flag-30", "flag-20", "flag-10"])
        let second = try fixture.repository.flags(
            FlagQuery(tag: "rare", limit: 3, cursor: first.nextCursor), in: .development)
        #expect(second.records.map(\.key) == ["flag-0"])
    }

    @Test("A limit out of bounds and a cursor of another list are refused")
    func badLists() throws {
        let fixture = try Fixture()
        for number in 0..<3 { try fixture.createSimple("flag-\(number)") }
        let repository = fixture.repository
        #expect(failure { _ = try repository.flags(FlagQuery(limit: 0), in: .development) }?.pointers == ["limit"])
        #expect(failure { _ = try repository.flags(FlagQuery(limit: 1_001), in: .development) }?.pointers == ["limit"])
        let cursor = try repository.flags(FlagQuery(limit: 1), in: .development).nextCursor
        for query in [FlagQuery(owner: "team", cursor: cursor), FlagQuery(cursor: "nonsense")] {
            guard case .invalidCursor? = failure({ _ = try repository.flags(query, in: .development) }) else {
                Issue.record("A foreign cursor must be refused")
                continue
            }
        }
        guard
            case .invalidCursor? = failure({
                _ = try repository.flags(FlagQuery(cursor: cursor), in: .production)
            })
        else {
            Issue.record("A cursor of another environment must be refused")
            return
        }
    }

    @Test("An override is found by tenant and by flag, and needs a flag")
    func overrides() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        try fixture.createSimple("b")
        try fixture.putOverride("acme", "a")
        try fixture.putOverride("acme", "b", ["variant": "off", "updatedBy": "me", "reason": "why not"])
        try fixture.putOverride(
            "zeta", "a", ["enabled": false, "updatedBy": "me", "expiresAt": "2027-01-01T00:00:00Z"])
        let repository = fixture.repository
        #expect(try repository.overrides(ofTenant: "acme", in: .development).records.map(\.flagKey) == ["a", "b"])
        #expect(try repository.overrides(ofFlag: "a", in: .development).records.map(\.tenant) == ["acme", "zeta"])
        let read = try repository.override(ofTenant: "acme", flagKey: "b", in: .development)
        #expect(read.override == TenantOverride(choice: .variant("off")))
        #expect(read.reason == "why not")
        let again = try TenantOverrideDraft(json: read.json, tenant: "acme", flagKey: "b")
        #expect(again.override == read.override)
        guard case .notFound? = failure({ try fixture.putOverride("acme", "missing") }) else {
            Issue.record("An override of nothing must be refused")
            return
        }
        try fixture.deleteOverride("acme", "a")
        guard case .notFound? = failure({ try fixture.deleteOverride("acme", "a") }) else {
            Issue.record("An override that is gone must be refused")
            return
        }
    }

    @Test(
        "What is wrong with an override is said at once",
        arguments: [
            ("{}", ["/enabled", "/updatedBy"]),
            (#"{"enabled":true,"variant":"on","updatedBy":"me"}"#, ["/variant"]),
            (#"{"enabled":"yes","updatedBy":"me","extra":1}"#, ["/enabled", "/extra"]),
            (#"{"enabled":true,"updatedBy":"me","tenantId":"other"}"#, ["/tenantId"]),
        ])
    func invalidOverrides(body: String, pointers: [String]) throws {
        let json = try JSONValue(parsing: body)
        let error = #expect(throws: DefinitionIssues.self) {
            try TenantOverrideDraft(json: json, tenant: "acme", flagKey: "a")
        }
        #expect(error.map { Set($0.issues.map(\.pointer)) } == Set(pointers))
    }

    @Test(
        "Deleting a flag deletes all its overrides, few or many, and nobody else's",
        arguments: [0, 1, 97, 98, 99, 250])
    func deletion(count: Int) throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        try fixture.createSimple("b")
        try fixture.putOverride("tenant-0", "b")
        for number in 0..<count { try fixture.putOverride("tenant-\(number)", "a") }
        try fixture.delete("a")
        let repository = fixture.repository
        #expect(try repository.overrides(ofFlag: "a", in: .development).records.isEmpty)
        #expect(try repository.overrides(ofFlag: "b", in: .development).records.count == 1)
        guard case .notFound? = failure({ try fixture.delete("a") }) else {
            Issue.record("A flag that is gone must be refused")
            return
        }
    }

    @Test("A flag is deleted with the last of its overrides, also when few of them make a page")
    func deletionOfLargeOverrides() throws {
        let fixture = try Fixture()
        try fixture.createSimple("a")
        let text = AttributeValue.string(String(repeating: "x", count: 390_000))
        for number in 0..<25 {
            try fixture.putOverride("t\(number)", "a")
            let key = ItemKey.override(.development, tenant: "t\(number)", flagKey: "a")
            let item = try #require(try fixture.store.getItem(table: Fixture.table, key: key.tableKey))
            try fixture.put(item.merging(["note": text]) { $1 })
        }
        let commits = Locked<[[ItemKey]]>([])
        fixture.store.subscribe { changes in
            commits.withLock {
                $0.append(changes.compactMap { $0.newItem == nil ? $0.oldItem.flatMap(ItemKey.init) : nil })
            }
        }
        try fixture.delete("a")
        #expect(commits.withLock { $0.flatMap { $0 }.count } == 26)
        #expect(commits.withLock { $0.last?.contains(.flag(.development, key: "a")) } == true)
    }
}
