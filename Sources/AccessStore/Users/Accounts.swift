import Access
import Platform

/// The accounts of persons with all that is done to them: one for a store.
package struct Accounts: Sendable {
    /// The accounts.
    package let users: UserStore
    /// Proves who somebody is.
    package let signIn: SignIn
    /// What persons do to their own.
    package let own: OwnAccount
    /// Where work waits that computes digests of passwords.
    package let line = PasswordLine()

    /// The accounts beside the keys, in the same table. Nothing is read yet.
    ///
    /// - Parameters:
    ///   - cost: of the digests of passwords that are set; another than the standard for tests alone.
    ///   - monotonicMicroseconds: a clock that is never set.
    package init(
        beside keys: KeyStore, cost: PasswordCost = .standard,
        monotonicMicroseconds: @escaping @Sendable () -> Int64 = { SystemClock.monotonicMicroseconds }
    ) {
        users = UserStore(beside: keys, cost: cost)
        signIn = SignIn(users, cost: cost, monotonicMicroseconds: monotonicMicroseconds)
        own = OwnAccount(users, signIn)
    }
}
