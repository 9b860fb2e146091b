import Glibc

/// What may stand in `Host` and in the authority of an absolute target.
enum Authority {
    /// Whether `bytes` are `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 §4.2.1, §7.2; RFC 3986
    /// §3.2).
    ///
    /// User information is refused, as RFC 9110 §4.2.4 advises, and so is a comma: no name of a host has one, and two
    /// `Host` fields become one with a comma on their way through a program that combines fields (§5.3).
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return false }
        if first == 0x5B { return isValidLiteral(bytes) }
        let hostEnd = bytes.firstIndex(of: 0x3A) ?? bytes.count
        let host = UnsafeRawBufferPointer(rebasing: bytes[..<hostEnd])
        return !host.isEmpty && isValidName(host) && isValidPort(UnsafeRawBufferPointer(rebasing: bytes[hostEnd...]))
    }

    private static func isValidName(_ host: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < host.count {
            guard ByteClass.isHostName(host[index]), host[index] != 0x2C else { return false }
            if host[index] == 0x25 {
                guard index + 2 < host.count, ByteClass.hexValue(host[index + 1]) != nil,
                    ByteClass.hexValue(host[index + 2]) != nil
                else { return false }
            }
            index += 1
        }
        return true
    }

    /// `[` IPv6 address `]`, with or without a port. Nobody speaks the versions to come of RFC 3986 §3.2.2.
    private static func isValidLiteral(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let close = bytes.firstIndex(of: 0x5D), close > 1, close < 48 else { return false }
        var text = [CChar](repeating: 0, count: close)
        for index in 1..<close { text[index - 1] = CChar(bitPattern: bytes[index]) }
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
            && isValidPort(UnsafeRawBufferPointer(rebasing: bytes[(close + 1)...]))
    }

    /// Nothing, or a colon and a number up to 65535; RFC 3986 §3.2.3 allows no digit at all.
    private static func isValidPort(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let colon = bytes.first else { return true }
        guard colon == 0x3A else { return false }
        var port = 0
        for byte in bytes.dropFirst() {
            guard ByteClass.isDigit(byte) else { return false }
            port = port * 10 + Int(byte - 0x30)
            if port > 65_535 { return false }
        }
        return true
    }
}
