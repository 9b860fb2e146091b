/// Which generation of flagd's `fractional` puts subjects into buckets.
package enum FractionalVersion: String, Sendable {
    /// Hashes the UTF-8 of a string (flagd core up to 0.16).
    case v2
    /// Hashes the deterministic CBOR of a value (RFC 8949 section 4.2.1; flagd-testbed from 3.9.0 on).
    case v3
}
