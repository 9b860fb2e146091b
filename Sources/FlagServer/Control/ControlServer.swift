import Dispatch
import Glibc
import JSON
import Lock
import Logging

/// Answers commands on the control socket, one after the other, on a queue of its own.
///
/// Only root and the server's own user are heard. A command that is slow to speak holds up other commands for a bounded
/// time, and nothing else.
final class ControlServer: Sendable {
    /// Turns a request into its answer; blocks as long as the work takes.
    typealias Answer = @Sendable (ControlRequest) -> ControlReply

    private let directory: String
    // `unsafe` holds no danger here: dispatch objects may be used from any thread, only Swift's import does not say so.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private let queue = DispatchQueue(label: "flag-server.control")
    private let listening = Locked(Listening())

    /// Whose command is waited for.
    private struct Listening {
        var descriptor: Int32?
        var isStopped = false

        /// Notes whose command is waited for; false when no command is taken any more.
        mutating func begin(_ descriptor: Int32) -> Bool {
            guard !isStopped else { return false }
            self.descriptor = descriptor
            return true
        }
    }

    /// How long a command may take to say what it wants.
    static let requestTimeout = Duration.seconds(10)
    /// How long a command may take to hear the answer.
    static let replyTimeout = Duration.seconds(30)

    /// Starts to listen in a directory that this process owns.
    init(directory: String, logger: Logger, answer: @escaping Answer) throws(ControlError) {
        self.directory = directory
        let listener = try ControlSocket.listen(in: directory)
        let listening = listening
        source = DispatchSource.makeReadSource(fileDescriptor: listener, queue: queue)
        source.setEventHandler {
            let descriptor = UnixConnection.accept(listener)
            guard descriptor >= 0 else { return }
            Self.converse(ControlChannel(adopting: descriptor), listening, logger: logger, answer: answer)
        }
        source.setCancelHandler { close(listener) }
        source.activate()
    }

    /// Lets the command under way finish, then listens no more and removes the socket. Who has not said yet what it
    /// wants is not waited for.
    func stop() {
        source.cancel()
        listening.withLock { listening in
            listening.isStopped = true
            if let descriptor = listening.descriptor { ControlChannel.interrupt(descriptor) }
        }
        queue.sync {}
        ControlSocket.remove(in: directory)
    }

    private static func converse(
        _ channel: consuming ControlChannel, _ listening: Locked<Listening>, logger: Logger, answer: Answer
    ) {
        guard let peer = channel.peer(), peer.user == 0 || peer.user == geteuid() else {
            logger.warning("refused a command from another user")
            return
        }
        do {
            let reply: ControlReply
            do {
                // Whoever was taken after the stop began is not listened to: nobody would interrupt it.
                guard listening.withLock({ $0.begin(channel.descriptor) }) else { return }
                defer { listening.withLock { $0.descriptor = nil } }
                let request = try ControlRequest(channel.receive(within: requestTimeout))
                logger.info(
                    "command received",
                    metadata: ["command": "\(request.command)", "process": "\(peer.process)", "user": "\(peer.user)"])
                reply = answer(request)
            } catch ControlError.malformed(let reason) {
                reply = .failed("the server does not understand the command: \(reason)")
            }
            do {
                try channel.send(reply.message, within: replyTimeout)
            } catch ControlError.tooLarge(let bytes, let maximum) {
                let error = ControlError.tooLarge(bytes: bytes, maximum: maximum)
                try channel.send(ControlReply.failed("\(error)").message, within: replyTimeout)
            }
        } catch {
            logger.warning("a command broke off", metadata: ["reason": "\(error)"])
        }
    }
}
