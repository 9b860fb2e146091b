/// A code that stands in for the second factor once, for whoever has lost their telephone.
package enum RecoveryCode {
    /// How many are handed out at a time.
    package static let count = 10
    /// 50 bits each.
    private static let groups = 2

    /// New codes, each another.
    ///
    /// - Parameter random: gives secure random numbers.
    package static func make(random: inout some RandomNumberGenerator) -> [String] {
        var codes: [String] = []
        while codes.count < count {
            let code = TypableText.readable(groups: groups, random: &random)
            if !codes.contains(code) { codes.append(code) }
        }
        return codes
    }

    /// A code as it is compared, however it was typed: in small letters, without spaces and hyphens. Nil for what is
    /// none.
    package static func canonical(_ text: String) -> String? {
        guard text.utf8.count <= 32 else { return nil }
        let code = text.lowercased().filter { $0 != "-" && $0 != " " }
        return code.utf8.count == groups * 5 ? code : nil
    }
}
