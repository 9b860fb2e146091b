/// An input taken apart: one byte of choices, one with the number of cuts, two for the place of each, the message.
struct Split {
    /// Whether the limits are to be so small that short inputs reach them.
    let isTight: Bool
    let bytes: ArraySlice<UInt8>
    let pieces: [ArraySlice<UInt8>]

    init?(_ input: [UInt8]) {
        guard input.count >= 2 else { return nil }
        let cuts = Int(input[1] % 16)
        guard input.count > 2 + 2 * cuts else { return nil }
        isTight = input[0] & 1 == 1
        let bytes = input[(2 + 2 * cuts)...]
        self.bytes = bytes
        if input[0] & 2 == 2 {
            pieces = bytes.indices.map { bytes[$0...$0] }
        } else {
            let places = (0..<cuts).map { cut in
                bytes.startIndex + (Int(input[2 + 2 * cut]) << 8 | Int(input[3 + 2 * cut])) % bytes.count
            }
            let bounds = [bytes.startIndex] + places.sorted() + [bytes.endIndex]
            pieces = zip(bounds, bounds.dropFirst()).map { bytes[$0..<$1] }
        }
    }
}
