import Bytes
import FlagCore
import JSON

/// A token as it was presented (RFC 7519, in the compact form of RFC 7515 section 7.1): read, and not checked.
package struct TokenText: Sendable {
    /// Longer ones are not looked at.
    package static let maximumBytes = 8192
    /// How far apart clocks may be, in milliseconds.
    package static let skewMilliseconds: Int64 = 60_000

    /// How it says that it was signed.
    package let algorithm: TokenAlgorithm
    /// Which of its issuer's keys it names.
    package let keyID: String?
    /// What it says.
    package let claims: TokenClaims
    /// What was signed.
    let signed: [UInt8]
    /// With what.
    let signature: [UInt8]

    /// By these members a token would choose what it is checked with, or demand what is not understood here
    /// (RFC 7515 sections 4.1.2 to 4.1.6 and 4.1.11; RFC 8725 section 3.10).
    private static let refusedMembers = ["jku", "jwk", "x5u", "x5c", "crit"]
    private static let parsing = JSONParseOptions(maximumDepth: 16, duplicateKeys: .refuse)

    /// Whether something that was presented is meant to be a token: its header is a JSON object.
    @inline(__always)
    package static func isMeant(by text: UnsafeRawBufferPointer) -> Bool {
        text.count > 2 && text[0] == UInt8(ascii: "e") && text[1] == UInt8(ascii: "y")
    }

    /// Reads a token. O(length), which is bounded.
    package init(_ text: UnsafeRawBufferPointer) throws(TokenFault) {
        guard text.count <= Self.maximumBytes else { throw .tooLong }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("it has \(parts.count) parts, not 3") }
        let header = try Self.object(parts[0], "header")
        if let member = Self.refusedMembers.first(where: { header[$0] != nil }) { throw .header(member) }
        guard let name = header["alg"]?.stringValue else { throw .malformed("its header names no algorithm (alg)") }
        guard let algorithm = TokenAlgorithm(rawValue: name) else { throw .algorithm(Self.shortened(name)) }
        if let key = header["kid"], key.stringValue == nil { throw .malformed("its key identifier (kid) is no text") }
        guard let signature = URLSafeText.decode(parts[2]), !signature.isEmpty else {
            throw .malformed("its signature is no Base64 of URLs")
        }
        self.algorithm = algorithm
        keyID = header["kid"]?.stringValue
        claims = try TokenClaims(Self.object(parts[1], "content"))
        signed = Array(text[..<parts[1].endIndex])
        self.signature = signature
    }

    private static func object(
        _ part: Slice<UnsafeRawBufferPointer>, _ name: String
    ) throws(TokenFault) -> JSONObject {
        guard let bytes = URLSafeText.decode(part) else { throw .malformed("its \(name) is no Base64 of URLs") }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes, options: parsing) } catch {
            throw .malformed("its \(name) is no JSON: \(error)")
        }
        guard let object = value.objectValue else { throw .malformed("its \(name) is no JSON object") }
        return object
    }

    /// A name that somebody else chose, as far as a message repeats it.
    private static func shortened(_ name: String) -> String {
        name.count <= 16 && name.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? name : "another algorithm"
    }
}
