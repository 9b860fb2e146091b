import Access
import AccessStore
import HTTPRouting
import HTTPTransport
import Tokens

extension LoopHandler {
    /// Has a request wait whose token no loop has seen, until its signature is checked elsewhere.
    @inline(never)
    func park(
        _ token: PresentedToken, _ request: borrowing HTTPRequest, _ exchange: inout Exchange
    ) -> Admission {
        let address = exchange.client(of: request)
        guard let access = dependencies.access, waitingTokens.hasRoom(for: address) else {
            counter.refuse(&exchange, dependencies.routes.router.noLabel, .tooManyTokens)
            return .answered
        }
        let parked = exchange.parked()
        if waitingTokens.add(parked, for: token.digest, from: address) {
            access.checker.check(token) { [sendToSelf] verdict in sendToSelf(.token(verdict)) }
        }
        return .pending
    }

    /// Goes on with the requests that have waited for a token.
    func take(_ verdict: TokenVerdict) {
        if verdict.fault == nil { callers?.accept(verdict.token) }
        let requests = waitingTokens.end(for: verdict.token.digest, fault: verdict.fault) { loop.awaits($0) }
        for request in requests { loop.admitAgain(request) }
    }
}

extension Problem {
    /// More tokens are to be checked than may wait.
    fileprivate static let tooManyTokens = Problem(
        .overloaded, "too many tokens that were not seen before wait for their check; try again in a second",
        headerFields: [("Retry-After", "1")])

    /// A token that does not do (RFC 6750 section 3.1).
    static func refused(_ fault: TokenFault) -> Problem {
        Problem(
            .unauthorized, fault.detail,
            headerFields: [("WWW-Authenticate", "Bearer realm=\"flag-server\", error=\"invalid_token\"")])
    }
}
