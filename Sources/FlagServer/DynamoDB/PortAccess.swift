import Access
import AccessStore
import DynamoModel
import DynamoService
import HTTPTransport
import Platform
import SigV4

/// Whose requests the DynamoDB port takes, with authentication on.
struct PortAccess: Sendable {
    /// The access keys, followed.
    let keys: AccessKeyStore
    /// Seconds since 1970.
    var now: @Sendable () -> Int64 = { SystemClock.wallMilliseconds / 1000 }

    /// Whoever sent a request, as far as its head says; its content is yet to be checked.
    ///
    /// - Parameter signingKeys: those that were derived lately.
    /// - Throws: why the request is not taken, whatever its content is.
    func sender(
        of request: borrowing HTTPRequest, _ signingKeys: inout SigningKeyCache
    ) throws(SignatureError) -> RequestSender {
        let signed = SignedRequest(request)
        let claim = try SignatureClaim(signed)
        guard let key = keys.key(claim.accessKeyID) else { throw .unrecognized }
        let signingKey = signingKeys.key(for: claim, secret: key.secret)
        let pending = try PendingSignature(signed, claim, signingKey, for: "dynamodb", now: now())
        return RequestSender(
            principal: key.record.principal, region: claim.credential.region, signature: pending,
            authorizer: authorizer(for: key))
    }

    /// Decides by the policy of a key, as long as the key is good: a request may have waited.
    private func authorizer(for key: AccessKeyStore.Key) -> RequestAuthorizer {
        RequestAuthorizer(
            asksForLeadingKeys: key.policy.asksForLeadingKeys, asksForAttributes: key.policy.asksForAttributes
        ) { [keys] access throws(ProtocolError) in
            guard keys.key(key.record.id) != nil else { throw ProtocolError(SignatureError.unrecognized) }
            let reason: String
            switch key.policy.verdict(on: access) {
            case .allowed: return
            case .denied: reason = "with an explicit deny in an identity-based policy"
            case .notAllowed:
                reason = "because no identity-based policy allows the dynamodb:\(access.action) action"
            }
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
    let signature: PendingSignature?
    /// Decides what may be done; nil where everything may.
    let authorizer: RequestAuthorizer?

    /// Whoever asks a port that asks nobody who they are.
    static func anonymous(region: String?) -> RequestSender {
        RequestSender(principal: .anonymous, region: region, signature: nil, authorizer: nil)
    }

    /// Checks that the content is what was signed. O(content) where it was.
    func check(_ content: UnsafeRawBufferPointer) throws(ProtocolError) {
        do throws(SignatureError) { try signature?.check(content: content) } catch { throw ProtocolError(error) }
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
