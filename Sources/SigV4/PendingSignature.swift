/// A signature that only the content is missing to be checked.
///
/// What is of the head is done by then, so that large content can be hashed elsewhere.
package struct PendingSignature: Sendable {
    /// The canonical request up to the line of the content's digest.
    private let canonicalHead: [UInt8]
    /// The digest that the request says its content has; nil when it says none.
    private let toldDigest: [UInt8]?
    private let claim: SignatureClaim
    private let key: SigningKey

    /// How far clocks may be apart, in seconds.
    package static let skew: Int64 = 300

    /// Takes what is of the head. O(head).
    ///
    /// - Parameters:
    ///   - claim: what the request says of its signature.
    ///   - key: derived from the secret of the claim's access key.
    ///   - service: the service that is asked.
    ///   - now: seconds since 1970.
    /// - Throws: why the signature cannot be good, whatever the content is.
    package init(
        _ request: SignedRequest, _ claim: SignatureClaim, _ key: SigningKey, for service: String, now: Int64
    ) throws(SignatureError) {
        try claim.check(for: service, now: now)
        let told = try request.text("x-amz-content-sha256")
        if let told {
            // Anything else, such as UNSIGNED-PAYLOAD, would leave the content open.
            guard told.utf8.count == Digests.count * 2 else {
                throw .invalid("x-amz-content-sha256 must be the SHA-256 of the content: \(told.prefix(40))")
            }
        }
        toldDigest = told.map { Array($0.utf8) }
        canonicalHead = Self.canonicalHead(of: request, claim)
        self.claim = claim
        self.key = key
    }

    /// Checks the signature. O(content).
    ///
    /// - Throws: when it is not that of the request with this content.
    package func check(content: UnsafeRawBufferPointer) throws(SignatureError) {
        let digest = Digests.hexadecimal(Digests.sha256(content))
        if let toldDigest, !Digests.areEqual(toldDigest, digest) { throw .mismatch }
        let signature = Digests.hexadecimal(key.signature(of: textToSign(digest)))
        guard Digests.areEqual(signature, claim.signature) else { throw .mismatch }
    }

    /// The canonical request.
    func canonicalRequest(_ contentDigest: [UInt8]) -> [UInt8] { canonicalHead + contentDigest }

    /// What is signed in the end.
    func textToSign(_ contentDigest: [UInt8]) -> [UInt8] {
        let head = "\(SignatureClaim.algorithm)\n\(claim.time.text)\n\(claim.credential.text)\n"
        return Array(head.utf8) + Digests.hexadecimal(Digests.sha256(canonicalRequest(contentDigest)))
    }

    private static func canonicalHead(of request: SignedRequest, _ claim: SignatureClaim) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        var text = request.method + [newline]
        text += PercentCoding.encoded(request.path, keepsSlashes: true) + [newline]
        text += canonicalQuery(of: request) + [newline]
        for name in claim.signedFields {
            let values = request.values(name).map(withSingleSpaces)
            text += Array("\(name):".utf8) + Array(values.joined(separator: [UInt8(ascii: ",")])) + [newline]
        }
        text.append(newline)
        return text + Array(claim.signedFields.joined(separator: ";").utf8) + [newline]
    }

    /// The parameters in the order of their encoded names and values, without the signature itself.
    private static func canonicalQuery(of request: SignedRequest) -> [UInt8] {
        let signature = Array("X-Amz-Signature".utf8)
        let encoded = request.parameters.filter { $0.name != signature }.map { parameter in
            (PercentCoding.encoded(parameter.name), PercentCoding.encoded(parameter.value))
        }
        let sorted = encoded.sorted { left, right in
            left.0 == right.0
                ? left.1.lexicographicallyPrecedes(right.1) : left.0.lexicographicallyPrecedes(right.0)
        }
        return Array(sorted.map { $0.0 + [UInt8(ascii: "=")] + $0.1 }.joined(separator: [UInt8(ascii: "&")]))
    }

    /// A field's value without spaces around it, and one where there are several.
    private static func withSingleSpaces(_ value: [UInt8]) -> [UInt8] {
        Array(value.split { $0 == UInt8(ascii: " ") }.joined(separator: [UInt8(ascii: " ")]))
    }
}

extension SignatureClaim {
    /// Checks what it is good for, and when.
    fileprivate func check(for service: String, now: Int64) throws(SignatureError) {
        guard credential.service == service else {
            throw .invalid("Credential should be scoped to correct service: '\(service)'.")
        }
        guard credential.date == time.date else {
            throw .invalid(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    + "'\(credential.date)' != '\(time.date)', from '\(time.text)'.")
        }
        let current = SigningTime(seconds: now).text
        guard time.seconds <= now + PendingSignature.skew else {
            let latest = SigningTime(seconds: now + PendingSignature.skew).text
            throw .invalid(
                "Signature not yet current: \(time.text) is still later than \(latest) (\(current) + 5 min.)")
        }
        if let lifetime {
            let end = time.seconds + lifetime
            guard now <= end else {
                throw .invalid("Signature expired: \(SigningTime(seconds: end).text) is now earlier than \(current)")
            }
        } else {
            guard time.seconds >= now - PendingSignature.skew else {
                let earliest = SigningTime(seconds: now - PendingSignature.skew).text
                throw .invalid(
                    "Signature expired: \(time.text) is now earlier than \(earliest) (\(current) - 5 min.)")
            }
        }
    }
}
