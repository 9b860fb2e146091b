import Testing

@testable import DynamoModel
@testable import TableEngine

@Suite("Encrypted items")
struct ItemSealTests {
    private static let item = ItemCodec.encode(["PK": "a", "secret": "marked value"])
    private static let key: [UInt8] = [5, 97, 0]

    /// A seal with a data key of its own.
    private static func seal() throws -> ItemSeal {
        let keys = AtRestKeys.test()
        let renewed = try #require(try KeyRing.renewed(nil, [:], by: keys, rotating: false, in: "flags.db"))
        return ItemSeal(renewed.ring, renewed.keys, by: keys)
    }

    @Test("An item is read again under its own key, and nothing of it is to be seen")
    func roundTrip() throws {
        let seal = try Self.seal()
        let stored = seal.seal(Self.item, at: Self.key)
        #expect(stored.first == ItemSeal.format && stored.count == Self.item.count + 37)
        #expect(!String(decoding: stored, as: UTF8.self).contains("marked"))
        #expect(try seal.open(stored, at: Self.key) == Self.item)
        #expect(stored.withUnsafeBytes { seal.isCurrent($0) })
    }

    @Test("Equal items are stored in different bytes")
    func nonces() throws {
        let seal = try Self.seal()
        let stored = (0..<100).map { _ in seal.seal(Self.item, at: Self.key) }
        #expect(Set(stored).count == stored.count)
        #expect(Set(stored.map { Array($0[9..<21]) }).count == stored.count)
    }

    @Test("An item is none under another key, in another table, or with any bit flipped")
    func bound() throws {
        let seal = try Self.seal()
        let stored = seal.seal(Self.item, at: Self.key)
        for other in [[5, 98, 0], [6, 97, 0], [5, 97], []] as [[UInt8]] {
            #expect(throws: ItemCodecError.damaged) { try seal.open(stored, at: other) }
        }
        for bit in 8..<(stored.count * 8) {
            var flipped = stored
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ItemCodecError.self, "bit \(bit)") { try seal.open(flipped, at: Self.key) }
        }
        for count in 1..<stored.count {
            #expect(throws: ItemCodecError.self) { try seal.open(Array(stored[..<count]), at: Self.key) }
        }
    }

    @Test("An item that is not encrypted is read as it is")
    func plain() throws {
        #expect(try Self.seal().open(Self.item, at: Self.key) == Self.item)
        #expect(ItemSeal().seal(Self.item, at: Self.key) == Self.item)
        #expect(Self.item.withUnsafeBytes { ItemSeal().isCurrent($0) })
        #expect(try !Self.item.withUnsafeBytes { try Self.seal().isCurrent($0) })
    }

    @Test("An item of another data key is named by that, and is not damaged")
    func unknownKey() throws {
        let stored = try Self.seal().seal(Self.item, at: Self.key)
        let id = try #require(stored.withUnsafeBytes(ItemSeal.dataKey))
        #expect(throws: ItemCodecError.unknownKey(DataKey.name(id))) { try Self.seal().open(stored, at: Self.key) }
    }

    @Test("The image of a change carries the key that it is read by")
    func images() throws {
        let seal = try Self.seal()
        let image = ChangeImage.encode(seal.seal(Self.item, at: Self.key), at: Self.key)
        try image.withUnsafeBytes { (bytes) throws in
            #expect(try ChangeImage.parts(bytes)?.key == Self.key)
            #expect(try seal.open(image: bytes) == Self.item)
        }
        for count in 1..<image.count {
            #expect(throws: ItemCodecError.self) {
                try Array(image[..<count]).withUnsafeBytes { (bytes) throws in _ = try seal.open(image: bytes) }
            }
        }
        #expect(ChangeImage.encode(Self.item, at: Self.key) == Self.item)
    }
}

@Suite("Data keys")
struct KeyRingTests {
    private static let path = "flags.db"

    private static func ring(_ keys: AtRestKeys = .test()) throws -> (ring: KeyRing, keys: [UInt64: DataKey]) {
        try #require(try KeyRing.renewed(nil, [:], by: keys, rotating: false, in: path))
    }

    @Test("They are stored as text, and opened by the operator's key alone")
    func text() throws {
        let (ring, keys) = try Self.ring()
        let read = try #require(KeyRing(text: ring.text))
        #expect(read == ring)
        #expect(read.unwrapped(by: .test())?.keys.sorted() == keys.keys.sorted())
        #expect(read.unwrapped(by: .test(2)) == nil && read.unwrapped(by: .none) == nil)
        #expect(read.unwrapped(by: .test(2, former: 1)) != nil)
        for text in ["", "{}", "{\"keeper\":\"x\",\"needed\":true,\"keys\":{\"1\":\"?\"}}", "[]"] {
            #expect(KeyRing(text: text) == nil)
        }
    }

    @Test("The operator's key has a name that stays the same and differs from that of others")
    func names() {
        let names = [1, 2, 1].map { AtRestKeys.test($0).current?.id }
        #expect(names[0] == names[2] && names[0] != names[1] && names[0]?.count == 16)
        #expect(AtRestKey([1, 2, 3]) == nil)
    }

    @Test("A damaged data key is told from a wrong key")
    func damaged() throws {
        var (ring, _) = try Self.ring()
        for id in ring.wrapped.keys { ring.wrapped[id]?[20] ^= 1 }
        for (key, kind) in [(1, .corrupt), (2, .encrypted)] as [(UInt8, StorageFailure.Kind)] {
            let error = #expect(throws: TableError.self) { try StoreKeys.open(ring, by: .test(key), in: Self.path) }
            #expect(error?.storageKind == kind)
        }
    }

    @Test("They become others when the operator's key does, or when that is wanted, and former ones stay")
    func renewed() throws {
        let (ring, keys) = try Self.ring()
        #expect(try KeyRing.renewed(ring, keys, by: .test(), rotating: false, in: Self.path) == nil)
        #expect(try KeyRing.renewed(nil, [:], by: .none, rotating: true, in: Self.path) == nil)
        let rotated = try #require(try KeyRing.renewed(ring, keys, by: .test(), rotating: true, in: Self.path))
        #expect(rotated.ring.wrapped.count == 2 && rotated.ring.current != ring.current)
        let exchanged = try #require(
            try KeyRing.renewed(rotated.ring, rotated.keys, by: .test(2, former: 1), rotating: false, in: Self.path))
        #expect(exchanged.ring.wrapped.count == 3 && exchanged.ring.keeper == AtRestKeys.test(2).current?.id)
        #expect(exchanged.ring.unwrapped(by: .test(2))?.count == 3)
        let off = try #require(
            try KeyRing.renewed(ring, keys, by: .test(nil, former: 1), rotating: false, in: Self.path))
        #expect(off.ring.current == nil && off.ring.isNeeded)
    }

    @Test("Former data keys are not thrown away for want of the key that opens them")
    func kept() throws {
        var (ring, _) = try Self.ring()
        (ring.current, ring.isNeeded) = (nil, false)
        #expect(try StoreKeys.open(ring, by: .test(2), in: Self.path).isEmpty)
        let error = #expect(throws: TableError.self) {
            try KeyRing.renewed(ring, [:], by: .test(2), rotating: false, in: Self.path)
        }
        #expect(error?.storageKind == .encrypted)
    }
}
