import Testing

@testable import Access

@Suite("How long whoever tries passwords waits")
struct LoginDelayTests {
    private static let second: Int64 = 1_000_000

    private var delay = LoginDelay()
    private var now: Int64 = 1_000_000_000

    private func attempt(_ user: String = "ann", _ address: UInt64? = 1) -> LoginDelay.Attempt {
        LoginDelay.Attempt(user: user, address: address)
    }

    private mutating func fail(_ attempt: LoginDelay.Attempt, times: Int = 1) {
        for _ in 0..<times { delay.noteFailure(attempt, now: now) }
    }

    @Test("Two mistakes cost nothing; from the third on a wait doubles, up to 30 s, and passes")
    func grows() {
        var test = LoginDelayTests()
        var waits: [Int] = []
        for _ in 0..<10 {
            test.fail(attempt())
            waits.append(test.delay.wait(attempt(), now: test.now))
        }
        #expect(waits == [0, 0, 1, 2, 4, 8, 16, 30, 30, 30])
        #expect(test.delay.wait(attempt(), now: test.now + 29 * Self.second) == 1)
        #expect(test.delay.wait(attempt(), now: test.now + 30 * Self.second) == 0)
    }

    @Test("Failures are forgotten by half every 10 minutes")
    func forgotten() {
        var test = LoginDelayTests()
        test.fail(attempt(), times: 12)
        test.now += 2 * 600 * Self.second
        test.fail(attempt())
        #expect(test.delay.wait(attempt(), now: test.now) == 2)
        test.now += 70 * 600 * Self.second
        test.fail(attempt())
        #expect(test.delay.wait(attempt(), now: test.now) == 0)
    }

    @Test("However much strangers try, a first try from elsewhere is looked at at once, and a mistake then waits")
    func strangers() {
        var test = LoginDelayTests()
        for address in 2..<1000 { test.fail(attempt("ann", UInt64(address)), times: 5) }
        #expect(test.delay.wait(attempt("ann", 7_777), now: test.now) == 0)
        test.fail(attempt("ann", 7_777))
        #expect(test.delay.wait(attempt("ann", 7_777), now: test.now) == 30)
        #expect(test.delay.wait(attempt("bob", 7_777), now: test.now) == 0)
    }

    @Test("From where somebody has signed in before, nothing that strangers do counts")
    func known() {
        var test = LoginDelayTests()
        test.delay.noteSuccess(attempt(), now: test.now)
        for address in 2..<1000 { test.fail(attempt("ann", UInt64(address)), times: 5) }
        // Also those at the same address who try others.
        test.fail(attempt("bob", 1), times: 50)
        #expect(test.delay.wait(attempt(), now: test.now) == 0)
        test.fail(attempt(), times: 2)
        #expect(test.delay.wait(attempt(), now: test.now) == 0)
        test.fail(attempt())
        #expect(test.delay.wait(attempt(), now: test.now) == 1)
        test.delay.noteSuccess(attempt(), now: test.now)
        #expect(test.delay.wait(attempt(), now: test.now) == 0)
    }

    @Test("Wrong codes behind the right password are counted for the account, wherever they come from, but from home")
    func codes() {
        var delay = LoginDelay()
        var now: Int64 = 1_000_000_000
        for number in 0..<5 {
            #expect(!delay.holdsCodes(attempt("ann", UInt64(number)), now: now))
            delay.noteWrongCode(attempt("ann", UInt64(number)), now: now)
        }
        #expect(delay.holdsCodes(attempt("ann", 77), now: now))
        #expect(!delay.holdsCodes(attempt("bob", 77), now: now))
        now += 1_000_001
        #expect(!delay.holdsCodes(attempt("ann", 77), now: now))
        delay.noteSuccess(attempt("ann", 9), now: now)
        delay.noteWrongCode(attempt("ann", 77), now: now)
        #expect(delay.holdsCodes(attempt("ann", 78), now: now))
        #expect(!delay.holdsCodes(attempt("ann", 9), now: now))
    }

    @Test("An address that tries many names waits for all of them")
    func address() {
        var test = LoginDelayTests()
        for name in 0..<10 { test.fail(attempt("user\(name)", 5)) }
        #expect(test.delay.wait(attempt("another", 5), now: test.now) == 1)
        #expect(test.delay.wait(attempt("another", 6), now: test.now) == 0)
        // The machine itself has no address that others share.
        for name in 0..<50 { test.fail(attempt("user\(name)", nil)) }
        #expect(test.delay.wait(attempt("another", nil), now: test.now) == 0)
    }

    @Test("A million addresses and names take no more memory than the first")
    func bounded() {
        var test = LoginDelayTests()
        #expect(test.delay.memoryBytes == 0)
        test.fail(attempt())
        test.delay.noteSuccess(attempt("bob", 3), now: test.now)
        let bytes = test.delay.memoryBytes
        #expect(bytes <= 1 << 19)
        for number in 0..<1_000_000 { test.fail(LoginDelay.Attempt(user: "u\(number)", address: UInt64(number))) }
        #expect(test.delay.memoryBytes == bytes)
        // Whoever has signed in before is known still: no failure takes their place.
        test.fail(attempt("bob", 9), times: 50)
        #expect(test.delay.wait(attempt("bob", 3), now: test.now) == 0)
    }
}
