import JSON

extension RuleTables {
    /// Tables for tracing: as they were compiled, nothing folded, every operator wrapped in a `traced` node.
    ///
    /// - Parameter original: the tables of the rule as it is evaluated otherwise.
    init(tracing compiler: RuleCompiler, as original: RuleTables, in memory: RuleMemory) {
        var nodes = compiler.nodes
        for index in compiler.nodes.indices where compiler.nodes[index].operation != .constant {
            var wrapper = RuleNode(.traced)
            wrapper.firstArgument = UInt32(nodes.count)
            wrapper.argumentCount = 1
            nodes.append(compiler.nodes[index])
            nodes[index] = wrapper
        }
        self = original
        self.nodes = memory.keep(nodes)
        paths = UnsafePointer(memory.keep(compiler.paths))
        names = UnsafePointer(memory.keep(compiler.names))
    }
}

extension RuleEvaluator {
    /// Evaluates the operator that a `traced` node wraps, and records it.
    mutating func traced(_ node: UnsafePointer<RuleNode>) throws(RuleFailure) -> Operand {
        let wrapped = Int(node.pointee.firstArgument)
        tracer?.begin(wrapped)
        // What is wrapped takes its own step: the wrapper must not count.
        try step(-1)
        do throws(RuleFailure) {
            let result = try evaluate(UnsafePointer(tables.nodes) + wrapped)
            tracer?.end(result)
            return result
        } catch {
            tracer?.end(nil)
            throw error
        }
    }
}
