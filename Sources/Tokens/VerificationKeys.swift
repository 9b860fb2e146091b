import JSON
import JWTKit

/// The keys that tokens of one issuer are checked with: a JSON Web Key Set (RFC 7517) that was read.
package final class VerificationKeys: Sendable {
    /// A key with each algorithm that it may be used with.
    private struct Key: Sendable {
        let id: String?
        let checks: [TokenAlgorithm: any JWTAlgorithm]
    }

    /// More keys than an issuer has.
    private static let maximum = 100

    private let keys: [Key]

    private init(_ keys: [Key]) { self.keys = keys }

    /// How many there are.
    package var count: Int { keys.count }

    /// Reads a set of keys. What is for encryption, of a kind that is not known, or for none of the algorithms is left
    /// out, as RFC 7517 section 5 says. Blocks.
    ///
    /// - Parameter algorithms: those that tokens may be signed with.
    /// - Throws: what is wrong with the set as a whole.
    package static func reading(
        _ set: [UInt8], for algorithms: [TokenAlgorithm]
    ) throws(KeySetFault) -> VerificationKeys {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: set) } catch {
            throw KeySetFault(reason: "it is no JSON: \(error)")
        }
        guard let members = json["keys"]?.arrayValue else {
            throw KeySetFault(reason: "it has no list of keys: {\"keys\": […]}")
        }
        guard members.count <= maximum else { throw KeySetFault(reason: "it has more than \(maximum) keys") }
        let keys = members.compactMap { key($0, algorithms) }
        guard !keys.isEmpty else {
            let names = algorithms.map(\.rawValue).joined(separator: ", ")
            throw KeySetFault(reason: "none of its keys is for signatures with \(names)")
        }
        return VerificationKeys(keys)
    }

    /// Whether there is a key that a token could have been signed with.
    package func has(_ keyID: String?, for algorithm: TokenAlgorithm) -> Bool { check(keyID, algorithm) != nil }

    /// Whether a token was signed with the key that it names. Takes a tenth of a millisecond: not for a loop.
    package func verify(_ token: TokenText) -> Bool {
        guard let check = check(token.keyID, token.algorithm) else { return false }
        return (try? check.verify(token.signature, signs: token.signed)) ?? false
    }

    /// A token without the name of a key can only be of the one key there is.
    private func check(_ keyID: String?, _ algorithm: TokenAlgorithm) -> (any JWTAlgorithm)? {
        if let keyID { return keys.first { $0.id == keyID && $0.checks[algorithm] != nil }?.checks[algorithm] }
        return keys.count == 1 ? keys[0].checks[algorithm] : nil
    }

    private static func key(_ json: JSONValue, _ algorithms: [TokenAlgorithm]) -> Key? {
        guard let members = json.objectValue, members["use"]?.stringValue ?? "sig" == "sig" else { return nil }
        var checks: [TokenAlgorithm: any JWTAlgorithm] = [:]
        for algorithm in algorithms where isFit(members, for: algorithm) {
            // The public half alone, under a name that cannot be mistaken, whatever else the set says of it.
            var part: JSONObject = ["kid": "key", "alg": .string(algorithm.rawValue)]
            for name in ["kty", "crv", "x", "y", "n", "e"] { part[name] = members[name] }
            let text = JSONValue.object(part).serialized()
            checks[algorithm] = try? Waiting.forResult {
                try await JWTKeyCollection().add(jwk: JWK(json: text)).getKey()
            }
        }
        return checks.isEmpty ? nil : Key(id: members["kid"]?.stringValue, checks: checks)
    }

    /// Whether a key is for an algorithm by its kind, its curve and what it says itself.
    private static func isFit(_ members: JSONObject, for algorithm: TokenAlgorithm) -> Bool {
        let (type, curve) = algorithm.keyType
        guard members["kty"]?.stringValue == type,
            members["alg"]?.stringValue ?? algorithm.rawValue == algorithm.rawValue
        else { return false }
        // 2,048 bits are 342 characters (RFC 7518 section 3.3).
        if type == "RSA" { return members["n"]?.stringValue.map { (342...2048).contains($0.utf8.count) } ?? false }
        return members["crv"]?.stringValue == curve
    }
}

/// Why a set of keys cannot be used.
package struct KeySetFault: Error, Sendable, Equatable {
    /// What is wrong with it.
    package let reason: String

    /// What is wrong.
    package init(reason: String) { self.reason = reason }
}
