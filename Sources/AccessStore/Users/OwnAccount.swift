import Access
import FlagCore

/// Why somebody's own account was not changed.
package enum OwnAccountError: Error, Equatable {
    /// They did not prove who they are.
    case signIn(SignInError)
    /// The new password does not do: what is wrong with it, so that it completes the sentence "the password …".
    case unsuitablePassword(String)
    /// No enrolment was begun.
    case notBegun
    /// The code is not that of the secret that was handed out, or of another time.
    case wrongCode
    /// There is no second factor to recover from.
    case noSecondFactor
    /// The account has changed meanwhile, by somebody else.
    case changedMeanwhile
    /// The accounts could not be read or written.
    case unavailable(KeyStoreError)
}

/// What a person does to their own account. The functions that take a proof block while its digest is computed: on the
/// line of passwords alone.
package struct OwnAccount: Sendable {
    private let users: UserStore
    private let signIn: SignIn

    /// What persons do to their accounts.
    init(_ users: UserStore, _ signIn: SignIn) {
        self.users = users
        self.signIn = signIn
    }

    /// What is wrong with a new password; nil when nothing is. At once.
    package static func complaint(about password: String, of name: UserName) -> String? {
        PasswordRule.complaint(about: password, of: name, isCommon: CommonPasswords.contains)
    }

    /// Sets another password; what was handed out before ends.
    ///
    /// - Parameter proof: the name and the password of before.
    package func changePassword(
        _ proof: SignIn.Proof, to password: String, at now: Timestamp
    ) throws(OwnAccountError) -> UserRecord {
        let record = try prove(proof, needsCode: false, at: now)
        if let complaint = Self.complaint(about: password, of: record.name) { throw .unsuitablePassword(complaint) }
        guard password != proof.password else {
            throw .unsuitablePassword("is the one that you have: choose another")
        }
        let kept = try storing { () throws(KeyStoreError) in try users.makePassword(password) }
        return try change(record) { record in
            record.password = kept
            record.revoke(at: now)
        }
    }

    /// Hands out the secret of a second factor, which is in force once a code of it was confirmed. One that was begun
    /// before is forgotten; one that is in force stays until then.
    ///
    /// - Parameter proof: the name and the password, and a code where there is a second factor.
    /// - Returns: the secret.
    package func beginEnrolment(_ proof: SignIn.Proof, at now: Timestamp) throws(OwnAccountError) -> [UInt8] {
        let record = try prove(proof, needsCode: true, at: now)
        let secret = RandomBytes.make(TOTP.secretBytes)
        let seal = try storing { () throws(KeyStoreError) in try users.seal() }
        let sealed = seal.seal(secret, of: record.name)
        _ = try change(record) { $0.begunSecret = sealed }
        return secret
    }

    /// Puts the second factor in force that was begun. Blocks while the disk is written, no longer.
    ///
    /// - Returns: the account, and its recovery codes, which are kept nowhere.
    package func confirmEnrolment(
        of name: UserName, code: String, at now: Timestamp
    ) throws(OwnAccountError) -> (UserRecord, recoveryCodes: [String]) {
        let former = try storing { () throws(KeyStoreError) in try users.find(name) }
        guard let begun = former.begunSecret else { throw .notBegun }
        let seal = try storing { () throws(KeyStoreError) in try users.seal() }
        let factor = UserRecord.SecondFactor(sealedSecret: begun, lastStep: -1)
        guard let step = seal.accept(code, factor, of: name, at: now) else { throw .wrongCode }
        let codes = Self.makeRecoveryCodes()
        let record = try change(former) { record in
            // Whoever has come in by the one of before has to come in by this one.
            if record.secondFactor != nil { record.revoke(at: now) }
            record.secondFactor = UserRecord.SecondFactor(sealedSecret: begun, lastStep: step)
            record.begunSecret = nil
            record.recoveryDigests = codes.map { Self.digest(of: $0, of: name, seal) }
        }
        return (record, codes)
    }

    /// Hands out other recovery codes; those of before are good no more.
    ///
    /// - Parameter proof: the name, the password and a code.
    /// - Returns: the codes, which are kept nowhere.
    package func renewRecoveryCodes(
        _ proof: SignIn.Proof, at now: Timestamp
    ) throws(OwnAccountError) -> [String] {
        let record = try prove(proof, needsCode: true, at: now)
        guard record.secondFactor != nil else { throw .noSecondFactor }
        let seal = try storing { () throws(KeyStoreError) in try users.seal() }
        let codes = Self.makeRecoveryCodes()
        _ = try change(record) { changed in
            changed.recoveryDigests = codes.map { Self.digest(of: $0, of: record.name, seal) }
        }
        return codes
    }

    private static func makeRecoveryCodes() -> [String] {
        var random = SystemRandomNumberGenerator()
        return RecoveryCode.make(random: &random)
    }

    private static func digest(of code: String, of name: UserName, _ seal: SecondFactorSeal) -> [UInt8] {
        seal.digest(of: RecoveryCode.canonical(code) ?? code, of: name)
    }

    private func prove(
        _ proof: SignIn.Proof, needsCode: Bool, at now: Timestamp
    ) throws(OwnAccountError) -> UserRecord {
        do throws(SignInError) { return try signIn.prove(proof, needsCode: needsCode, at: now) } catch {
            throw .signIn(error)
        }
    }

    /// Changes an account, unless somebody else has meanwhile.
    private func change(
        _ proven: UserRecord, _ body: (inout UserRecord) -> Void
    ) throws(OwnAccountError) -> UserRecord {
        var isSame = false
        let record = try storing { () throws(KeyStoreError) in
            try users.change(proven.name, by: proven.caller.principal) { record in
                guard record == proven else { return }
                isSame = true
                body(&record)
            }
        }
        guard isSame else { throw .changedMeanwhile }
        return record
    }

    private func storing<Result>(
        _ body: () throws(KeyStoreError) -> Result
    ) throws(OwnAccountError) -> Result {
        do throws(KeyStoreError) { return try body() } catch { throw .unavailable(error) }
    }
}
