import DynamoModel
import FlagCore
import JSON
import Testing

@testable import FlagStore

@Suite("Flags that are not valid and go on as they were")
struct InvalidDependentTests {
    @Test("What the last valid form of a flag requires cannot be deleted, nor lose that variant")
    func required() throws {
        let followed = try FlagTableFollowerTests.Followed()
        let fixture = followed.fixture
        let base: JSONValue = [
            "flagKey": "base", "description": "d", "owner": "o", "state": "ENABLED",
            "variants": ["one": 1, "two": 2], "defaultVariant": "one",
        ]
        try fixture.create(base)
        var user = Fixture.simple("user").objectValue ?? JSONObject()
        user["requires"] = [["flagKey": "base", "variant": "two"]]
        var item = try fixture.create(.object(user)).item
        // Somebody's hand has broken it: what it requires cannot be read from it any more.
        item["owner"] = 7
        item["requires"] = nil
        try followed.put(item)
        #expect(try fixture.repository.dependents(of: "base", in: .development).map(\.flagKey) == ["user"])
        guard case .required(flagKey: "base", by: ["user"]) = failure({ try fixture.delete("base") }) else {
            Issue.record("base was deleted")
            return
        }
        var smaller = base.objectValue ?? JSONObject()
        smaller["variants"] = ["one": 1]
        #expect(failure { try fixture.replace(.object(smaller)) }?.pointers == ["/variants"])
    }

    @Test("The forms of overrides are kept apart, whatever tenants and flags are called")
    func heldKeys() {
        let names = [("a", "b#c"), ("a#b", "c"), ("a", "1#b#c"), ("1#a", "b#c"), ("", "a#b#c")]
        let keys = names.map { FlagHistoryTable.heldKey(.development, tenant: $0.0, $0.1) }
        #expect(Set(keys).count == names.count)
    }
}
