/// Bytes that nobody can guess.
enum RandomBytes {
    /// So many of them.
    static func make(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
    }
}
