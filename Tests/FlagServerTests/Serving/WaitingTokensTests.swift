import Access
import FlagCore
import Testing
import Tokens

@testable import AccessStore
@testable import FlagServer
@testable import HTTPTransport

@Suite("Requests that wait for their tokens")
struct WaitingTokensTests {
    private static func digest(_ number: Int) -> CallerTable.Digest {
        CallerTable.Digest(low: UInt64(number), high: 0)
    }

    private static func address(_ number: Int) -> PeerAddress {
        PeerAddress(high: 0, low: UInt64(number), family: .ipv4)
    }

    private static func request(_ number: Int) -> ParkedRequest { ParkedRequest(slot: UInt32(number), ticket: 1) }

    @Test("An address has its share, and leaves the rest to others")
    func shares() {
        var waiting = WaitingTokens()
        for number in 0..<WaitingTokens.maximumOfAddress {
            #expect(waiting.hasRoom(for: Self.address(1)))
            let isFirst = waiting.add(Self.request(number), for: Self.digest(number), from: Self.address(1))
            #expect(isFirst)
        }
        #expect(!waiting.hasRoom(for: Self.address(1)))
        #expect(waiting.hasRoom(for: Self.address(2)))
        _ = waiting.end(for: Self.digest(0), fault: nil) { _ in true }
        #expect(waiting.hasRoom(for: Self.address(1)))
    }

    @Test("All together are bounded, however many addresses there are")
    func bounded() {
        var waiting = WaitingTokens()
        var count = 0
        while waiting.hasRoom(for: Self.address(count)) {
            _ = waiting.add(Self.request(count), for: Self.digest(count), from: Self.address(count))
            count += 1
        }
        #expect(count == WaitingTokens.maximum)
    }

    @Test("A token that many wait for is checked once, and each of them is told what is wrong with it, once")
    func together() {
        var waiting = WaitingTokens()
        let isFirst = (1...3).map { waiting.add(Self.request($0), for: Self.digest(7), from: Self.address($0)) }
        #expect(isFirst == [true, false, false])
        // One has left.
        let requests = waiting.end(for: Self.digest(7), fault: .signature) { $0.slot != 2 }
        #expect(requests.map(\.slot) == [1, 3])
        let faults = (0..<3).map { _ in waiting.takeFault(of: Self.digest(7)) }
        #expect(faults == [.signature, .signature, nil])
    }
}
