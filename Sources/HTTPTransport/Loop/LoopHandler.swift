/// A handler as the loop sees it: the core is not generic over the program's handler.
class LoopHandler {
    /// Answers or defers one request.
    func handle(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        preconditionFailure("to be overridden")
    }

    /// Answers one request whose content makes no difference and has not come.
    func answerWithoutContent(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        preconditionFailure("to be overridden")
    }

    /// Whether the request is answered even by a loop that is late.
    func isEssential(_ request: borrowing HTTPRequest) -> Bool {
        preconditionFailure("to be overridden")
    }

    /// Whether a message may wait.
    var hasMail: Bool { preconditionFailure("to be overridden") }

    /// Hands all waiting messages to the program.
    func receiveMail() {
        preconditionFailure("to be overridden")
    }
}

/// The program's handler and its messages.
final class TypedLoopHandler<Handler: HTTPHandler>: LoopHandler {
    private let handler: Handler
    private let inbox: Mailbox<Handler.Message>

    init(handler: Handler, inbox: Mailbox<Handler.Message>) {
        self.handler = handler
        self.inbox = inbox
    }

    override func handle(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        handler.handle(request, &exchange)
    }

    override func answerWithoutContent(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) {
        handler.answerWithoutContent(request, &exchange)
    }

    override func isEssential(_ request: borrowing HTTPRequest) -> Bool {
        handler.isEssential(request)
    }

    override var hasMail: Bool { inbox.hasMail }

    override func receiveMail() {
        for message in inbox.takeAll() { handler.receive(message) }
    }
}
