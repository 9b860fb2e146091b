import Access
import FlagCore
import Platform

/// Why somebody was not let in.
package enum SignInError: Error, Equatable {
    /// The name, the password or the code is wrong, or the account is disabled: which, nobody is told.
    case refused
    /// Too many tries failed: the next is looked at in so many seconds.
    case wait(seconds: Int)
    /// The accounts could not be read or written.
    case unavailable(KeyStoreError)
}

/// Proves who somebody is, by their password and second factor.
///
/// A response tells nobody what was wrong, and takes the same time whatever it was: a name that nobody has costs a
/// digest too. Blocks while the digest is computed: on the line of passwords alone.
package final class SignIn: Sendable {
    /// What somebody shows.
    package struct Proof: Sendable {
        /// The name, as it was given.
        package let name: String
        package let password: String
        /// The code of the app, or a recovery code; nil for none.
        package let code: String?
        /// What their address is counted by; nil for the machine itself.
        package let address: UInt64?

        /// What is shown.
        package init(name: String, password: String, code: String?, from address: UInt64?) {
            self.name = name
            self.password = password
            self.code = code
            self.address = address
        }

        fileprivate var attempt: LoginDelay.Attempt { LoginDelay.Attempt(user: name, address: address) }
        /// More than any password has: what is longer is not worth a digest of its own.
        fileprivate var isBounded: Bool { password.utf8.count <= PasswordRule.characters.upperBound * 4 }
    }

    /// What a code uses up.
    private enum CodeUse {
        case step(Int64)
        case recoveryCode([UInt8])
    }

    private let users: UserStore
    private let delay = Locked(LoginDelay())
    private let monotonicMicroseconds: @Sendable () -> Int64
    /// What a password is compared with where there is no account.
    private let nobody: UserRecord

    /// A proof of the accounts.
    ///
    /// - Parameters:
    ///   - cost: that of the digests of passwords that are set.
    ///   - monotonicMicroseconds: a clock that is never set.
    init(
        _ users: UserStore, cost: PasswordCost,
        monotonicMicroseconds: @escaping @Sendable () -> Int64 = { SystemClock.monotonicMicroseconds }
    ) {
        self.users = users
        self.monotonicMicroseconds = monotonicMicroseconds
        guard let name = UserName("nobody") else { preconditionFailure("a name") }
        nobody = UserRecord(
            name: name, roles: UserRoles([:]), createdAt: Timestamp(millisecondsSinceEpoch: 0), createdBy: "",
            password: UserRecord.Password(digest: RandomBytes.make(32), salt: RandomBytes.make(16), cost: cost),
            secondFactor: UserRecord.SecondFactor(sealedSecret: RandomBytes.make(48), lastStep: .max),
            revision: 0)
    }

    /// In how many seconds a try is worth making; 0 when it may be made now. At once, from any thread.
    package func wait(for proof: Proof) -> Int {
        delay.withLock { [now = monotonicMicroseconds()] in $0.wait(proof.attempt, now: now) }
    }

    /// Whether that name has signed in from that address before. At once, from any thread.
    package func knows(_ proof: Proof) -> Bool {
        delay.withLock { [now = monotonicMicroseconds()] in $0.isKnown(proof.attempt, now) }
    }

    /// Lets somebody in. A code that was taken is never taken again, also after a crash.
    ///
    /// - Parameter now: decides on codes and one-time passwords.
    /// - Returns: the account as it is afterwards. Its standing says what it may be used for.
    package func signIn(_ proof: Proof, at now: Timestamp) throws(SignInError) -> UserRecord {
        try prove(proof, needsCode: true, at: now)
    }

    /// Proves that somebody who is signed in is still the one who was: by the password, where that is enough, else with
    /// a code as well.
    func prove(_ proof: Proof, needsCode: Bool, at now: Timestamp) throws(SignInError) -> UserRecord {
        let seconds = wait(for: proof)
        guard seconds == 0 else { throw .wait(seconds: seconds) }
        let record: UserRecord?
        do throws(KeyStoreError) { record = try proven(proof, needsCode: needsCode, at: now) } catch {
            throw .unavailable(error)
        }
        return try delay.withLock { [now = monotonicMicroseconds()] delay throws(SignInError) in
            guard let record else {
                delay.noteFailure(proof.attempt, now: now)
                throw .refused
            }
            delay.noteSuccess(proof.attempt, now: now)
            return record
        }
    }

    /// The account, when everything is right; nil when anything is not. Does the same work either way.
    private func proven(
        _ proof: Proof, needsCode: Bool, at now: Timestamp
    ) throws(KeyStoreError) -> UserRecord? {
        let name = UserName(proof.name)
        let found = if let name { try users.known(name) } else { nil as UserRecord? }
        let record = found ?? nobody
        let use = try needsCode ? codeUse(proof.code, record, at: now) : nil
        let isRight = PasswordHash.isRight(proof.isBounded ? proof.password : "", record.password)
        let isInTime = record.password.oneTimeEnd.map { now < $0 } ?? true
        guard found != nil, isRight, isInTime, record.disabledAt == nil else { return nil }
        // Whoever has the password is no stranger: codes are counted for the account, wherever they come from.
        guard needsCode, record.secondFactor != nil else { return record }
        let isHeld = delay.withLock { [now = monotonicMicroseconds()] in $0.holdsCodes(proof.attempt, now: now) }
        guard let use, !isHeld, let record = try consume(use, of: record) else {
            delay.withLock { [now = monotonicMicroseconds()] in $0.noteWrongCode(proof.attempt, now: now) }
            return nil
        }
        return record
    }

    /// What a code uses up of an account; nil when it is wrong, or there is no second factor.
    private func codeUse(
        _ code: String?, _ record: UserRecord, at now: Timestamp
    ) throws(KeyStoreError) -> CodeUse? {
        let seal = try users.seal()
        let code = code ?? ""
        // Also of whoever has none: how long it takes tells nobody.
        let factor = record.secondFactor ?? nobody.secondFactor
        let step = factor.flatMap { seal.accept(code, $0, of: record.name, at: now) }
        let digest = seal.digest(of: RecoveryCode.canonical(code) ?? "", of: record.name)
        guard record.secondFactor != nil else { return nil }
        if let step { return .step(step) }
        return record.recoveryDigests.contains { SecretDigest.areEqual($0, digest) } ? .recoveryCode(digest) : nil
    }

    /// Takes a code away, unless somebody else has been faster, or the account has changed since it was looked at.
    private func consume(_ use: CodeUse, of proven: UserRecord) throws(KeyStoreError) -> UserRecord? {
        var isTaken = false
        let record = try users.change(proven.name, by: proven.caller.principal) { record in
            guard record.revision == proven.revision else { return }
            switch use {
            case .step(let step):
                guard let last = record.secondFactor?.lastStep, step > last else { return }
                record.secondFactor?.lastStep = step
                isTaken = true
            case .recoveryCode(let digest):
                guard let place = record.recoveryDigests.firstIndex(of: digest) else { return }
                record.recoveryDigests.remove(at: place)
                isTaken = true
            }
        }
        return isTaken ? record : nil
    }
}
