import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Updates")
struct ItemUpdateTests {
    private static let item: Item = [
        "PK": "a", "n": 5, "list": .list(["a", "b", "c"]), "map": .map(["x": 1, "y": .map(["z": 2])]),
        "words": .stringSet(["x", "y"]), "text": "t",
        "tree": .list([0, 1, .list(["a", "b"]), .map(["x": 1])]),
    ]

    @Test(
        "Actions make of an item what DynamoDB makes of it",
        arguments: [
            ([UpdateAction.set("new", .value(1))], ["new": 1]), ([.set("n", .value("other"))], ["n": "other"]),
            ([.set("n", .plus(.path("n"), .value(2)))], ["n": 7]),
            ([.set("n", .minus(.value(2), .path("n")))], ["n": -3]),
            ([.set("n", .ifNotExists("n", .value(0)))], ["n": 5]),
            ([.set("m", .plus(.ifNotExists("m", .value(10)), .value(1)))], ["m": 11]),
            ([.set("list", .listAppend(.path("list"), .value(.list(["d"]))))], ["list": .list(["a", "b", "c", "d"])]),
            ([.set(DocumentPath("list", [.element(1)]), .value("B"))], ["list": .list(["a", "B", "c"])]),
            ([.set(DocumentPath("list", [.element(9)]), .value("z"))], ["list": .list(["a", "b", "c", "z"])]),
            (
                [
                    .set(DocumentPath("list", [.element(9)]), .value("9")),
                    .set(DocumentPath("list", [.element(7)]), .value("7")),
                    .remove(DocumentPath("list", [.element(0)])), .remove(DocumentPath("list", [.element(2)])),
                ], ["list": .list(["b", "7", "9"])]
            ),
            (
                [.set(DocumentPath("map", [.member("y"), .member("w")]), .value(3))],
                ["map": .map(["x": 1, "y": .map(["z": 2, "w": 3])])]
            ),
            ([.remove(DocumentPath("map", [.member("x")]))], ["map": .map(["y": .map(["z": 2])])]),
            ([.remove(DocumentPath("list", [.element(5)]))], [:]), ([.remove("none")], [:]),
            (
                // Removals move no element that is still to be removed, however deep.
                [
                    .remove(DocumentPath("tree", [.element(1)])),
                    .remove(DocumentPath("tree", [.element(2), .element(0)])),
                    .remove(DocumentPath("tree", [.element(3), .member("x")])),
                    .remove(DocumentPath("tree", [.element(0)])),
                ], ["tree": .list([.list(["b"]), .map([:])])]
            ),
            ([.add("n", 2)], ["n": 7]), ([.add("fresh", 2)], ["fresh": 2]),
            ([.add("words", .stringSet(["z", "x"]))], ["words": .stringSet(["x", "y", "z"])]),
            ([.delete("words", .stringSet(["x", "q"]))], ["words": .stringSet(["y"])]),
            ([.delete("none", .stringSet(["x"]))], [:]),
            // Both operands read the item as it was.
            ([.set("n", .path("text")), .set("text", .path("n"))], ["n": "t", "text": 5]),
        ] as [([UpdateAction], Item)])
    func table(_ actions: [UpdateAction], _ changed: Item) throws {
        let expected = Self.item.merging(changed) { $1 }
        #expect(try ItemUpdate.apply(actions, to: Self.item, key: ["PK": "a"]) == expected)
    }

    @Test("A removed attribute and an emptied set are gone")
    func gone() throws {
        let item = try #require(
            try ItemUpdate.apply(
                [.remove("n"), .delete("words", .stringSet(["x", "y"]))], to: Self.item, key: ["PK": "a"]))
        #expect(item["n"] == nil && item["words"] == nil)
    }

    @Test("An update of nothing makes an item of its key")
    func fresh() throws {
        #expect(try ItemUpdate.apply([.add("n", 1)], to: nil, key: ["PK": "k"]) == ["PK": "k", "n": 1])
        #expect(try ItemUpdate.apply([], to: nil, key: ["PK": "k"]) == ["PK": "k"])
    }

    @Test("An update of nothing that only takes away makes no item")
    func takingAway() throws {
        for action in [
            UpdateAction.remove("n"), .delete("words", .stringSet(["x"])),
            .remove(DocumentPath("map", [.member("x")])),
        ] {
            #expect(try ItemUpdate.apply([action], to: nil, key: ["PK": "k"]) == nil)
        }
        #expect(
            try ItemUpdate.apply([.remove("n"), .set("m", .value(1))], to: nil, key: ["PK": "k"])
                == ["PK": "k", "m": 1])
    }

    @Test("Operands read the key of an item that is about to be")
    func keyAsOperand() throws {
        let actions = [UpdateAction.set("m", .path("PK")), .set("n", .ifNotExists("n", .path("PK")))]
        #expect(try ItemUpdate.apply(actions, to: nil, key: ["PK": "k"]) == ["PK": "k", "m": "k", "n": "k"])
    }

    @Test(
        "An action that does not fit the item is refused",
        arguments: [
            (UpdateAction.set("m", .path("none")), "attribute that does not exist"),
            (.set("m", .plus(.path("text"), .value(1))), "incorrect data type"),
            (.set("m", .listAppend(.path("text"), .value(.list([])))), "incorrect data type"),
            (.set(DocumentPath("none", [.member("x")]), .value(1)), "document path"),
            (.set(DocumentPath("text", [.member("x")]), .value(1)), "document path"),
            (.set(DocumentPath("map", [.element(0)]), .value(1)), "document path"),
            (.remove(DocumentPath("none", [.member("x")])), "document path"),
            (.remove(DocumentPath("text", [.element(0)])), "document path"),
            (.remove(DocumentPath("map", [.element(0)])), "document path"),
            (.delete(DocumentPath("none", [.member("x")]), .stringSet(["x"])), "document path"),
            (.add("text", 1), "incorrect data type"), (.add("n", .stringSet(["x"])), "incorrect data type"),
            (.delete("n", .stringSet(["x"])), "incorrect data type"),
            (.add("n", .number(decimal("1e-100"))), "Number overflow"),
        ])
    func refused(_ action: UpdateAction, _ message: String) {
        #expect {
            try ItemUpdate.apply([action], to: Self.item, key: ["PK": "a"])
        } throws: { error in
            guard case .validation(let text) = error as? TableError else { return false }
            return text.contains(message)
        }
    }
}
