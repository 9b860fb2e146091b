import FlagCore
import Platform

@testable import Access
@testable import AccessStore
@testable import DynamoModel
@testable import TableEngine

/// Accounts over a store in memory, with clocks that are set by hand and passwords that cost next to nothing.
final class TestAccounts: Sendable {
    /// What the wall clock says at first: 2026-01-02T03:04:05.678Z.
    static let start = Timestamp(millisecondsSinceEpoch: 1_767_323_045_678)
    static let cheap = PasswordCost(rounds: 16, blockSize: 1, parallelism: 1)
    static let password = "three cups of green tea"

    let store: SQLiteTableStore
    let keys: KeyStore
    let accounts: Accounts
    private let wall = Locked(TestAccounts.start)
    private let admin = Principal(.local, "root")

    init(cost: PasswordCost = TestAccounts.cheap) throws {
        store = try SQLiteTableStore.open(.memory)
        let digests = SecretDigest(key: (0..<32).map { UInt8($0) })
        keys = KeyStore(store: store) { _ throws(KeyStoreError) in digests }
        accounts = Accounts(beside: keys, cost: cost) { [wall] in
            wall.withLock { $0.millisecondsSinceEpoch * 1000 }
        }
        try accounts.users.start { _ in }
    }

    deinit { store.close() }

    var users: UserStore { accounts.users }
    var now: Timestamp { wall.withLock { $0 } }

    /// Lets time pass.
    func advance(seconds: Int64) { wall.withLock { $0.millisecondsSinceEpoch += seconds * 1000 } }

    func name(_ text: String) throws -> UserName {
        guard let name = UserName(text) else { throw Unexpected() }
        return name
    }

    /// Makes somebody who still has their first password.
    func create(_ text: String = "ann", _ roles: UserRoles = UserRoles([.development: [.editor]])) throws -> String {
        try users.create(name(text), roles, by: admin, at: now).password
    }

    /// Makes somebody in good standing.
    func settle(_ text: String = "ann", _ roles: UserRoles = UserRoles([.development: [.editor]])) throws {
        let first = try create(text, roles)
        _ = try accounts.own.changePassword(proof(text, first), to: Self.password, at: now)
    }

    /// Gives somebody a second factor.
    ///
    /// - Returns: its secret and the recovery codes.
    func enrol(_ text: String = "ann") throws -> (secret: [UInt8], codes: [String]) {
        let secret = try accounts.own.beginEnrolment(proof(text), at: now)
        let (_, codes) = try accounts.own.confirmEnrolment(of: name(text), code: code(secret), at: now)
        return (secret, codes)
    }

    /// The code of this moment.
    func code(_ secret: [UInt8]) -> String { TOTP.code(secret, step: TOTP.step(at: now), SecondFactorSeal.mac) }

    func proof(
        _ name: String = "ann", _ password: String = TestAccounts.password, _ code: String? = nil,
        from address: UInt64? = 1
    ) -> SignIn.Proof { SignIn.Proof(name: name, password: password, code: code, from: address) }

    /// Why somebody is not let in; nil when they are.
    func refusal(_ proof: SignIn.Proof) -> SignInError? {
        do throws(SignInError) {
            _ = try accounts.signIn.signIn(proof, at: now)
            return nil
        } catch { return error }
    }

    struct Unexpected: Error {}
}
