import FlagCore
import Platform
import Testing

@testable import Access
@testable import AccessStore
@testable import DynamoModel
@testable import TableEngine

@Suite("Accounts in the store")
struct UserStoreTests {
    private let test: TestAccounts

    init() throws { test = try TestAccounts() }

    @Test("An account is as it was when it is read again, in every state")
    func items() throws {
        try test.settle("ann", UserRoles([.production: [.viewer, .operator], .staging: [.admin]]))
        _ = try test.enrol()
        _ = try test.create("bob", UserRoles([:]))
        _ = try test.users.set(test.name("bob"), disabled: true, by: .server, at: test.now)
        for record in try test.users.load() { #expect(UserRecord(item: record.item) == record) }
        #expect(try test.users.load().map(\.name.text) == ["ann", "bob"])
    }

    @Test("What is not whole lets nobody in")
    func damaged() throws {
        try test.settle()
        _ = try test.enrol()
        let record = try test.users.find(test.name("ann"))
        for name in record.item.keys where name.text != "begunSecret" {
            var item = record.item
            item[name] = .bool(true)
            let read = UserRecord(item: item)
            #expect(read == nil || read?.disabledAt != nil, "\(name.text)")
        }
        // A digest that would take all memory is computed by nobody.
        var item = record.item
        guard case .map(var password)? = item["password"] else { throw TestAccounts.Unexpected() }
        password["rounds"] = .number(1 << 40)
        item["password"] = .map(password)
        #expect(UserRecord(item: item) == nil)
    }

    @Test("No password and no secret is in the store as it was handed out")
    func nothingLegible() throws {
        let first = try test.create()
        _ = try test.accounts.own.changePassword(test.proof("ann", first), to: TestAccounts.password, at: test.now)
        let (secret, codes) = try test.enrol()
        let text = "\(try test.users.find(test.name("ann")).item)"
        for handedOut in [first, TestAccounts.password, "\(secret)", TypableText.text(of: secret)] + codes {
            #expect(!text.contains(handedOut))
        }
    }

    @Test("A name is given once")
    func names() throws {
        _ = try test.create()
        #expect(throws: KeyStoreError.exists("ann")) { try test.create() }
        #expect(throws: KeyStoreError.notFound("bob")) {
            try test.users.setRoles(of: test.name("bob"), to: UserRoles([:]), by: .server, at: test.now)
        }
    }

    @Test("What revokes moves the revision, and whoever follows has it when it returns; signing in does not")
    func revisions() throws {
        let rings = Locked<[UserRing]>([])
        try test.users.start { ring in rings.withLock { $0.append(ring) } }
        let name = try test.name("ann")
        func ring() throws -> UserRecord { try #require(rings.withLock { $0.last }?.records[name]) }
        try test.settle()
        let (secret, _) = try test.enrol()
        var revision = try ring().revision
        let changes: [(String, () throws -> Void)] = [
            ("roles", { _ = try test.users.setRoles(of: name, to: UserRoles([:]), by: .server, at: test.now) }),
            ("password", { _ = try test.users.resetPassword(of: name, by: .server, at: test.now) }),
            ("disabled", { _ = try test.users.set(name, disabled: true, by: .server, at: test.now) }),
            ("enabled", { _ = try test.users.set(name, disabled: false, by: .server, at: test.now) }),
            ("sessions", { _ = try test.users.endSessions(of: name, by: .server, at: test.now) }),
            ("factor", { _ = try test.users.resetSecondFactor(of: name, by: .server, at: test.now) }),
        ]
        for (what, change) in changes {
            try change()
            let now = try ring().revision
            #expect(now > revision, "\(what)")
            revision = now
        }
        _ = secret
        let count = rings.withLock { $0.count }
        let first = try test.users.resetPassword(of: name, by: .server, at: test.now).password
        _ = try test.accounts.own.changePassword(test.proof("ann", first), to: TestAccounts.password, at: test.now)
        let (again, _) = try test.enrol()
        let told = rings.withLock { $0.count }
        // Without roles a second factor changes nothing that is checked.
        #expect(told == count + 2)
        test.advance(seconds: 30)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(again))) == nil)
        #expect(rings.withLock { $0.count } == told)
        // Nothing that leaves all as it was is a change.
        _ = try test.users.set(name, disabled: false, by: .server, at: test.now)
        #expect(try ring().revision == test.users.find(name).revision)
    }

    @Test("The accounts that are there are followed from the start, also those that another store wrote before")
    func start() throws {
        _ = try test.create()
        let keys = KeyStore(store: test.store) { _ throws(KeyStoreError) in throw .secretKey("") }
        let another = UserStore(beside: keys, cost: TestAccounts.cheap)
        try another.start { _ in }
        #expect(another.ring.records.keys.map(\.text) == ["ann"])
        _ = try test.create("bob")
        #expect(another.ring.records.keys.map(\.text).sorted() == ["ann", "bob"])
    }

    @Test("Common passwords are refused, by the list that is compiled in")
    func common() throws {
        for word in ["password", "qwerty", "dragon", "1qaz2wsx3edc", "q1w2e3r4t5y6"] {
            #expect(CommonPasswords.contains(word), "\(word)")
        }
        for word in ["", "three cups of green tea", "jq7v-1k0s-zz81"] { #expect(!CommonPasswords.contains(word)) }
        let taken = (0..<100_000).count { CommonPasswords.contains("not a common one \($0)") }
        #expect(taken <= 3)
        let name = try test.name("ann")
        #expect(OwnAccount.complaint(about: "Password123456", of: name) != nil)
        #expect(OwnAccount.complaint(about: TestAccounts.password, of: name) == nil)
    }

    @Test("A digest is that of RFC 7914, section 12, at the cost it was made at")
    func scrypt() throws {
        let digest: [UInt8] = [
            0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00, 0x78, 0x56, 0xe7, 0x19, 0x0d, 0x01, 0xe9, 0xfe, 0x7c, 0x6a,
            0xd7, 0xcb, 0xc8, 0x23, 0x78, 0x30, 0xe7, 0x73, 0x76, 0x63, 0x4b, 0x37, 0x31, 0x62,
        ]
        let kept = UserRecord.Password(
            digest: digest, salt: Array("NaCl".utf8), cost: PasswordCost(rounds: 1024, blockSize: 8, parallelism: 16))
        #expect(PasswordHash.isRight("password", kept))
        #expect(!PasswordHash.isRight("passwore", kept) && !PasswordHash.isRight("", kept))
    }
}
