import FlagCore

/// Codes of six digits that change every 30 s, which an app on somebody's telephone computes from a shared secret
/// (RFC 6238 with HMAC-SHA-1, the form that every such app knows).
package enum TOTP {
    /// Computes the HMAC-SHA-1 of a message under a key (RFC 2104), 20 bytes.
    package typealias MAC = @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

    /// Bytes of a secret (RFC 4226 section 4, R6).
    package static let secretBytes = 20
    /// Digits of a code.
    package static let digits = 6
    /// Seconds for which a code is good.
    package static let stepSeconds: Int64 = 30

    /// The number of the step at an instant.
    package static func step(at now: Timestamp) -> Int64 { now.secondsSinceEpoch / stepSeconds }

    /// The code of a step, with its zeros (RFC 4226 section 5.3).
    ///
    /// - Parameter digits: how many; other than six for the vectors of the RFC alone.
    package static func code(_ secret: [UInt8], step: Int64, digits: Int = digits, _ mac: MAC) -> String {
        let message = (0..<8).reversed().map { UInt8(truncatingIfNeeded: step >> ($0 * 8)) }
        let hash = mac(secret, message)
        let offset = Int(hash[hash.count - 1] & 0xF)
        let number = hash[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { result, _ in result * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step of a code, if it is that of the present step and no code of it or a later one was taken before.
    package static func accept(
        _ code: String, _ secret: [UInt8], at now: Timestamp, after lastStep: Int64, _ mac: MAC
    ) -> Int64? {
        let step = step(at: now)
        let expected = Array(self.code(secret, step: step, mac).utf8)
        let given = Array(code.utf8)
        guard given.count == expected.count else { return nil }
        let difference = zip(given, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 && step > lastStep ? step : nil
    }

    /// What an app is given: the secret as people type it, and as a QR code holds it.
    ///
    /// - Parameters:
    ///   - name: whose account it is.
    ///   - secret: the shared secret.
    package static func uri(_ name: UserName, _ secret: [UInt8]) -> String {
        "otpauth://totp/flag-server:\(name)?secret=\(TypableText.text(of: secret))&issuer=flag-server"
            + "&algorithm=SHA1&digits=\(digits)&period=\(stepSeconds)"
    }
}
