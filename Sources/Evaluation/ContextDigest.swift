import Bytes
import FlagCore
import JSON

/// The digest of a context: equal for two contexts exactly when no rule can tell them apart.
///
/// The order of members does not matter (an object's digest is the sum of its members' digests), nor does the
/// spelling of a number (`2`, `2.0` and `2e0` are one: `NumberIdentity`) or of a string (escapes are decoded). The
/// order of an array's elements does.
enum ContextDigest {
    /// What begins the digest of a value, so that values of different types never agree.
    private enum Tag: UInt8 {
        case null
        case `false`
        case `true`
        case wholeNumber
        case double
        case digits
        case negativeZero
        case string
        case array
        case object
    }

    /// The digest of `value` under `key`. Linear in the text, allocates nothing.
    static func of(_ value: JSONView, key: KeyedDigest.Key) -> KeyedDigest.Value {
        var digest = KeyedDigest(key)
        update(&digest, with: value, key: key)
        return digest.finish()
    }

    private static func update(_ digest: inout KeyedDigest, with value: JSONView, key: KeyedDigest.Key) {
        switch value.kind {
        case .null: digest.update(byte: Tag.null.rawValue)
        case .false: digest.update(byte: Tag.false.rawValue)
        case .true: digest.update(byte: Tag.true.rawValue)
        case .number: update(&digest, withNumber: value)
        case .string:
            digest.update(byte: Tag.string.rawValue)
            update(&digest, withText: value.stringBytes)
        case .array:
            digest.update(byte: Tag.array.rawValue)
            digest.update(UInt64(value.count))
            for element in value.elements { update(&digest, with: element, key: key) }
        case .object:
            var sum = KeyedDigest.Value.zero
            for member in value.members {
                var part = KeyedDigest(key)
                update(&part, withText: member.name)
                update(&part, with: member.value, key: key)
                sum += part.finish()
            }
            digest.update(byte: Tag.object.rawValue)
            digest.update(UInt64(value.count))
            digest.update(sum)
        }
    }

    private static func update(_ digest: inout KeyedDigest, withText text: UnsafeRawBufferPointer?) {
        digest.update(UInt64(text?.count ?? 0))
        if let text { digest.update(text) }
    }

    private static func update(_ digest: inout KeyedDigest, withNumber value: JSONView) {
        switch NumberIdentity(value) {
        // Equal to zero, and yet a divisor of its own.
        case .whole(let whole) where whole.magnitude == 0 && value.double?.sign == .minus:
            digest.update(byte: Tag.negativeZero.rawValue)
        case .whole(let whole):
            digest.update(byte: Tag.wholeNumber.rawValue)
            digest.update(byte: whole.isNegative ? 1 : 0)
            digest.update(whole.magnitude)
        case .double(let double):
            digest.update(byte: Tag.double.rawValue)
            digest.update(double.bitPattern)
        case .digits(let digits):
            digest.update(byte: Tag.digits.rawValue)
            update(&digest, withText: digits)
        }
    }
}
