import DynamoModel
import FlagCore
import Foundation
import Testing

@testable import Access
@testable import AccessStore

@Suite("Signing in")
struct SignInTests {
    private let test: TestAccounts

    init() throws { test = try TestAccounts() }

    @Test("A first password lets in for 24 h, to nothing but one's own account, and must be another's own afterwards")
    func firstPassword() throws {
        let first = try test.create()
        #expect(first.count == 23)
        let record = try test.accounts.signIn.signIn(test.proof("ann", first), at: test.now)
        #expect(record.standing == .mustChangePassword && record.caller.anywhere.isEmpty)
        test.advance(seconds: 24 * 3600)
        #expect(test.refusal(test.proof("ann", first)) == .refused)
        #expect(throws: OwnAccountError.signIn(.refused)) {
            try test.accounts.own.changePassword(
                test.proof("ann", first), to: TestAccounts.password, at: test.now)
        }
        let second = try test.users.resetPassword(
            of: test.name("ann"), by: record.caller.principal, at: test.now
        ).password
        let changed = try test.accounts.own.changePassword(
            test.proof("ann", second), to: TestAccounts.password, at: test.now)
        #expect(changed.standing == .good && changed.caller.permissions(in: .development) == Role.editor.permissions)
        #expect(test.refusal(test.proof()) == nil)
        #expect(test.refusal(test.proof("ann", second)) == .refused)
    }

    @Test("A wrong name, a wrong password, a wrong code, none and a disabled account are refused alike")
    func refusedAlike() throws {
        try test.settle()
        let (secret, _) = try test.enrol()
        test.advance(seconds: 30)
        let code = test.code(secret)
        let wrong = code == "000000" ? "000001" : "000000"
        let cases: [SignIn.Proof] = [
            test.proof("bob", TestAccounts.password, code, from: 2), test.proof("no name!", "x", code, from: 3),
            test.proof("ann", "another password", code, from: 4), test.proof("ann", "", code, from: 5),
            test.proof("ann", TestAccounts.password, wrong, from: 6), test.proof("ann", from: 7),
            test.proof("ann", TestAccounts.password + " ", code, from: 8),
            test.proof("ann", String(repeating: "x", count: 1 << 20), code, from: 9),
            test.proof("", "", "", from: 10), test.proof("ANN", TestAccounts.password, code, from: 11),
        ]
        for proof in cases { #expect(test.refusal(proof) == .refused, "\(proof.name)") }
        #expect(test.refusal(test.proof("ann", TestAccounts.password, code)) == nil)
        test.advance(seconds: 30)
        _ = try test.users.set(test.name("ann"), disabled: true, by: .server, at: test.now)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(secret), from: 12)) == .refused)
    }

    @Test("A code lets in once, also after a restart, and never before its time or after it")
    func replay() throws {
        try test.settle()
        let (secret, _) = try test.enrol()
        #expect(test.refusal(test.proof()) == .refused)
        // The one that confirmed the enrolment is used up.
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(secret))) == .refused)
        test.advance(seconds: 30)
        let code = test.code(secret)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, code)) == nil)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, code)) == .refused)
        let another = Accounts(beside: test.keys, cost: TestAccounts.cheap)
        #expect(throws: SignInError.refused) {
            try another.signIn.signIn(test.proof("ann", TestAccounts.password, code), at: test.now)
        }
        test.advance(seconds: 30)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, code)) == .refused)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(secret))) == nil)
    }

    @Test("Of many that show the same code at once, one is let in")
    func race() throws {
        try test.settle()
        let (secret, _) = try test.enrol()
        test.advance(seconds: 30)
        let code = test.code(secret)
        let counted = NSLock()
        nonisolated(unsafe) var count = 0  // Touched with the lock held.
        DispatchQueue.concurrentPerform(iterations: 16) { number in
            let proof = test.proof("ann", TestAccounts.password, code, from: UInt64(100 + number))
            if test.refusal(proof) == nil { counted.withLock { count += 1 } }
        }
        #expect(count == 1)
    }

    @Test("Each recovery code stands in for the second factor once, until others are handed out")
    func recovery() throws {
        try test.settle("ann", UserRoles(everywhere: [.admin]))
        let (secret, codes) = try test.enrol()
        for code in codes.prefix(8) {
            #expect(test.refusal(test.proof("ann", TestAccounts.password, code.uppercased())) == nil)
            #expect(test.refusal(test.proof("ann", TestAccounts.password, code)) == .refused)
        }
        #expect(try test.users.find(test.name("ann")).recoveryDigests.count == 2)
        test.advance(seconds: 60)
        let others = try test.accounts.own.renewRecoveryCodes(
            test.proof("ann", TestAccounts.password, test.code(secret)), at: test.now)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, codes[9])) == .refused)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, others[0])) == nil)
    }

    @Test("Whoever needs a second factor may nothing before they have one")
    func enrolment() throws {
        try test.settle("ann", UserRoles([.production: [.viewer]]))
        let before = try test.accounts.signIn.signIn(test.proof(), at: test.now)
        #expect(before.standing == .mustEnrol && before.caller.anywhere.isEmpty)
        let (secret, _) = try test.enrol()
        #expect(throws: OwnAccountError.notBegun) {
            try test.accounts.own.confirmEnrolment(of: test.name("ann"), code: test.code(secret), at: test.now)
        }
        test.advance(seconds: 30)
        let after = try test.accounts.signIn.signIn(
            test.proof("ann", TestAccounts.password, test.code(secret)), at: test.now)
        #expect(after.standing == .good && after.caller.permissions(in: .production) == .read)
        // Whoever has a session and the password, but no code, cannot put another in its place.
        #expect(throws: OwnAccountError.signIn(.refused)) {
            try test.accounts.own.beginEnrolment(test.proof(), at: test.now)
        }
        _ = try test.users.resetSecondFactor(of: test.name("ann"), by: .server, at: test.now)
        #expect(try test.users.find(test.name("ann")).standing == .mustEnrol)
        #expect(test.refusal(test.proof()) == nil)
    }

    @Test("A second factor is in force when a code of it was confirmed, and the one before until then")
    func replacedFactor() throws {
        try test.settle()
        let (first, _) = try test.enrol()
        test.advance(seconds: 30)
        let second = try test.accounts.own.beginEnrolment(
            test.proof("ann", TestAccounts.password, test.code(first)), at: test.now)
        test.advance(seconds: 30)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(first))) == nil)
        test.advance(seconds: 30)
        #expect(throws: OwnAccountError.wrongCode) {
            try test.accounts.own.confirmEnrolment(of: test.name("ann"), code: test.code(first), at: test.now)
        }
        let before = try test.users.find(test.name("ann")).revision
        let (record, _) = try test.accounts.own.confirmEnrolment(
            of: test.name("ann"), code: test.code(second), at: test.now)
        #expect(record.revision > before)
        test.advance(seconds: 30)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(first))) == .refused)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, test.code(second))) == nil)
    }

    @Test("Wrong passwords make wait, and strangers make nobody wait who has come in from where they are before")
    func delays() throws {
        try test.settle()
        for _ in 0..<3 { #expect(test.refusal(test.proof("ann", "wrong", from: 66)) == .refused) }
        #expect(test.refusal(test.proof("ann", "wrong", from: 66)) == .wait(seconds: 1))
        #expect(test.refusal(test.proof("ann", TestAccounts.password, from: 66)) == .wait(seconds: 1))
        for address in 100..<150 {
            for _ in 0..<2 { _ = test.refusal(test.proof("ann", "wrong", from: UInt64(address))) }
        }
        #expect(test.refusal(test.proof()) == nil)
        #expect(test.refusal(test.proof("ann", TestAccounts.password, from: 67)) == nil)
        // Names that nobody has make wait as well.
        for _ in 0..<3 { #expect(test.refusal(test.proof("bob", "wrong", from: 68)) == .refused) }
        #expect(test.refusal(test.proof("bob", "wrong", from: 68)) == .wait(seconds: 1))
    }

    @Test("A name that nobody has takes as long as one that somebody has")
    func time() throws {
        // Enough work that what lies around it is small beside it.
        let test = try TestAccounts(cost: PasswordCost(rounds: 1 << 11, blockSize: 8, parallelism: 1))
        try test.settle()
        try test.settle("cat")
        _ = try test.enrol("cat")
        let names = ["ann", "cat", "bob", "no name!"]
        var times: [String: [Duration]] = [:]
        let rounds = ProcessInfo.processInfo.environment["SIGN_IN_TRIES"].flatMap { Int($0) } ?? 60
        for round in 0..<rounds {
            for name in names {
                let proof = test.proof(name, "wrong password", "123456", from: UInt64(1000 + round * 10))
                let began = ContinuousClock.now
                _ = test.refusal(proof)
                times[name, default: []].append(ContinuousClock.now - began)
            }
            test.advance(seconds: 60)
        }
        let medians = names.compactMap { name in times[name]?.sorted()[rounds / 2] }
        let (least, most) = (try #require(medians.min()), try #require(medians.max()))
        if rounds > 60 { print("medians of \(rounds) tries: \(zip(names, medians).map { "\($0): \($1)" })") }
        #expect(most < least * 1.5, "\(medians)")
    }
}
