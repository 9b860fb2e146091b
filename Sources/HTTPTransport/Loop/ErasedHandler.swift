/// A handler as the loop sees it: the core is not generic over the program's handler.
class ErasedHandler {
    /// Decides on one request by its head.
    func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        preconditionFailure("to be overridden")
    }

    /// Answers or defers one request.
    func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
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
final class HandlerOfOneKind<Handler: HTTPHandler>: ErasedHandler {
    private let handler: Handler
    private let inbox: Mailbox<Handler.Message>

    init(handler: Handler, inbox: Mailbox<Handler.Message>) {
        self.handler = handler
        self.inbox = inbox
    }

    override func admit(_ request: borrowing HTTPRequest, _ exchange: inout Exchange) -> Admission {
        handler.admit(request, &exchange)
    }

    override func handle(_ request: borrowing HTTPRequest, _ token: UInt64, _ exchange: inout Exchange) {
        handler.handle(request, token, &exchange)
    }

    override var hasMail: Bool { inbox.hasMail }

    override func receiveMail() {
        for message in inbox.takeAll() { handler.receive(message) }
    }
}
