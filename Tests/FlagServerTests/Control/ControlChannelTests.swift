import Dispatch
import Glibc
import Platform
import Testing

@testable import FlagServer

@Suite("Messages between a command and a server", .timeLimit(.minutes(1)))
struct ControlChannelTests {
    /// Two ends of a connection that do not block.
    private func connection() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    @Test("Nothing is waited for whose time is over", arguments: [0, -1000])
    func over(milliseconds: Int) throws {
        let (receiver, sender) = try connection()
        defer { close(sender) }
        let channel = ControlChannel(adopting: receiver)
        #expect(throws: ControlError.timedOut) { try channel.receive(within: .milliseconds(milliseconds)) }
    }

    @Test("Who sends a message byte by byte has the time of a message, and no more")
    func dripping() throws {
        let (receiver, sender) = try connection()
        let channel = ControlChannel(adopting: receiver)
        let isOver = Locked(false)
        let group = DispatchGroup()
        DispatchQueue(label: "dripping").async(group: group) {
            // A header of ten million bytes and no payload.
            let lengths: [UInt8] = [0, 0x98, 0x96, 0x80, 0, 0, 0, 0]
            _ = send(sender, lengths, lengths.count, Int32(MSG_NOSIGNAL))
            var blank = UInt8(ascii: " ")
            while !isOver.withLock({ $0 }) {
                _ = send(sender, &blank, 1, Int32(MSG_NOSIGNAL))
                sched_yield()
            }
            close(sender)
        }
        #expect(throws: ControlError.timedOut) { try channel.receive(within: .milliseconds(300)) }
        isOver.withLock { $0 = true }
        group.wait()
    }
}
