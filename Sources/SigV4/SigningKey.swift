/// What requests of one day, region and service are signed with.
package struct SigningKey: Sendable, Equatable {
    let bytes: [UInt8]

    /// The key that is derived from a secret. Four HMACs.
    package init(secret: [UInt8], date: String, region: String, service: String) {
        var key = Array("AWS4".utf8) + secret
        for part in [date, region, service, CredentialPath.end] { key = Digests.hmac(key, Array(part.utf8)) }
        bytes = key
    }

    /// The signature of a text.
    func signature(of text: [UInt8]) -> [UInt8] { Digests.hmac(bytes, text) }
}

/// The keys that were derived lately, by whose, which day's and which region's they are. Takes no more memory than its
/// bound, whatever days and regions requests name.
package struct SigningKeyCache {
    private struct Name: Hashable {
        let accessKeyID: String
        let credential: CredentialPath
    }

    private static let capacity = 1024
    private var keys: [Name: (secret: [UInt8], key: SigningKey)] = [:]

    /// How many there are.
    var count: Int { keys.count }

    /// A cache of nothing.
    package init() {}

    /// The key for what a claim says, derived unless it is known. O(1).
    ///
    /// - Parameter secret: that of the claim's access key. A key that was derived from another is derived anew.
    package mutating func key(for claim: SignatureClaim, secret: [UInt8]) -> SigningKey {
        let name = Name(accessKeyID: claim.accessKeyID, credential: claim.credential)
        if let known = keys[name], Digests.areEqual(known.secret, secret) { return known.key }
        let credential = claim.credential
        let key = SigningKey(
            secret: secret, date: credential.date, region: credential.region, service: credential.service)
        if keys.count >= Self.capacity { keys.removeAll(keepingCapacity: true) }
        keys[name] = (secret, key)
        return key
    }
}
