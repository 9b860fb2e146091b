import JSON

/// The digest of a context: equal for two contexts exactly when they mean the same.
///
/// The order of members does not matter (an object's digest is the sum of its members' digests), nor does the
/// spelling of a number (`2`, `2.0` and `2e0` are one) or of a string (escapes are decoded). The order of an array's
/// elements does.
enum ContextDigest {
    /// What begins the digest of a value, so that values of different types never agree.
    private enum Tag: UInt8 {
        case null
        case `false`
        case `true`
        case wholeNumber
        case fraction
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
        let double = value.double ?? 0
        if double == 0, value.numberSpelling?.first == UInt8(ascii: "-") {
            digest.update(byte: Tag.negativeZero.rawValue)
        } else if let whole = value.int64 {
            digest.update(byte: Tag.wholeNumber.rawValue)
            digest.update(UInt64(bitPattern: whole))
        } else {
            digest.update(byte: Tag.fraction.rawValue)
            digest.update(double.bitPattern)
        }
    }
}
