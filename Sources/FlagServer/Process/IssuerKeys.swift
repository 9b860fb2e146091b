import Dispatch
import HTTPClient
import Logging
import Platform
import Tokens

/// Keeps the keys of outside issuers: reads or fetches them at the start, each hour, and when a token names a key that
/// is not among them. While a source is down, the keys it gave last go on being good.
///
/// Nothing here is waited for: what is read or fetched is on a queue of its own.
final class IssuerKeys: Sendable {
    private struct Source {
        /// When it was asked last, in microseconds of the monotonic clock; nil while it was not.
        var asked: Int64?
        /// When it was asked last because of a token.
        var askedForToken: Int64?
        var isAsked = false
        /// How often it has failed since it last gave something.
        var failures = 0
        /// What it gave last.
        var content: [UInt8] = []
        /// Who waits for it.
        var waiting: [@Sendable () -> Void] = []
    }

    /// How long keys are good without a look at their source.
    private static let freshMicroseconds: Int64 = 3_600_000_000
    /// How long a source is left alone that was asked because of a token, whatever other tokens say.
    private static let pauseMicroseconds: Int64 = 60_000_000
    /// More than sets of keys have.
    private static let maximumBytes = 256 << 10

    let issuers: [OutsideIssuer]
    private let client: HTTPClient?
    private let logger: Logger
    private let queue = DispatchQueue(label: "flag-server.issuer-keys")
    private let sources: Locked<[String: Source]>
    private let changed = Locked<@Sendable () -> Void>({})

    /// Keys of issuers. Nothing is read or fetched yet.
    ///
    /// - Throws: `HTTPClientError` when something is to be fetched and libcurl cannot be loaded.
    init(_ issuers: [OutsideIssuer], userAgent: String, logger: Logger) throws(HTTPClientError) {
        self.issuers = issuers
        self.logger = logger
        var settings = HTTPClientSettings(userAgent: userAgent)
        settings.timeout = .seconds(10)
        settings.connectTimeout = .seconds(5)
        settings.responseBytes = Self.maximumBytes
        client = issuers.contains { $0.isFetched } ? try HTTPClient(settings) : nil
        sources = Locked(Dictionary(uniqueKeysWithValues: issuers.map { ($0.settings.name, Source()) }))
    }

    /// Asks all sources now, and from now on whenever it is time.
    ///
    /// - Parameter onChange: called when an issuer has other keys. Must not block.
    func start(onChange: @escaping @Sendable () -> Void) {
        changed.withLock { $0 = onChange }
        queue.async { [weak self] in self?.askWhereDue() }
    }

    /// Asks the source of an issuer, unless that was done a moment ago, and calls back when it has answered, or at once
    /// where it is not asked.
    func refresh(_ issuer: OutsideIssuer, done: @escaping @Sendable () -> Void) {
        let now = SystemClock.monotonicMicroseconds
        let waits = sources.withLock { sources -> Bool in
            guard let source = sources[issuer.settings.name] else { return false }
            let isPaused = source.askedForToken.map { now - $0 < Self.pauseMicroseconds } ?? false
            guard source.isAsked || !isPaused else { return false }
            if !source.isAsked { sources[issuer.settings.name]?.askedForToken = now }
            sources[issuer.settings.name]?.waiting.append(done)
            return true
        }
        guard waits else { return done() }
        queue.async { self.ask(issuer) }
    }

    /// On the queue: asks each source that was asked an hour ago, or failed as long ago as it is left alone for that.
    private func askWhereDue() {
        let now = SystemClock.monotonicMicroseconds
        for issuer in issuers {
            let isDue = sources.withLock { sources in
                guard let source = sources[issuer.settings.name], !source.isAsked else { return false }
                guard let asked = source.asked else { return true }
                // 2 s, 4 s, 8 s and so on, up to a minute.
                let pause =
                    source.failures == 0
                    ? Self.freshMicroseconds : min(Self.pauseMicroseconds, 1_000_000 << Int64(min(source.failures, 6)))
                return now - asked >= pause
            }
            if isDue { ask(issuer) }
        }
        queue.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in self?.askWhereDue() }
    }

    /// On the queue.
    private func ask(_ issuer: OutsideIssuer) {
        let begins = sources.withLock { sources in
            guard let source = sources[issuer.settings.name], !source.isAsked else { return false }
            sources[issuer.settings.name]?.isAsked = true
            sources[issuer.settings.name]?.asked = SystemClock.monotonicMicroseconds
            return true
        }
        guard begins else { return }
        guard issuer.isFetched, let client else {
            do throws(FileError) {
                take(.success(try FileBytes.read(issuer.settings.keys, atMost: Self.maximumBytes)), of: issuer)
            } catch {
                take(.failure(KeySetFault(reason: "\(error)")), of: issuer)
            }
            return
        }
        var request = HTTPClientRequest("GET", issuer.settings.keys, fields: [("Accept", "application/json")])
        request.responseBytes = Self.maximumBytes
        client.send(request) { [self] result in
            let outcome: Result<[UInt8], KeySetFault> =
                switch result {
                case .success(let response) where response.status == 200: .success(response.body)
                case .success(let response): .failure(KeySetFault(reason: "it answers \(response.status), not 200"))
                case .failure(let error): .failure(KeySetFault(reason: "\(error)"))
                }
            queue.async { self.take(outcome, of: issuer) }
        }
    }

    /// On the queue: what a source said.
    private func take(_ outcome: Result<[UInt8], KeySetFault>, of issuer: OutsideIssuer) {
        let name = issuer.settings.name
        do throws(KeySetFault) {
            let content = try outcome.get()
            let former = sources.withLock { $0[name]?.content ?? [] }
            if content != former {
                issuer.keys = try VerificationKeys.reading(content, for: issuer.settings.algorithms)
                sources.withLock { $0[name]?.content = content }
                changed.withLock { $0() }
                logger.info("keys of an issuer read", metadata: ["issuer": "\(name)"])
            }
            finish(name, failed: false)
        } catch {
            let failures = sources.withLock { $0[name]?.failures ?? 0 }
            if failures == 0 {
                logger.error(
                    "the keys of an issuer of tokens cannot be had: those of before go on being good",
                    metadata: ["issuer": "\(name)", "reason": "\(error.reason)"])
            }
            finish(name, failed: true)
        }
    }

    private func finish(_ name: String, failed: Bool) {
        let waiting = sources.withLock { sources in
            let waiting = sources[name]?.waiting ?? []
            sources[name]?.waiting = []
            sources[name]?.isAsked = false
            let failures = sources[name]?.failures ?? 0
            sources[name]?.failures = failed ? failures + 1 : 0
            return waiting
        }
        for done in waiting { done() }
    }
}

extension OutsideIssuer {
    /// Whether its keys come over a network.
    fileprivate var isFetched: Bool { settings.keys.contains("://") }
}
