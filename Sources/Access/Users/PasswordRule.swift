/// What a password must be like. There are no rules on which characters it is made of, and it never has to be changed
/// for its age (NIST SP 800-63B section 3.1.1.2).
///
/// A password is what was sent, byte for byte: it is not normalised. Keyboards and browsers send composed characters
/// everywhere, and a digest that depended on the tables of a Unicode version could be good no more after an update.
package enum PasswordRule {
    /// Characters (Unicode scalars).
    package static let characters = 12...128

    /// What is expected, for messages.
    package static let expectation = "12 to 128 characters, whichever they are"

    /// What is wrong with a password, so that it completes the sentence "the password …"; nil when nothing is.
    /// O(length²), which is bounded.
    ///
    /// - Parameters:
    ///   - name: whose it is to be.
    ///   - isCommon: whether a text, in small letters, is among the passwords that are most used.
    package static func complaint(
        about password: String, of name: UserName, isCommon: (String) -> Bool
    ) -> String? {
        // Bytes first: a text of a megabyte is not walked for its characters.
        guard password.utf8.count <= characters.upperBound * 4 else { return tooLong }
        let count = password.unicodeScalars.count
        if count < characters.lowerBound { return "has \(count) characters: \(expectation)" }
        if count > characters.upperBound { return tooLong }
        let text = password.lowercased()
        for core in cores(of: text) {
            if core == name.text { return "is little more than the user's name: choose another" }
            if isCommon(core) {
                return "is, or is little more than, one of those that are most used and tried first: choose another"
            }
        }
        return nil
    }

    private static let tooLong = "is too long: \(expectation)"

    /// What a password comes to when nothing is added to it that everybody adds: itself, without the digits and signs
    /// behind it or around it, and the part that it repeats.
    private static func cores(of text: String) -> Set<String> {
        let isAdded: (Character) -> Bool = { !$0.isLetter }
        let behind = String(text.reversed().drop(while: isAdded).reversed())
        var cores: Set = [text, behind, String(behind.drop(while: isAdded))]
        cores.formUnion(cores.map(repeatedPart))
        return cores.subtracting([""])
    }

    /// The shortest text that repeated makes a text. O(length × length of that), which is bounded.
    private static func repeatedPart(of text: String) -> String {
        let characters = Array(text)
        for length in 1..<max(2, characters.count / 2 + 1) where characters.count.isMultiple(of: length) {
            if characters.indices.allSatisfy({ characters[$0] == characters[$0 % length] }) {
                return String(characters.prefix(length))
            }
        }
        return text
    }
}
