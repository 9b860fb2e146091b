import Administration
import Dispatch
import Glibc
import JSON
import Logging
import Platform

/// Answers commands on the control socket, each conversation on a queue of its own.
///
/// Only root and the server's own user are heard. Commands work one after the other, but for those that look at the
/// work or stop it, which wait for nobody. A command that is slow to speak holds up nobody but itself.
final class ControlServer: Sendable {
    /// Turns a request of somebody into its answer; blocks as long as the work takes.
    typealias Answer = @Sendable (ControlRequest, WorkClient) -> ControlReply

    private let directory: String
    private let environment: [String: String]
    // `unsafe` holds no danger here: dispatch objects may be used from any thread, only Swift's import does not say so.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private let queue = DispatchQueue(label: "flag-server.control")
    private let conversations: Conversations

    /// How long a command may take to say what it wants.
    static let requestTimeout = Duration.seconds(10)
    /// How long a command may take to hear the answer.
    static let replyTimeout = Duration.seconds(30)

    /// Starts to listen in a directory that this process owns.
    ///
    /// - Parameters:
    ///   - environment: the process's environment, which says where the socket is announced.
    ///   - overtaking: the commands that are answered beside others. They bring no content.
    ///   - answer: does what a command asks; called for one of the others at a time.
    init(
        directory: String, environment: [String: String] = [:], logger: Logger, overtaking: Set<String> = [],
        answer: @escaping Answer
    ) throws(ControlError) {
        self.directory = directory
        self.environment = environment
        let listener = try ControlSocket.listen(in: directory)
        do throws(ControlError) {
            try ControlSocket.announce(directory, in: environment)
        } catch {
            logger.warning(
                "commands have to be told the data directory: the server cannot be announced",
                metadata: ["reason": "\(error)"])
        }
        let conversations = Conversations(logger: logger, overtaking: overtaking, answer: answer)
        self.conversations = conversations
        source = DispatchSource.makeReadSource(fileDescriptor: listener, queue: queue)
        source.setEventHandler {
            let descriptor = UnixConnection.accept(listener)
            if descriptor >= 0 { conversations.begin(descriptor) }
        }
        source.setCancelHandler { close(listener) }
        source.activate()
    }

    /// Lets the commands under way finish, then listens no more and removes the socket. Who has not said yet what it
    /// wants is not waited for.
    func stop() {
        source.cancel()
        queue.sync {}
        conversations.end()
        ControlSocket.withdraw(environment)
        ControlSocket.remove(in: directory)
    }
}

/// The conversations that are under way on a control socket.
private final class Conversations: Sendable {
    private let logger: Logger
    private let overtaking: Set<String>
    private let answer: ControlServer.Answer
    private let underWay = DispatchGroup()
    /// Where those wait that come one after the other.
    private let line = DispatchQueue(label: "flag-server.control.work")
    private let state = Locked(State())

    private struct State {
        var count = 0
        /// Whose request is waited for.
        var speaking: Set<Int32> = []
        var isEnded = false
    }

    /// Far more than anybody starts by hand; each has a thread of its own.
    private static let maximum = 64

    init(logger: Logger, overtaking: Set<String>, answer: @escaping ControlServer.Answer) {
        self.logger = logger
        self.overtaking = overtaking
        self.answer = answer
    }

    /// Begins a conversation on a connection, which belongs to it from then on.
    func begin(_ descriptor: Int32) {
        let isTaken = state.withLock { state in
            guard state.count < Self.maximum else { return false }
            state.count += 1
            return true
        }
        guard isTaken else {
            close(descriptor)
            return logger.warning("refused a command: too many are under way")
        }
        underWay.enter()
        DispatchQueue(label: "flag-server.control.conversation").async { [self] in
            converse(ControlChannel(adopting: descriptor))
            state.withLock { $0.count -= 1 }
            underWay.leave()
        }
    }

    /// Waits for the ends of conversations. Those that wait for a request wait no more.
    func end() {
        state.withLock { state in
            state.isEnded = true
            for descriptor in state.speaking { ControlChannel.interrupt(descriptor) }
        }
        underWay.wait()
    }

    private func converse(_ channel: consuming ControlChannel) {
        guard let peer = channel.peer(), peer.user == 0 || peer.user == geteuid() else {
            return logger.warning("refused a command from another user")
        }
        do {
            let reply: ControlReply
            do {
                reply = try serve(channel, process: peer.process, user: peer.user)
            } catch ControlError.malformed(let reason) {
                reply = .failed("the server does not understand the command: \(reason)")
            }
            do {
                try channel.send(reply.message, within: ControlServer.replyTimeout)
            } catch ControlError.tooLarge(let bytes, let maximum) {
                let error = ControlError.tooLarge(bytes: bytes, maximum: maximum)
                try channel.send(ControlReply.failed("\(error)").message, within: ControlServer.replyTimeout)
            }
        } catch {
            logger.warning("a command broke off", metadata: ["reason": "\(error)"])
        }
    }

    /// Hears what a command wants and does it.
    private func serve(
        _ channel: borrowing ControlChannel, process: Int32, user: UInt32
    ) throws(ControlError) -> ControlReply {
        let (header, payloadBytes) = try listening(channel.descriptor) { () throws(ControlError) in
            try channel.receiveHeader(within: ControlServer.requestTimeout)
        }
        var request = try ControlRequest(ControlMessage(header: header))
        logger.info(
            "command received",
            metadata: ["command": "\(request.command)", "process": "\(process)", "user": "\(user)"])
        let descriptor = channel.descriptor
        let client = WorkClient(name: "process \(process) of user \(user)") { ControlChannel.isLeft(descriptor) }
        guard !overtaking.contains(request.command) || payloadBytes > 0 else { return answer(request, client) }
        // The content is taken in when it is its turn: there is never more than one in memory.
        return try inLine { () throws(ControlError) in
            if client.hasLeft() { throw .broken("the other side closed it before it was its turn") }
            request.payload = try listening(channel.descriptor) { () throws(ControlError) in
                try channel.receivePayload(payloadBytes, within: ControlServer.requestTimeout)
            }
            return answer(request, client)
        }
    }

    /// Receives what somebody says; from the end of conversations on only what has been said already.
    private func listening<Part>(
        _ descriptor: Int32, _ receive: () throws(ControlError) -> Part
    ) throws(ControlError) -> Part {
        state.withLock { state in
            state.speaking.insert(descriptor)
            // What begins to be listened to after the end began, nobody else would interrupt.
            if state.isEnded { ControlChannel.interrupt(descriptor) }
        }
        defer { _ = state.withLock { $0.speaking.remove(descriptor) } }
        return try receive()
    }

    private func inLine(
        _ work: () throws(ControlError) -> ControlReply
    ) throws(ControlError) -> ControlReply {
        let result = line.sync { () -> Result<ControlReply, ControlError> in
            do throws(ControlError) { return .success(try work()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
