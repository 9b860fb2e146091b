import AccessStore
import Dispatch
import Tokens

/// Checks the signatures of tokens that no loop has seen, one after the other on a queue of its own: however many come,
/// they take one core at most, and evaluations go on.
final class TokenChecker: Sendable {
    /// Fetches the keys of an issuer and calls back when that is done, or was not worth doing. Must not block.
    typealias KeySource = @Sendable (OutsideIssuer, _ done: @escaping @Sendable () -> Void) -> Void

    private let queue = DispatchQueue(label: "flag-server.tokens")
    private let fetchKeys: KeySource

    /// A checker.
    init(fetchKeys: @escaping KeySource) { self.fetchKeys = fetchKeys }

    /// Checks a token. Returns at once.
    ///
    /// - Parameter completion: called once, on the checker's queue: must not block.
    func check(_ token: PresentedToken, completion: @escaping @Sendable (TokenVerdict) -> Void) {
        guard let issuer = token.issuerToAsk else {
            return queue.async { completion(token.verdict()) }
        }
        fetchKeys(issuer) { [queue] in queue.async { completion(token.verdict()) } }
    }
}
