import CFuzzer

/// Takes the first bytes as where to split the others (see `Split`), and these as what comes on a connection. However
/// they are split, they come to the same requests and faults, and nothing is read beyond what has come.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    guard let split = Split(input) else { return 0 }
    let wire = split.isTight ? Wire.tight : .roomy
    let whole = wire.transcript([split.bytes])
    let pieces = wire.transcript(split.pieces)
    precondition(whole == pieces, "Whole:\n\(whole.joined(separator: "\n"))\nSplit:\n\(pieces.joined(separator: "\n"))")
    return 0
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
_ = withUnsafeMutablePointer(to: &arguments) { arguments in
    arguments.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
        LLVMFuzzerRunDriver(&argumentCount, $0, testOneInput)
    }
}
