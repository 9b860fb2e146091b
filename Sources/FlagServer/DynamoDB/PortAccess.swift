import Access
import AccessStore
import DynamoModel
import DynamoService
import HTTPRouting
import HTTPTransport
import Platform
import SigV4

/// Whose requests the DynamoDB port takes, with authentication on.
struct PortAccess: Sendable {
    /// The access keys, followed.
    let keys: AccessKeyStore
    /// How often each address may send what nobody has signed who may; nil for as often as it likes.
    var strangers: Throttles?
    /// Told of whoever is refused for lack of rights, and what they asked for; must not block.
    var noteRefusal: @Sendable (Principal, String, PeerAddress) -> Void = { _, _, _ in }
    /// Seconds since 1970.
    var now: @Sendable () -> Int64 = { SystemClock.wallMilliseconds / 1000 }

    /// Whoever sent a request, as far as its head says; its content is yet to be checked.
    ///
    /// - Parameters:
    ///   - address: where it comes from.
    ///   - signingKeys: those that were derived lately.
    /// - Throws: why the request is not taken, whatever its content is.
    func sender(
        of request: borrowing HTTPRequest, at address: PeerAddress, _ signingKeys: inout SigningKeyCache
    ) throws(SignatureError) -> RequestSender {
        let signed = SignedRequest(request)
        let claim = try SignatureClaim(signed)
        guard let key = keys.key(claim.accessKeyID) else { throw .unrecognized }
        let signingKey = signingKeys.key(for: claim, secret: key.secret)
        let pending = try PendingSignature(signed, claim, signingKey, for: "dynamodb", now: now())
        return RequestSender(
            principal: key.record.principal, region: claim.credential.region,
            proof: SignatureProof(signature: pending, key: key, address: address, access: self),
            authorizer: authorizer(for: key, at: address))
    }

    /// What a request is answered that nobody has signed who may; from an address that has sent many, that it has to
    /// wait.
    func refusal(_ error: SignatureError, at address: PeerAddress) -> ProtocolError {
        noteRefusal(.anonymous, "dynamodb: no good signature", address)
        let now = SystemClock.monotonicMicroseconds
        guard let seconds = strangers?.wait(ofStrangerAt: address, now: now) else { return ProtocolError(error) }
        return ProtocolError(
            .throttling,
            "Rate exceeded: too many requests of this address are signed with no key of this server; try again in "
                + "\(seconds) s")
    }

    /// Decides by the policy of a key, as long as the key is good: a request may have waited.
    private func authorizer(for key: AccessKeyStore.Key, at address: PeerAddress) -> RequestAuthorizer {
        RequestAuthorizer(
            asksForLeadingKeys: key.policy.asksForLeadingKeys, asksForAttributes: key.policy.asksForAttributes
        ) { [keys, noteRefusal] access throws(ProtocolError) in
            guard keys.key(key.record.id) != nil else { throw ProtocolError(SignatureError.unrecognized) }
            let reason: String
            switch key.policy.verdict(on: access) {
            case .allowed: return
            case .denied: reason = "with an explicit deny in an identity-based policy"
            case .notAllowed:
                reason = "because no identity-based policy allows the dynamodb:\(access.action) action"
            }
            noteRefusal(key.record.principal, "dynamodb:\(access.action) \(access.resource)", address)
            throw ProtocolError(
                .accessDenied,
                "User: \(key.record.userARN) is not authorized to perform: dynamodb:\(access.action) on resource: "
                    + "\(access.resource) \(reason)")
        }
    }
}

/// Whoever sent a request.
struct RequestSender: Sendable {
    /// In whose name it is done.
    let principal: Principal
    /// The region that is meant; nil when none is said.
    let region: String?
    /// What the content is yet to be checked against; nil where nobody is asked for a signature.
    let proof: SignatureProof?
    /// Decides what may be done; nil where everything may.
    let authorizer: RequestAuthorizer?

    /// Whoever asks a port that asks nobody who they are.
    static func anonymous(region: String?) -> RequestSender {
        RequestSender(principal: .anonymous, region: region, proof: nil, authorizer: nil)
    }

    /// The same in some circumstances.
    func with(_ circumstances: ChangeCircumstances) -> RequestSender {
        RequestSender(
            principal: principal.with(circumstances), region: region, proof: proof, authorizer: authorizer)
    }

    /// Checks that the content is what was signed, and counts the request. O(content) where it was.
    func check(_ content: UnsafeRawBufferPointer) throws(ProtocolError) { try proof?.check(content) }
}

/// What is yet to be checked of a request.
struct SignatureProof: Sendable {
    let signature: PendingSignature
    let key: AccessKeyStore.Key
    /// Where the request comes from.
    let address: PeerAddress
    let access: PortAccess

    /// Checks the content, then whether its sender has to wait: by then it is certain whose request it is, and nobody
    /// else takes anything from what a key may.
    func check(_ content: UnsafeRawBufferPointer) throws(ProtocolError) {
        do throws(SignatureError) { try signature.check(content: content) } catch {
            throw access.refusal(error, at: address)
        }
        access.keys.noteUse(of: key, at: access.now())
        guard let own = key.rate else { return }
        let verdict = own.throttle.take(0, at: own.rate, now: SystemClock.monotonicMicroseconds)
        guard verdict.isAllowed else {
            throw ProtocolError(
                .throttling,
                "Rate exceeded: more than \(own.rate.text) were signed with \(key.record.id); try again in "
                    + "\(verdict.retrySeconds) s")
        }
    }
}

/// Who sent the requests of a loop whose content is under way, the latest of them: what was found out by the head is
/// not found out again.
struct AdmittedSenders {
    private static let capacity = 64

    private var places: [(number: UInt64, sender: RequestSender)?] = Array(repeating: nil, count: capacity)
    private var last: UInt64 = 0

    /// Keeps one, in the place of one that has waited longest.
    ///
    /// - Returns: the number that it is found by; never 0.
    mutating func keep(_ sender: RequestSender) -> UInt64 {
        last += 1
        places[Int(last % UInt64(Self.capacity))] = (last, sender)
        return last
    }

    /// Takes the one of a number; nil when it is not there any more.
    mutating func take(_ number: UInt64) -> RequestSender? {
        let place = Int(number % UInt64(Self.capacity))
        guard let found = places[place], found.number == number else { return nil }
        places[place] = nil
        return found.sender
    }
}

extension ProtocolError {
    /// What a request is answered that is not taken for what its signature says.
    init(_ error: SignatureError) {
        let code: Code =
            switch error {
            case .missing: .missingAuthentication
            case .incomplete: .incompleteSignature
            case .unrecognized: .unrecognizedClient
            case .invalid: .invalidSignature
            }
        self.init(code, error.message)
    }
}

extension SignedRequest {
    /// What a signature can be over of a request. O(head), which the transport bounds.
    fileprivate init(_ request: borrowing HTTPRequest) {
        var fields: [(name: String, value: [UInt8])] = []
        fields.reserveCapacity(request.fieldCount)
        request.forEachField { name, value in
            fields.append((String(decoding: name, as: UTF8.self).lowercased(), Array(value)))
        }
        self.init(
            method: Array(request.methodName), path: Array(request.path), query: request.query.map { Array($0) } ?? [],
            fields: fields)
    }
}
