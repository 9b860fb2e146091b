/// A text as a QR code (ISO/IEC 18004): in byte mode, with error correction of level L, of the versions 1 to 9, which
/// hold 230 bytes.
struct QRCode {
    /// How many modules there are on a side.
    let size: Int
    /// The modules, row by row; true is dark.
    private(set) var modules: [Bool]
    /// Those that are not for data: patterns, and what tells of the code itself.
    private var reserved: [Bool]

    /// What a version has at level L (tables 7 and 9).
    private struct Version {
        let number: Int
        let codewords: Int
        let correctionPerBlock: Int
        let blocks: Int
        /// Centres of alignment patterns, on both axes (annex E).
        let alignment: [Int]

        var dataCodewords: Int { codewords - correctionPerBlock * blocks }

        static let all = [
            Version(number: 1, codewords: 26, correctionPerBlock: 7, blocks: 1, alignment: []),
            Version(number: 2, codewords: 44, correctionPerBlock: 10, blocks: 1, alignment: [6, 18]),
            Version(number: 3, codewords: 70, correctionPerBlock: 15, blocks: 1, alignment: [6, 22]),
            Version(number: 4, codewords: 100, correctionPerBlock: 20, blocks: 1, alignment: [6, 26]),
            Version(number: 5, codewords: 134, correctionPerBlock: 26, blocks: 1, alignment: [6, 30]),
            Version(number: 6, codewords: 172, correctionPerBlock: 18, blocks: 2, alignment: [6, 34]),
            Version(number: 7, codewords: 196, correctionPerBlock: 20, blocks: 2, alignment: [6, 22, 38]),
            Version(number: 8, codewords: 242, correctionPerBlock: 24, blocks: 2, alignment: [6, 24, 42]),
            Version(number: 9, codewords: 292, correctionPerBlock: 30, blocks: 2, alignment: [6, 26, 46]),
        ]
    }

    /// The code of a text; nil for one that is too long.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        // Mode and length take 12 bits.
        guard let version = Version.all.first(where: { bytes.count + 2 <= $0.dataCodewords }) else { return nil }
        size = 17 + 4 * version.number
        modules = Array(repeating: false, count: size * size)
        reserved = modules
        drawPatterns(version)
        draw(QRCode.codewords(bytes, version))
        let blank = self
        var least = Int.max
        for mask in 0..<8 {
            var candidate = blank
            candidate.apply(mask: mask)
            let penalty = candidate.penalty
            if penalty < least { (modules, least) = (candidate.modules, penalty) }
        }
    }

    /// Whether a module is dark.
    subscript(row: Int, column: Int) -> Bool { modules[row * size + column] }

    // MARK: - Data

    /// All codewords in the order in which they are drawn: those of the blocks taken in turn (section 7.6).
    private static func codewords(_ bytes: [UInt8], _ version: Version) -> [UInt8] {
        // Mode 0100, then the length in 8 bits, then the bytes, then 0000: all four bits off the byte's border.
        var data: [UInt8] = []
        var rest: UInt8 = 0b0100
        for byte in [UInt8(bytes.count)] + bytes {
            data.append(rest << 4 | byte >> 4)
            rest = byte & 0xF
        }
        data.append(rest << 4)
        let padding: [UInt8] = [0xEC, 0x11]
        for index in 0..<(version.dataCodewords - data.count) { data.append(padding[index % 2]) }
        let length = version.dataCodewords / version.blocks
        let blocks = (0..<version.blocks).map { Array(data[($0 * length)..<(($0 + 1) * length)]) }
        let corrections = blocks.map { ReedSolomon.remainder(of: $0, count: version.correctionPerBlock) }
        return (0..<length).flatMap { place in blocks.map { $0[place] } }
            + (0..<version.correctionPerBlock).flatMap { place in corrections.map { $0[place] } }
    }

    /// Draws codewords in columns of two from the right, up and down in turn (section 7.7.3).
    private mutating func draw(_ codewords: [UInt8]) {
        var bits: [Bool] = codewords.flatMap { word in (0..<8).map { word >> (7 - UInt8($0)) & 1 == 1 } }.reversed()
        var goesUp = true
        for right in [stride(from: size - 1, to: 6, by: -2), stride(from: 5, to: 0, by: -2)].joined() {
            for step in 0..<size {
                let row = goesUp ? size - 1 - step : step
                for column in [right, right - 1] where !reserved[row * size + column] {
                    modules[row * size + column] = bits.popLast() ?? false
                }
            }
            goesUp.toggle()
        }
    }

    // MARK: - Patterns

    private mutating func set(_ row: Int, _ column: Int, _ isDark: Bool) {
        guard (0..<size).contains(row), (0..<size).contains(column) else { return }
        modules[row * size + column] = isDark
        reserved[row * size + column] = true
    }

    /// Everything that is the same whatever the text is (section 6.3).
    private mutating func drawPatterns(_ version: Version) {
        for place in 0..<size {
            set(6, place, place.isMultiple(of: 2))
            set(place, 6, place.isMultiple(of: 2))
        }
        for (row, column) in [(3, 3), (3, size - 4), (size - 4, 3)] { drawSquares(row, column, 4, light: [2, 4]) }
        for row in version.alignment {
            for column in version.alignment where !isFinder(row, column) {
                drawSquares(row, column, 2, light: [1])
            }
        }
        drawFormat(mask: 0)
        guard version.number >= 7 else { return }
        let word = QRCode.protected(version.number, bits: 12, by: 0x1F25)
        for bit in 0..<18 {
            let isDark = word >> bit & 1 == 1
            set(bit / 3, size - 11 + bit % 3, isDark)
            set(size - 11 + bit % 3, bit / 3, isDark)
        }
    }

    private func isFinder(_ row: Int, _ column: Int) -> Bool {
        (row < 9 || row > size - 10) && (column < 9 || column > size - 10) && !(row > size - 10 && column > size - 10)
    }

    /// Squares around a centre, dark but for some distances.
    private mutating func drawSquares(_ row: Int, _ column: Int, _ reach: Int, light: [Int]) {
        for down in -reach...reach {
            for across in -reach...reach {
                set(row + down, column + across, !light.contains(max(abs(down), abs(across))))
            }
        }
    }

    /// What tells of level and mask (section 7.9), twice, and the module that is always dark.
    private mutating func drawFormat(mask: Int) {
        let levelL = 1
        let word = QRCode.protected(levelL << 3 | mask, bits: 10, by: 0x537) ^ 0x5412
        for bit in 0..<15 {
            let isDark = word >> bit & 1 == 1
            let down = bit < 6 ? bit : bit < 8 ? bit + 1 : size - 15 + bit
            let left = bit < 8 ? size - 1 - bit : bit == 8 ? 7 : 14 - bit
            set(down, 8, isDark)
            set(8, left, isDark)
        }
        set(size - 8, 8, true)
    }

    /// A number with the remainder behind it of its division by a polynomial (annexes C and D).
    private static func protected(_ number: Int, bits: Int, by polynomial: Int) -> Int {
        let rest = (0..<bits).reduce(number) { rest, _ in rest << 1 ^ (rest >> (bits - 1) & 1) * polynomial }
        return number << bits | rest
    }

    // MARK: - Masks

    private mutating func apply(mask: Int) {
        drawFormat(mask: mask)
        for row in 0..<size {
            for column in 0..<size where !reserved[row * size + column] {
                modules[row * size + column] = self[row, column] != QRCode.isTurned(mask, row, column)
            }
        }
    }

    /// Table 10.
    private static func isTurned(_ mask: Int, _ row: Int, _ column: Int) -> Bool {
        let product = row * column
        return switch mask {
        case 0: (row + column) % 2 == 0
        case 1: row % 2 == 0
        case 2: column % 3 == 0
        case 3: (row + column) % 3 == 0
        case 4: (row / 2 + column / 3) % 2 == 0
        case 5: product % 2 + product % 3 == 0
        case 6: (product % 2 + product % 3) % 2 == 0
        default: ((row + column) % 2 + product % 3) % 2 == 0
        }
    }

    /// How hard the code is to read (section 7.8.3.1).
    private var penalty: Int {
        let rows = (0..<size).map { row in (0..<size).map { self[row, $0] } }
        let columns = (0..<size).map { column in (0..<size).map { self[$0, column] } }
        var penalty = (rows + columns).reduce(0) { $0 + QRCode.penalty(ofLine: $1) }
        for row in 1..<size {
            for column in 1..<size {
                let above = rows[row - 1][(column - 1)...column]
                let square = Set(rows[row][(column - 1)...column]).union(above)
                if square.count == 1 { penalty += 3 }
            }
        }
        let dark = modules.count { $0 }
        return penalty + abs(dark * 100 / modules.count - 50) / 5 * 10
    }

    private static let finder = [true, false, true, true, true, false, true]

    private static func penalty(ofLine line: [Bool]) -> Int {
        var penalty = 0
        var run = 0
        for (place, module) in line.enumerated() {
            run = place > 0 && line[place - 1] == module ? run + 1 : 1
            penalty += run == 5 ? 3 : run > 5 ? 1 : 0
        }
        for place in 0...(line.count - finder.count) where line[place..<(place + finder.count)].elementsEqual(finder) {
            let before = line[max(0, place - 4)..<place]
            let after = line[(place + finder.count)..<min(line.count, place + finder.count + 4)]
            if !before.contains(true) || !after.contains(true) { penalty += 40 }
        }
        return penalty
    }
}
