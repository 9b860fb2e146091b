import Access
import AccessStore
import FlagCore
import HTTPRouting
import HTTPTransport

extension Administration {
    /// Works on accounts; what goes wrong becomes a problem.
    func onUsers<Result>(_ work: () throws(KeyStoreError) -> Result) throws(Problem) -> Result {
        do throws(KeyStoreError) { return try work() } catch { throw Problem(ofUsers: error) }
    }

    /// Does what a person does to their own account; what goes wrong becomes a problem.
    func onOwnAccount<Result>(_ work: () throws(OwnAccountError) -> Result) throws(Problem) -> Result {
        do throws(OwnAccountError) { return try work() } catch {
            switch error {
            case .signIn(let error): throw Problem(error)
            case .unsuitablePassword(let complaint):
                throw Problem(
                    .unsuitablePassword, "the new password \(complaint)",
                    fields: [.init(pointer: "/newPassword", detail: complaint)])
            case .notBegun:
                throw Problem(.secondFactor, "no enrolment was begun: POST /api/account/totp begins one")
            case .wrongCode:
                throw Problem(
                    .secondFactor,
                    "the code is not the one of this moment: type in the next one that the app shows, and see to it "
                        + "that the clocks of the telephone and of the server are right")
            case .noSecondFactor:
                throw Problem(.secondFactor, "there is no second factor to recover from: enrol first")
            case .changedMeanwhile:
                throw Problem(.conflict, "somebody else changed this account at the same time: try again")
            case .unavailable(let error): throw Problem(ofUsers: error)
            }
        }
    }
}

extension Problem {
    /// What the store of accounts says, for whoever asked.
    init(ofUsers error: KeyStoreError) {
        switch error {
        case .notFound(let name): self.init(.userNotFound, "there is no user \(name)")
        case .exists(let name):
            self.init(.userExists, "there is a user \(name): choose another name, or give that one other roles")
        case .ended: self.init(.internalError, "\(error)")
        case .tooMany(let count):
            self.init(
                .tooManyUsers, "there are \(count) users, and that is how many there may be: more cannot be made")
        case .store(let error): self.init(error)
        case .secretKey(let reason), .passwordDigest(let reason): self.init(.storeUnavailable, reason)
        }
    }

    /// Why somebody was not let in, for whoever tried.
    init(_ error: SignInError) {
        switch error {
        case .refused: self = .signInRefused
        case .wait(let seconds):
            self.init(
                .signInDelayed,
                "too many tries failed for this name or from this address: the next is looked at in \(seconds) s",
                headerFields: [("Retry-After", "\(seconds)")])
        case .unavailable(let error): self.init(ofUsers: error)
        }
    }

    /// The same whatever was wrong.
    static let signInRefused = Problem(
        .signInRefused,
        "the name, the password or the code is wrong, or was used before, or the account is disabled; a code of the "
            + "app is good while it is shown, and once")

    /// More wait for digests of passwords than may.
    static let passwordsWait = Problem(
        .overloaded, "too many passwords wait to be looked at; try again in some seconds",
        headerFields: [("Retry-After", "5")])
}
