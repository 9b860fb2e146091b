/// Where an evaluation finds what stands beside the flag: flags that it requires, segments that its rule names.
package protocol EvaluationSurroundings: AnyObject {
    /// The flag of a key, for the request's environment and tenant; nil when there is none.
    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag?

    /// The segment of a name in the request's environment; nil when there is none.
    func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment?
}
