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
    init?(_ dependencies: ServerComposition.Dependencies, _ accounts: Accounts) {
        guard let digests = dependencies.digests else { return nil }
        self.digests = digests
        keys = dependencies.keys
        users = accounts.users
        sessions = SessionStore(beside: dependencies.keys)
        tokens = TokenAuthority(signingKeys: dependencies.keys.signingKeys, issuers: dependencies.issuers)
        checker = TokenChecker(fetchKeys: dependencies.fetchIssuerKeys)
        throttles = Throttles(
            administration: dependencies.settings.administrationRate, evaluations: dependencies.settings.evaluationRate)
    }

    /// What hands out tokens and sessions.
    var authentication: Authentication { Authentication(TokenDesk(keys), sessions: sessions, throttles: throttles) }
}
