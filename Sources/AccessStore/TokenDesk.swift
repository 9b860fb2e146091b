import Access
import Bytes
import DynamoModel
import FlagCore
import JSON
import Tokens

/// Issues tokens for keys that are good. Blocks: not for a loop.
package struct TokenDesk: Sendable {
    /// A token that was issued.
    package struct Issued: Sendable {
        package let token: String
        /// How long it is good.
        package let seconds: Int64
    }

    let keys: KeyStore

    /// A desk over a store of keys.
    package init(_ keys: KeyStore) { self.keys = keys }

    /// A token for whoever shows an API key; nil where the key is none, or good no more.
    ///
    /// - Parameters:
    ///   - selector: the key's.
    ///   - secret: the whole key, or what stands behind its selector.
    package func issue(
        forKey selector: String, secret: String, at now: Timestamp
    ) throws(KeyStoreError) -> Issued? {
        // What is no selector is looked for nowhere.
        guard KeyText.isSelector(selector) else { return nil }
        let digests: SecretDigest
        let record: KeyRecord
        do throws(KeyStoreError) {
            digests = try keys.digests(false)
            record = try keys.find(selector)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
        guard let text = Self.text(of: record, secret), text.selector == selector, text.kind == record.kind,
            let end = record.end(of: text.secret, digests, at: now)
        else { return nil }
        let caller = record.caller(nil, until: end)
        let issue = TokenIssue(
            Principal(.key, selector), revision: digests.revision(of: record), caller: caller)
        return try sign(issue, roles: record.roles, at: now)
    }

    /// A token for a person who has just proved who they are.
    package func issue(for user: UserRecord, at now: Timestamp) throws(KeyStoreError) -> Issued {
        let issue = TokenIssue(
            user.caller.principal, revision: try keys.digests(false).revision(of: user), caller: user.caller)
        return try sign(issue, roles: [], at: now)
    }

    /// What others check tokens with: a key set (RFC 7517).
    package func publicHalves(at now: Timestamp) throws(KeyStoreError) -> JSONValue {
        try keys.signingKeys.publicHalves(at: now)
    }

    /// Signs a token.
    func sign(_ issue: TokenIssue, roles: [Role], at now: Timestamp) throws(KeyStoreError) -> Issued {
        let key = try keys.signingKeys.current(at: now)
        let claims = issue.claims(
            id: URLSafeText.text(of: RandomBytes.make(16)), roles: roles, at: now)
        return Issued(
            token: String(decoding: key.token(of: claims), as: UTF8.self),
            seconds: max(0, issue.end(from: now).secondsSinceEpoch - now.secondsSinceEpoch))
    }

    private static func text(of record: KeyRecord, _ secret: String) -> KeyText? {
        func read(_ text: String) -> KeyText? { Array(text.utf8).withUnsafeBytes { KeyText($0) } }
        return read(secret) ?? read("\(KeyText.prefix)\(record.kind.rawValue)_\(record.selector)_\(secret)")
    }
}

extension KeyRecord {
    /// Until when whoever shows a secret may come in; nil where the secret is wrong, or good no more.
    fileprivate func end(of secret: [UInt8], _ digests: SecretDigest, at now: Timestamp) -> Timestamp? {
        let digest = digests.digest(of: secret)
        var matching: Secret?
        for secret in secrets where SecretDigest.areEqual(secret.digest, digest) { matching = secret }
        guard let matching, state(at: now) == .active, matching.until.map({ $0 > now }) ?? true else { return nil }
        let never = Timestamp.expressible.upperBound
        return min(matching.until ?? never, expiresAt ?? never)
    }
}

extension SecretDigest {
    /// What a key is in all by which it lets in: another one after every change. Nobody who has seen no token of the
    /// key can tell it, so that made-up tokens are refused without a look at their signatures.
    package func revision(of record: KeyRecord) -> String {
        var parts = [
            "key revision, 1", record.selector, record.kind.rawValue, record.environment?.rawValue ?? "*",
            record.roles.map(\.rawValue).joined(separator: ","), record.tenantID ?? "",
            record.rate?.text ?? "", record.expiresAt?.rfc3339 ?? "never", record.revocation?.at.rfc3339 ?? "good",
        ]
        parts += record.secrets.map { String(decoding: BinaryText.encode($0.digest), as: UTF8.self) }
        return revision(of: parts)
    }

    /// What an account is in all by which it lets in: another one after every change that revokes.
    func revision(of user: UserRecord) -> String {
        revision(of: ["account revision, 1", user.name.text, "\(user.revision)"])
    }

    /// A short digest of texts.
    func revision(of parts: [String]) -> String {
        let bytes = parts.flatMap { Array("\($0.utf8.count):".utf8) + Array($0.utf8) }
        let digest = SecretDigest(key: digest(of: Array("flag-server revisions in tokens, 1".utf8))).digest(of: bytes)
        return URLSafeText.text(of: Array(digest.prefix(12)))
    }

    /// What the keys that tokens are signed with are sealed with.
    var signingKeySeal: [UInt8] { digest(of: Array("flag-server signing keys of tokens, 1".utf8)) }
}
