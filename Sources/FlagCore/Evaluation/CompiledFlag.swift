import JSON

/// A flag ready to be evaluated: everything about its definition decided once.
///
/// Belongs to one thread (one event loop); not `Sendable`. Evaluating the common operators allocates nothing.
package final class CompiledFlag {
    /// One of a flag's values.
    package struct Variant {
        /// The name.
        package let name: String
        /// The name as a JSON string.
        package let nameJSON: [UInt8]
        /// The value.
        package let value: JSONValue
        /// The value as JSON text, numbers spelled as in the definition.
        package let valueJSON: [UInt8]
        /// The value of a boolean variant.
        package let bool: Bool?
    }

    /// The flag's key.
    package let key: String
    /// The key as a JSON string.
    package let keyJSON: [UInt8]
    /// Whether all variants are booleans.
    package let isBoolean: Bool
    /// The variants in the definition's order; an evaluation names them by index.
    package let variants: [Variant]
    /// The metadata as a JSON object; nil when there is none.
    package let metadataJSON: [UInt8]?
    /// Whether a rule reads `$flagd.timestamp`, so that the answer depends on the clock.
    package let readsTimestamp: Bool

    private let isDisabled: Bool
    private let defaultVariant: Int?
    private let hasTargeting: Bool
    private let failure: EvaluationError?

    /// Compiles a definition.
    package init(key: String, definition: FlagDefinition, fractional: FractionalVersion) {
        let flag = definition.json.objectValue ?? JSONObject()
        let variants = (flag["variants"]?.objectValue ?? JSONObject()).members.map { Variant($0.key, $0.value) }
        self.key = key
        keyJSON = JSONValue.string(key).serializedBytes()
        self.variants = variants
        isBoolean = !variants.isEmpty && variants.allSatisfy { $0.bool != nil }
        isDisabled = flag["state"] == "DISABLED"
        let defaultName = flag["defaultVariant"]?.stringValue
        defaultVariant = defaultName.flatMap { name in variants.firstIndex { $0.name == name } }
        let metadata = (flag["metadata"]?.objectValue ?? JSONObject()).members.filter { !$0.value.isNull }
        metadataJSON = metadata.isEmpty ? nil : JSONValue.object(JSONObject(metadata)).serializedBytes()
        hasTargeting = false
        readsTimestamp = false
        failure = nil
    }

    /// A flag whose stored form cannot even be read: every evaluation answers `PARSE_ERROR`.
    ///
    /// - Parameter invalid: why.
    package init(key: String, invalid: String) {
        self.key = key
        keyJSON = JSONValue.string(key).serializedBytes()
        variants = []
        isBoolean = false
        metadataJSON = nil
        readsTimestamp = false
        isDisabled = false
        defaultVariant = nil
        hasTargeting = false
        failure = EvaluationError(code: .parseError, details: invalid)
    }

    /// Evaluates the flag: kill switch, state, tenant override, targeting, default; the first that decides wins.
    ///
    /// - Parameters:
    ///   - context: for whom.
    ///   - killed: whether a kill switch, global or the flag's, is on.
    ///   - override: the tenant's override; ignored when it has expired or names no variant.
    ///   - now: the instant of the evaluation.
    package func evaluate(
        _ context: EvaluationContext, killed: Bool, override: TenantOverride?, now: Timestamp
    ) -> Evaluation {
        if killed {
            let off = isBoolean ? variants.firstIndex { $0.bool == false } : nil
            return Evaluation(variant: off, reason: .killSwitch)
        }
        if let failure { return Evaluation(error: failure) }
        if isDisabled { return Evaluation(variant: nil, reason: .disabled) }
        if let override, let variant = variant(of: override, at: now) {
            return Evaluation(variant: variant, reason: .tenantOverride)
        }
        guard let defaultVariant else { return Evaluation(variant: nil, reason: .default) }
        return Evaluation(variant: defaultVariant, reason: hasTargeting ? .default : .static)
    }

    private func variant(of override: TenantOverride, at now: Timestamp) -> Int? {
        if let expiry = override.expiresAt, expiry <= now { return nil }
        switch override.choice {
        case .enabled(let value): return isBoolean ? variants.firstIndex { $0.bool == value } : nil
        case .variant(let name): return variants.firstIndex { $0.name == name }
        }
    }
}

extension CompiledFlag.Variant {
    fileprivate init(_ name: String, _ value: JSONValue) {
        self.name = name
        nameJSON = JSONValue.string(name).serializedBytes()
        self.value = value
        valueJSON = value.serializedBytes()
        bool = value.boolValue
    }
}
