import JSON

@testable import FlagCore

/// Evaluates bare rules, whose result need not name a variant.
enum RuleRun {
    /// The rule's result; nil when evaluating fails.
    static func result(
        of rule: JSONValue, data: JSONValue = .null, flagKey: String = "flag", fractional: FractionalVersion = .v3
    ) -> JSONValue? {
        guard let compiled = Rule(rule, flagKey: flagKey, fractional: fractional),
            let document = try? JSONDocument(parsing: data.serializedBytes())
        else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { stack in
            var evaluator = RuleEvaluator(
                tables: compiled.tables, context: EvaluationContext(attributes: document.root),
                now: Timestamp(millisecondsSinceEpoch: 1_790_000_000_000),
                scratch: ScratchMemory(first: stack, limit: RuleLimits.standard.scratchBytes))
            defer { evaluator.scratch.deallocate() }
            // Data that is no object can only be reached as the data of an inner scope.
            if document.root.kind != .object { evaluator.scope = .element(Operand(document.root)) }
            let result = try? evaluator.evaluate(UnsafePointer(compiled.tables.nodes))
            return result.flatMap { try? JSONValue(parsing: evaluator.jsonText(of: $0)) }
        }
    }
}
