import Access
import AccessStore
import Administration
import HTTPRouting
import Tokens

/// What event loops check callers by.
struct ServedAccess: Sendable {
    let keys: KeyStore
    let users: UserStore
    let sessions: SessionStore
    let digests: SecretDigest
    /// Whose tokens are taken.
    let tokens: TokenAuthority
    /// Checks their signatures.
    let checker: TokenChecker
    /// How often callers may ask.
    let throttles: Throttles

    /// What a server checks callers by; nil for one that asks nobody who they are.
    init?(_ parts: ServingStack.Parts, _ accounts: Accounts) {
        guard let digests = parts.digests else { return nil }
        self.digests = digests
        keys = parts.keys
        users = accounts.users
        sessions = SessionStore(beside: parts.keys)
        tokens = TokenAuthority(signingKeys: parts.keys.signingKeys, issuers: parts.issuers)
        checker = TokenChecker(fetchKeys: parts.fetchIssuerKeys)
        throttles = Throttles(
            administration: parts.settings.administrationRate, evaluations: parts.settings.evaluationRate)
    }

    /// What hands out tokens and sessions.
    var authentication: Authentication { Authentication(TokenDesk(keys), sessions: sessions, throttles: throttles) }
}
