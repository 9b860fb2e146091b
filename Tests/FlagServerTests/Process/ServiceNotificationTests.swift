import Glibc
import Platform
import TestSupport
import Testing

@testable import FlagServer

@Suite("Service notification")
struct ServiceNotificationTests {
    /// A socket such as systemd's that hears one datagram.
    private static func heard(at name: String, _ work: () -> Void) throws -> String {
        let address = try #require(UnixAddress(name))
        let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(listener) }
        let result = address.withSockaddr { bind(listener, $0, $1) }
        #expect(result == 0)
        work()
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = recv(listener, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("One datagram reaches a socket file, and one a name in the abstract space")
    func sent() throws {
        let directory = try TemporaryDirectory()
        for name in [directory.path + "/notify", "@flag-server-test-\(getpid())"] {
            #expect(
                try Self.heard(at: name) { ServiceNotification.send(ServiceNotification.ready, to: name) } == "READY=1")
        }
    }

    @Test("Without a socket nothing happens")
    func nobody() {
        ServiceNotification.send(ServiceNotification.ready, to: nil)
        ServiceNotification.send(ServiceNotification.ready, to: "")
        ServiceNotification.send(ServiceNotification.ready, to: "/nowhere/notify")
    }
}
