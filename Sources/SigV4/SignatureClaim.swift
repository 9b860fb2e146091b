/// What a request says of its signature: in `Authorization`, or in the query of a URL that was signed beforehand.
///
/// Source: AWS Signature Version 4, "Create a signed AWS API request" of the IAM user guide.
package struct SignatureClaim: Sendable, Equatable {
    /// Whose secret it was signed with.
    package let accessKeyID: String
    /// The day, the region and the service that it is good for.
    package let credential: CredentialPath
    /// The fields that are signed, in the order in which they were.
    package let signedFields: [String]
    /// When it was signed.
    package let time: SigningTime
    /// For how many seconds a URL is good; nil for a request with `Authorization`.
    package let lifetime: Int64?
    /// The signature as hexadecimal digits, whatever there is in its place.
    let signature: [UInt8]

    /// Whether it is in the URL.
    package var isInURL: Bool { lifetime != nil }

    static let algorithm = "AWS4-HMAC-SHA256"
    /// Fields that are signed, at most.
    static let signedFieldsMaximum = 64
    /// Characters of an access key's identifier at most, as in IAM.
    static let accessKeyIDMaximum = 128
    /// Seconds for which a URL is good at most: seven days.
    static let lifetimeMaximum: Int64 = 604_800

    /// Reads what a request says. O(head).
    ///
    /// - Throws: what is missing, or cannot be read; `missing` when it is not signed at all.
    package init(_ request: SignedRequest) throws(SignatureError) {
        let parameters = try Parameters(request)
        let authorization = try request.text("authorization")
        if parameters.isSigned {
            guard authorization == nil else {
                throw .incomplete("The request has more than one signature: one in its URL, one in Authorization")
            }
            try self.init(parameters)
        } else if let authorization {
            try self.init(authorization, date: try request.text("x-amz-date"))
        } else {
            throw .missing
        }
        guard try request.text("x-amz-security-token") == nil, parameters["X-Amz-Security-Token"] == nil else {
            throw .unrecognized
        }
        try checkSignedFields(of: request)
    }

    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    private init(_ authorization: String, date: String?) throws(SignatureError) {
        let algorithm = authorization.prefix { $0 != " " }
        guard algorithm.hasPrefix("AWS") else { throw .missing }
        guard algorithm == Self.algorithm else {
            throw .incomplete("Unsupported AWS 'algorithm': '\(algorithm.prefix(40))'.")
        }
        var parts: [String: String] = [:]
        for part in authorization.dropFirst(algorithm.count).split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = pair[0].drop { $0 == " " }
            guard pair.count == 2, parts.updateValue(String(pair[1]), forKey: String(name)) == nil else {
                throw .incomplete(
                    "'\(name.prefix(40))' not a valid key=value pair (missing equal-sign) in "
                        + "Authorization header, or given twice.")
            }
        }
        var missing: [String] = []
        for name in ["Credential", "Signature", "SignedHeaders"] where parts[name] == nil {
            missing.append("Authorization header requires '\(name)' parameter.")
        }
        if date == nil { missing.append("Authorization header requires existence of a 'X-Amz-Date' header.") }
        guard missing.isEmpty, let credential = parts["Credential"], let signature = parts["Signature"],
            let names = parts["SignedHeaders"], let date
        else { throw .incomplete(missing.joined(separator: " ")) }
        try self.init(credential, signature, names, date: date, lifetime: nil)
    }

    /// Reads the parameters of a URL.
    private init(_ parameters: Parameters) throws(SignatureError) {
        guard let algorithm = parameters["X-Amz-Algorithm"] else {
            throw .incomplete("AWS query-string parameters must include 'X-Amz-Algorithm'.")
        }
        guard algorithm == Self.algorithm else {
            throw .incomplete("Unsupported AWS 'algorithm': '\(algorithm.prefix(40))'.")
        }
        let names = ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires"]
        let missing = names.filter { parameters[$0] == nil }
        guard missing.isEmpty, let credential = parameters["X-Amz-Credential"],
            let signature = parameters["X-Amz-Signature"], let signed = parameters["X-Amz-SignedHeaders"],
            let date = parameters["X-Amz-Date"], let expires = parameters["X-Amz-Expires"]
        else {
            throw .incomplete(
                missing.map { "AWS query-string parameters must include '\($0)'." }.joined(separator: " "))
        }
        guard let lifetime = Int64(expires), (1...Self.lifetimeMaximum).contains(lifetime) else {
            throw .incomplete("X-Amz-Expires must be a number of seconds from 1 to \(Self.lifetimeMaximum)")
        }
        try self.init(credential, signature, signed, date: date, lifetime: lifetime)
    }

    private init(
        _ credential: String, _ signature: String, _ names: String, date: String, lifetime: Int64?
    ) throws(SignatureError) {
        guard let (accessKeyID, path) = CredentialPath.read(credential) else {
            throw .incomplete(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term")
        }
        guard let time = SigningTime(date) else {
            throw .incomplete("Date must be in ISO-8601 'basic format', such as 20260102T030405Z")
        }
        let signedFields = names.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        guard signedFields.count <= Self.signedFieldsMaximum, Set(signedFields).count == signedFields.count,
            signedFields.allSatisfy({ !$0.isEmpty && $0 == $0.lowercased() })
        else {
            throw .incomplete(
                "SignedHeaders must be up to \(Self.signedFieldsMaximum) different names in small letters")
        }
        self.accessKeyID = accessKeyID
        self.credential = path
        self.signedFields = signedFields
        self.time = time
        self.lifetime = lifetime
        self.signature = Array(signature.utf8)
    }

    /// What decides over the request must be signed: whoever holds one could else give it another meaning.
    private func checkSignedFields(of request: SignedRequest) throws(SignatureError) {
        let needed =
            ["host"] + (isInURL ? [] : ["x-amz-date"])
            + ["x-amz-target", "x-amz-content-sha256"].filter { !request.values($0).isEmpty }
        for name in needed where !signedFields.contains(name) {
            throw .invalid("'\(name)' must be a 'SignedHeader' in the AWS Authorization.")
        }
    }
}

/// The parameters of a URL that are about its signature.
private struct Parameters {
    private var values: [String: String] = [:]

    /// Bytes of a query at most: DynamoDB's operations have no parameters beside those of a signature.
    private static let bytesMaximum = 4096

    init(_ request: SignedRequest) throws(SignatureError) {
        guard request.query.count <= Self.bytesMaximum else {
            throw .incomplete("The query has more than \(Self.bytesMaximum) bytes")
        }
        for (name, value) in request.parameters {
            let name = String(decoding: name, as: UTF8.self)
            guard name.lowercased().hasPrefix("x-amz-") else { continue }
            guard values.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
                throw .incomplete("The request has more than one \(name.prefix(40))")
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// Whether the URL is signed, or was meant to be.
    var isSigned: Bool { values["X-Amz-Algorithm"] != nil || values["X-Amz-Signature"] != nil }
}
