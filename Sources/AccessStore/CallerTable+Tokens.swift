import Access
import Bytes
import DynamoModel
import FlagCore
import Tokens

extension CallerTable {
    /// A token whose signature was checked once: whose it is, and until when. Who that is now is looked up.
    struct CheckedToken {
        let holder: Holder
        /// Milliseconds since 1970.
        let until: Int64
    }

    /// Whom a token was issued for.
    enum Holder {
        /// Somebody whom this server knows, as they were then.
        case own(TokenSubject)
        /// Somebody whom another vouches for.
        case outside(Caller)
    }

    /// Looks a token up that is not in the table. O(length), which is bounded.
    @inline(never)
    mutating func checkToken(_ text: UnsafeRawBufferPointer, _ digest: Digest, _ now: Int64) -> Found {
        let instant = Timestamp(millisecondsSinceEpoch: now)
        do throws(TokenFault) {
            if let checked = checkedTokens[digest] {
                guard checked.until > now else {
                    checkedTokens[digest] = nil
                    let end = Timestamp(millisecondsSinceEpoch: checked.until - TokenText.skewMilliseconds)
                    throw .expired(end)
                }
                return try enter(checked, digest, instant)
            }
            guard let authority else { throw .issuer }
            let token = try TokenText(text)
            let signer = try authority.signer(of: token, at: instant)
            // Whoever makes a token up is refused here, before anything is computed: the revision cannot be told.
            _ = try caller(of: holder(of: token, signer), at: instant)
            return .unchecked(PresentedToken(digest: digest, text: token, signer: signer))
        } catch {
            return .refused(error)
        }
    }

    /// Takes a token whose signature was checked.
    package mutating func accept(_ token: PresentedToken) {
        guard let holder = try? holder(of: token.text, token.signer) else { return }
        if checkedTokens.count >= Self.capacity { checkedTokens.removeAll(keepingCapacity: true) }
        checkedTokens[token.digest] = CheckedToken(
            holder: holder,
            until: token.text.claims.expiresAt.millisecondsSinceEpoch + TokenText.skewMilliseconds)
    }

    /// Forgets all tokens: an issuer has other keys.
    package mutating func forgetTokens() {
        checkedTokens.removeAll(keepingCapacity: true)
        forget()
    }

    private mutating func enter(
        _ checked: CheckedToken, _ digest: Digest, _ now: Timestamp
    ) throws(TokenFault) -> Found {
        let caller = try caller(of: checked.holder, at: now)
        let end = caller.endsAt?.millisecondsSinceEpoch ?? .max
        let selector = caller.principal.kind == .key ? caller.principal.name : nil
        return enter(
            Entry(caller: caller, selector: selector, until: min(checked.until, end)), digest,
            now.millisecondsSinceEpoch)
    }

    private func holder(
        of text: TokenText, _ signer: PresentedToken.Signer
    ) throws(TokenFault) -> Holder {
        switch signer {
        case .own:
            guard let subject = TokenSubject(text.claims) else { throw .malformed("it is not of this server's making") }
            return .own(subject)
        case .outside(let issuer): return .outside(try issuer.caller(of: text.claims))
        }
    }

    /// Whoever holds a token, as they are now.
    private func caller(of holder: Holder, at now: Timestamp) throws(TokenFault) -> Caller {
        switch holder {
        case .outside(let caller): return caller
        case .own(let subject):
            switch subject.principal.kind {
            case .key:
                guard let record = ring.record(subject.principal.name),
                    SecretDigest.areEqual(Array(digests.revision(of: record).utf8), Array(subject.revision.utf8))
                else { throw .revoked }
                switch record.state(at: now) {
                case .active: return record.caller(ring.rate(of: record.selector), until: nil)
                case .expired: throw .expired(record.expiresAt ?? now)
                case .revoked: throw .revoked
                }
            case .account:
                guard let record = UserName(subject.principal.name).flatMap({ users.records[$0] }),
                    SecretDigest.areEqual(Array(digests.revision(of: record).utf8), Array(subject.revision.utf8)),
                    record.disabledAt == nil
                else { throw .revoked }
                return record.caller
            default: throw .revoked
            }
        }
    }
}
