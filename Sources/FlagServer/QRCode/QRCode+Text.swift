extension QRCode {
    /// How many light modules readers want around the code.
    private static let border = 4

    /// The code for a terminal, two rows a line, dark on light whatever the terminal's colours are.
    var text: String {
        func isDark(_ row: Int, _ column: Int) -> Bool {
            (0..<size).contains(row) && (0..<size).contains(column) && self[row, column]
        }
        let places = -Self.border..<(size + Self.border)
        var lines = ""
        for row in stride(from: places.lowerBound, to: places.upperBound, by: 2) {
            // Black on white (ECMA-48 section 8.3.117).
            lines += "\u{1B}[30;107m"
            for column in places { lines += Self.block(isDark(row, column), isDark(row + 1, column)) }
            lines += "\u{1B}[0m\n"
        }
        return lines
    }

    /// Two modules, one above the other.
    private static func block(_ upper: Bool, _ lower: Bool) -> String {
        switch (upper, lower) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
    }
}
