import Glibc
import Logging
import Platform
import TestSupport
import Testing

@testable import FlagServer

@Suite("Service notification")
struct ServiceNotificationTests {
    /// A socket such as systemd's, and what it has heard since it was asked last.
    private final class Listener {
        private let descriptor: Int32

        init(at name: String) throws {
            let address = try #require(UnixAddress(name))
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            let result = address.withSockaddr { [descriptor] in bind(descriptor, $0, $1) }
            #expect(result == 0)
        }

        deinit { close(descriptor) }

        var heard: [String] {
            var all: [String] = []
            while true {
                var buffer = [UInt8](repeating: 0, count: 200)
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return all }
                all.append(String(decoding: buffer.prefix(count), as: UTF8.self))
            }
        }
    }

    @Test("Datagrams reach a socket file, and a name in the abstract space")
    func sent() throws {
        let directory = try TemporaryDirectory()
        for name in [directory.path + "/notify", "@flag-server-test-\(getpid())"] {
            let listener = try Listener(at: name)
            let service = ServiceNotification(environment: ["NOTIFY_SOCKET": name])
            service.send(.ready, "serving")
            service.send(.stopping)
            #expect(listener.heard == ["READY=1\nSTATUS=serving", "STOPPING=1"])
            service.send(.reloading)
            #expect(listener.heard.first?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true)
        }
    }

    @Test("Without a socket nothing happens")
    func nobody() {
        for environment in [[:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "/nowhere/notify"]] {
            ServiceNotification(environment: environment).send(.ready)
        }
    }

    @Test(
        "systemd watches the process that it names, or whichever",
        arguments: [
            (["WATCHDOG_USEC": "30000000"], nil), (["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000"], 30_000_000),
            (["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "\(getpid())"], 1000),
            (["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"], nil),
            (["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"], nil), (["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "x"], nil),
        ] as [([String: String], Int64?)])
    func watchdog(environment: [String: String], microseconds: Int64?) {
        #expect(ServiceNotification(environment: environment).watchdogMicroseconds == microseconds)
    }

    @Test("The server is alive as long as every loop takes what it is sent")
    func loops() throws {
        let alive = Locked(0)
        let stuck = Locked<Set<Int>>([])
        let watchdog = LoopWatchdog(
            loops: 3, microseconds: 30_000, Logger.about(), alive: { alive.withLock { $0 += 1 } },
            ask: { loop, answered in
                if !stuck.withLock({ $0.contains(loop) }) { answered() }
            })
        watchdog.start()
        try waitUntil { alive.withLock { $0 } >= 3 }
        stuck.withLock { $0 = [1] }
        try waitUntil { watchdog.silent == [1] }
        let count = alive.withLock { $0 }
        // One look after another finds it silent, and nobody is told that all is well.
        try waitUntil { watchdog.looks >= 3 }
        #expect(alive.withLock { $0 } <= count + 1)
    }
}
