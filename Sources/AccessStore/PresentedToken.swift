import Access
import FlagCore
import Tokens

/// A token that a loop has not seen before: it says the right things, and its signature is still to be checked.
package struct PresentedToken: Sendable {
    /// What its signature is checked with.
    enum Signer: Sendable {
        case own(SigningKey)
        case outside(OutsideIssuer)
    }

    /// By what it is found again on its loop.
    package let digest: CallerTable.Digest
    let text: TokenText
    let signer: Signer

    /// The issuer whose keys have to be fetched before: it may have made a new one. Nil where they need not be.
    package var issuerToAsk: OutsideIssuer? {
        guard case .outside(let issuer) = signer else { return nil }
        return issuer.keys?.has(text.keyID, for: text.algorithm) ?? false ? nil : issuer
    }

    /// Checks the signature. Takes a tenth of a millisecond: not for a loop.
    package func verdict() -> TokenVerdict {
        let fault: TokenFault?
        switch signer {
        case .own(let key): fault = key.verify(text) ? nil : .signature
        case .outside(let issuer):
            if let keys = issuer.keys {
                fault = !keys.has(text.keyID, for: text.algorithm) ? .key : keys.verify(text) ? nil : .signature
            } else {
                fault = .unavailable
            }
        }
        return TokenVerdict(token: self, fault: fault)
    }
}

/// What became of a token whose signature was checked.
package struct TokenVerdict: Sendable {
    package let token: PresentedToken
    /// What is wrong with it; nil when it is good.
    package let fault: TokenFault?

    /// What became of it.
    package init(token: PresentedToken, fault: TokenFault?) {
        self.token = token
        self.fault = fault
    }
}

/// Whose tokens are taken.
package struct TokenAuthority: Sendable {
    /// The server's own keys.
    package let signingKeys: SigningKeyStore
    /// Others who issue tokens.
    package let issuers: [OutsideIssuer]

    /// Whose tokens are taken.
    package init(signingKeys: SigningKeyStore, issuers: [OutsideIssuer]) {
        self.signingKeys = signingKeys
        self.issuers = issuers
    }

    /// What the signature of a token is to be checked with, which says the right things for now. Neither waits nor
    /// computes much: for a loop.
    func signer(of text: TokenText, at now: Timestamp) throws(TokenFault) -> PresentedToken.Signer {
        if text.claims.issuer == TokenIssue.issuer {
            guard text.algorithm == .es256 else { throw .algorithm(text.algorithm.rawValue) }
            guard let key = text.keyID.flatMap({ signingKeys.key($0) }) else { throw .key }
            try text.claims.check(for: TokenIssue.issuer, at: now)
            return .own(key)
        }
        guard let issuer = issuers.first(where: { $0.settings.name == text.claims.issuer }) else { throw .issuer }
        guard issuer.settings.algorithms.contains(text.algorithm) else { throw .algorithm(text.algorithm.rawValue) }
        try text.claims.check(for: issuer.settings.audience, at: now)
        return .outside(issuer)
    }
}
