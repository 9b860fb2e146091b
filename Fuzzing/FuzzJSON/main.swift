import CFuzzer
import JSON

/// Reads any bytes as JSON. What is taken must come out as the same value when it is written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: data, count: size)
    for duplicates in [JSONParseOptions.DuplicateKeys.refuse, .lastWins] {
        var options = JSONParseOptions()
        options.duplicateKeys = duplicates
        let tape = JSONTape(options: options)
        do { try tape.parse(bytes) } catch { continue }
        let value = tape.root.materialized()
        for pretty in [false, true] {
            guard let again = try? JSONValue(parsing: value.serializedBytes(pretty: pretty), options: options) else {
                fatalError("What was written cannot be read: \(value.serialized())")
            }
            precondition(again == value, "What was written reads as another value: \(value.serialized())")
        }
    }
    return 0
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
_ = withUnsafeMutablePointer(to: &arguments) { arguments in
    arguments.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
        LLVMFuzzerRunDriver(&argumentCount, $0, testOneInput)
    }
}
