import CFuzzer
import FlagCore
import JSON

/// Takes the first line as a targeting rule and the rest as a context. Whatever the rule is, evaluating it ends, gives
/// the same answer again, and is explained as it was evaluated.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    guard let rule = try? JSONValue(parsing: Array(bytes[..<end])) else { return 0 }
    let tape = JSONTape()
    let context = Array(bytes[min(end + 1, bytes.count)...])
    context.withUnsafeBytes { context in
        let isContext = (try? tape.parse(context)) != nil
        let attributes = isContext ? tape.root : nil
        for version in [FractionalVersion.v2, .v3] { evaluate(rule, attributes, version) }
    }
    return 0
}

func evaluate(_ rule: JSONValue, _ attributes: JSONView?, _ version: FractionalVersion) {
    let definition = FlagDefinition(keeping: [
        "state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off", "targeting": rule,
    ])
    _ = definition.issues
    let flag = CompiledFlag(key: "fuzzed", definition: definition, fractional: version)
    let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    let context = EvaluationContext(attributes: attributes)
    let first = flag.evaluate(context, killSwitch: nil, override: nil, now: now)
    let second = flag.evaluate(context, killSwitch: nil, override: nil, now: now)
    precondition(first == second, "Two evaluations differ: \(first), \(second)")
    var run = EvaluationRun(now: now)
    let explained = flag.explain(context, killSwitch: nil, override: nil, in: &run).evaluation
    // Without constants worked out beforehand a rule may reach its bounds where it otherwise does not.
    guard explained.error?.code != .general, first.error?.code != .general else { return }
    precondition(first == explained, "Explained as \(explained), evaluated as \(first)")
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
_ = withUnsafeMutablePointer(to: &arguments) { arguments in
    arguments.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
        LLVMFuzzerRunDriver(&argumentCount, $0, testOneInput)
    }
}
