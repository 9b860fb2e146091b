import Dispatch
import Foundation
import JSON
import Logging
import Platform
import Testing

@testable import Administration
@testable import FlagServer

@Suite("Control socket", .serialized)
struct ControlServerTests {
    /// A server that answers a command with what it was given, in the directory.
    private static func server(in directory: String) throws -> ControlServer {
        try ControlServer(directory: directory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            request, _ in
            request.command == "fail"
                ? .failed("it cannot") : .done(.object(request.arguments), payload: request.payload.reversed())
        }
    }

    private static func ask(_ directory: String, _ request: ControlRequest) throws -> ControlReply {
        let channel = try ControlSocket.connect(in: directory)
        // Long enough for a sanitizer on a loaded machine.
        try channel.send(request.message, within: .seconds(60))
        return try ControlReply(channel.receive(within: .seconds(60)))
    }

    @Test("A command is answered, whatever its size")
    func answered() throws {
        let directory = try TemporaryDirectory()
        let server = try Self.server(in: directory.path)
        defer { server.stop() }
        for size in [0, 1, 1000, 3_000_000] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            let request = ControlRequest(command: "echo", arguments: ["size": .integer(size)], payload: payload)
            let reply = try Self.ask(directory.path, request)
            #expect(reply == .done(["size": .integer(size)], payload: payload.reversed()))
        }
        let failed = ControlRequest(command: "fail", arguments: [:])
        #expect(try Self.ask(directory.path, failed) == .failed("it cannot"))
    }

    @Test("Only the server's user may use the socket's file, and it is gone after the stop")
    func mode() throws {
        let directory = try TemporaryDirectory()
        let server = try Self.server(in: directory.path)
        let path = ControlSocket.path(in: directory.path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        server.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: ControlError.self) { _ = try ControlSocket.connect(in: directory.path) }
    }

    @Test("A socket that a killed server left behind is replaced")
    func stale() throws {
        let directory = try TemporaryDirectory()
        close(try ControlSocket.listen(in: directory.path))
        #expect(throws: ControlError.self) { _ = try ControlSocket.connect(in: directory.path) }
        let server = try Self.server(in: directory.path)
        defer { server.stop() }
        let request = ControlRequest(command: "echo", arguments: [:])
        #expect(try Self.ask(directory.path, request) == .done(.object([:])))
    }

    @Test("A directory whose path is too long for a socket's address works too")
    func longPath() throws {
        let parent = try TemporaryDirectory()
        let directory = parent.path + "/" + String(repeating: "d", count: 120)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let server = try Self.server(in: directory)
        defer { server.stop() }
        #expect(try Self.ask(directory, ControlRequest(command: "echo", arguments: [:])) == .done(.object([:])))
    }

    /// A server whose command `work` goes on until it is let go or its client leaves; `look` overtakes it and says how
    /// many have begun.
    private static func busyServer(in directory: String, _ letGo: Locked<Bool>) throws -> ControlServer {
        let begun = Locked(0)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try ControlServer(directory: directory, logger: logger, overtaking: ["look"]) { request, client in
            if request.command == "look" { return .done(.integer(Int64(begun.withLock { $0 }))) }
            begun.withLock { $0 += 1 }
            while !client.hasLeft() {
                if letGo.withLock({ $0 }) { return .done("let go", payload: request.payload) }
                usleep(1000)
            }
            return .failed("it has left")
        }
    }

    private static func look(_ directory: String, until count: Int64) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try ask(directory, ControlRequest(command: "look", arguments: [:])) != .done(.integer(count)) {
            try #require(ContinuousClock.now < deadline)
        }
    }

    @Test("Work is done one after the other, and looked at meanwhile; who leaves has it stop")
    func overtaking() throws {
        let directory = try TemporaryDirectory()
        let letGo = Locked(false)
        let server = try Self.busyServer(in: directory.path, letGo)
        defer {
            letGo.withLock { $0 = true }
            server.stop()
        }
        func begin() throws -> ControlChannel {
            let channel = try ControlSocket.connect(in: directory.path)
            try channel.send(
                ControlRequest(command: "work", arguments: [:], payload: [1, 2, 3]).message, within: .seconds(20))
            return channel
        }
        let leaving = try begin()
        try Self.look(directory.path, until: 1)
        let second = try begin()
        // Still behind the first.
        try Self.look(directory.path, until: 1)
        _ = consume leaving
        try Self.look(directory.path, until: 2)
        letGo.withLock { $0 = true }
        #expect(try ControlReply(second.receive(within: .seconds(20))) == .done("let go", payload: [1, 2, 3]))
    }

    @Test("Who says nothing holds up nobody, and the stop waits for work, not for silence")
    func silence() throws {
        let directory = try TemporaryDirectory()
        let letGo = Locked(false)
        let server = try Self.busyServer(in: directory.path, letGo)
        let silent = try ControlSocket.connect(in: directory.path)
        let working = try ControlSocket.connect(in: directory.path)
        try working.send(ControlRequest(command: "work", arguments: [:]).message, within: .seconds(20))
        try Self.look(directory.path, until: 1)
        let began = ContinuousClock.now
        let isStopped = DispatchSemaphore(value: 0)
        DispatchQueue(label: "test.stop").async {
            server.stop()
            isStopped.signal()
        }
        do {
            _ = try silent.receive(within: .seconds(20))
            Issue.record("it was answered")
        } catch { #expect(error != .timedOut) }
        #expect(isStopped.wait(timeout: .now()) == .timedOut)
        letGo.withLock { $0 = true }
        #expect(try ControlReply(working.receive(within: .seconds(20))) == .done("let go"))
        isStopped.wait()
        #expect(ContinuousClock.now - began < ControlServer.requestTimeout)
    }

    @Test("What is no command is answered with the reason, and the next command is heard")
    func malformed() throws {
        let directory = try TemporaryDirectory()
        let server = try Self.server(in: directory.path)
        defer { server.stop() }
        for message: JSONValue in [[], ["command": "x"], ["command": "x", "arguments": [:], "version": 2]] {
            let channel = try ControlSocket.connect(in: directory.path)
            try channel.send(ControlMessage(header: message), within: .seconds(5))
            guard case .failed = try ControlReply(channel.receive(within: .seconds(5))) else {
                Issue.record("\(message) was not refused")
                continue
            }
        }
        let hangsUp = try ControlSocket.connect(in: directory.path)
        _ = consume hangsUp
        let request = ControlRequest(command: "echo", arguments: [:])
        #expect(try Self.ask(directory.path, request) == .done(.object([:])))
    }

    @Test("A message longer than is allowed is refused before it is read")
    func tooLarge() throws {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        let channel = ControlChannel(adopting: ends[0])
        defer { close(ends[1]) }
        #expect(write(ends[1], [UInt8](repeating: 0xFF, count: 8), 8) == 8)
        let expected = ControlError.tooLarge(bytes: 0xFFFF_FFFF, maximum: ControlChannel.maximumHeaderBytes)
        do {
            _ = try channel.receive(within: .seconds(5))
            Issue.record("it was read")
        } catch {
            #expect(error == expected)
        }
    }

    /// The beginning of a command that has content, and none of the content.
    private static let announcement: [UInt8] = {
        let header = Array(#"{"version":1,"command":"work","arguments":{}}"#.utf8)
        return [0, 0, 0, UInt8(header.count), 0, 0, 0, 9] + header
    }()

    @Test(
        "Whoever falls silent does not hold a stop up, at whichever moment it came", .timeLimit(.minutes(1)),
        arguments: [[], announcement])
    func stopBesideTheSilent(said: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<100 {
            let server = try Self.server(in: directory.path)
            let silent = try ControlSocket.connect(in: directory.path)
            #expect(write(silent.descriptor, said, said.count) == said.count)
            // The server may not have taken it yet, be taking it, or wait for what it says.
            usleep(.random(in: 0..<200))
            server.stop()
            _ = consume silent
        }
    }

    @Test("A side that falls silent is given up on")
    func silent() throws {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        let channel = ControlChannel(adopting: ends[0])
        defer { close(ends[1]) }
        #expect(write(ends[1], [0, 0, 0, 9, 1] as [UInt8], 5) == 5)
        do {
            _ = try channel.receive(within: .milliseconds(20))
            Issue.record("it was read")
        } catch {
            #expect(error == .timedOut)
        }
    }
}
