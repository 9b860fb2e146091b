import Bytes
import JSON

/// A flag ready to be evaluated: everything about its definition decided once.
///
/// Belongs to one thread (one event loop); not `Sendable`. Evaluating the common operators allocates nothing.
package final class CompiledFlag {
    /// One of a flag's values.
    package struct Variant {
        /// The name.
        package let name: String
        /// The value.
        package let value: JSONValue
        /// The value of a boolean variant.
        package let bool: Bool?
    }

    // What an evaluation among many reads stands first, close together.

    /// The tables of the rule that decides all by itself (`isDecidedByRule`).
    let decidingTables: RuleTables?
    /// The variants' names as bytes that stay where they are.
    let names: UnsafeBufferPointer<UnsafeRawBufferPointer>
    /// Whether it is a simple flag with a rollout: its rule is `SPLIT` where others are `TARGETING_MATCH`.
    package let isRollout: Bool
    /// Whether evaluating it takes required flags or segments: what `EvaluationSurroundings` gives.
    package let needsSurroundings: Bool
    /// What answers are made of.
    package let texts: AnswerTexts

    /// The flag's key.
    package let key: String
    /// Whether all variants are booleans.
    package let isBoolean: Bool
    /// The variants in the definition's order; an evaluation names them by index.
    package let variants: [Variant]
    /// When the flag should be gone: never changes what is served.
    package let expiresAt: Timestamp?
    /// Whether a key that lies in a browser or an app may evaluate it. Stored beside the rest, so that asking it of
    /// every flag of a bulk answer costs one load.
    package let isClientSide: Bool
    private let metadata: FlagMetadata
    /// What was made last of the metadata while a kill switch was on.
    private var killedMetadata: (killSwitch: KillSwitchKind, isStale: Bool, json: [UInt8])?
    /// Whether a rule reads `$flagd.timestamp`, so that the answer depends on the clock.
    package let readsTimestamp: Bool
    /// Whether a rollout may change answers with time; such an answer's `validUntil` says when.
    package let followsClock: Bool

    /// Whether the rule names segments.
    package var namesSegments: Bool { rule?.namesSegments ?? false }

    /// What other flags must answer.
    let requirements: [Requirement]
    private let memory = RuleMemory()
    let isDisabled: Bool
    let defaultVariant: Int?
    let rule: Rule?
    /// Which variants targeting means when it comes to `true` and `false`.
    let booleanVariants: (true: Int?, false: Int?)
    let failure: EvaluationError?

    /// Compiles a definition.
    ///
    /// - Parameters:
    ///   - rollout: the rollout of a simple flag, which stands in the place of targeting.
    ///   - requires: what other flags must answer; otherwise the default is answered.
    ///   - expiresAt: when the flag should be gone; its metadata says so from then on.
    ///   - isClientSide: whether a key in a browser or an app may evaluate it; its metadata says so.
    package init(
        key: String, definition: FlagDefinition, fractional: FractionalVersion, rollout: RolloutPlan? = nil,
        requires: [Prerequisite] = [], expiresAt: Timestamp? = nil, isClientSide: Bool = false
    ) {
        let flag = definition.json.objectValue ?? JSONObject()
        let variants = (flag["variants"]?.objectValue ?? JSONObject()).members.map { Variant($0.key, $0.value) }
        self.key = key
        self.variants = variants
        names = memory.keep(names: variants)
        requirements = requires.map { [memory] prerequisite in
            Requirement(
                prerequisite: prerequisite, key: memory.keep(utf8: prerequisite.flagKey),
                variant: memory.keep(utf8: prerequisite.variant))
        }
        isBoolean = !variants.isEmpty && variants.allSatisfy { $0.bool != nil }
        isDisabled = flag["state"] == "DISABLED"
        let defaultName = flag["defaultVariant"]?.stringValue
        defaultVariant = defaultName.flatMap { name in variants.firstIndex { $0.name.isExactly(name) } }
        let own = (flag["metadata"]?.objectValue ?? JSONObject()).members.filter { !$0.value.isNull }
        let metadata = FlagMetadata.members(JSONObject(own), isClientSide: isClientSide)
        self.expiresAt = expiresAt
        self.isClientSide = isClientSide
        booleanVariants = (
            variants.firstIndex { $0.name == "true" }, variants.firstIndex { $0.name == "false" }
        )
        let targeting = rollout?.rule ?? flag["targeting"].flatMap { $0.objectValue?.isEmpty == false ? $0 : nil }
        rule = targeting.flatMap { Rule($0, flagKey: key, fractional: fractional, rollout: rollout) }
        needsSurroundings = !requires.isEmpty || (rule?.namesSegments ?? false)
        isRollout = rollout != nil
        followsClock = rollout?.rollout.followsClock ?? false
        readsTimestamp = rule?.readsTimestamp ?? false
        let isUnreadable = targeting != nil && rule == nil
        let problem = definition.fatalIssue?.description ?? (isUnreadable ? "the targeting rule cannot be read" : nil)
        failure = problem.map { EvaluationError(code: .parseError, details: $0) }
        let isConstant =
            problem == nil && !isDisabled && requires.isEmpty && targeting == nil && rollout == nil && expiresAt == nil
        decidingTables = problem == nil && !isDisabled && requires.isEmpty ? rule?.tables : nil
        texts = AnswerTexts(
            key: key, variants: variants, metadata: metadata, constant: isConstant ? defaultVariant : nil,
            choosing: rule == nil ? nil : isRollout ? .split : .targetingMatch, in: memory)
        self.metadata = FlagMetadata(metadata, texts.metadata, expiresAt: expiresAt)
    }

    /// A flag whose stored form cannot even be read: every evaluation answers `PARSE_ERROR`.
    ///
    /// - Parameters:
    ///   - invalid: why.
    ///   - isClientSide: as for any flag: who may ask for it does not depend on whether it can be read.
    package init(key: String, invalid: String, isClientSide: Bool = false) {
        let members = FlagMetadata.members(JSONObject(), isClientSide: isClientSide)
        self.key = key
        self.isClientSide = isClientSide
        texts = AnswerTexts(key: key, variants: [], metadata: members, constant: nil, choosing: nil, in: memory)
        variants = []
        names = memory.keep(names: [])
        decidingTables = nil
        requirements = []
        isBoolean = false
        expiresAt = nil
        metadata = FlagMetadata(members, texts.metadata, expiresAt: nil)
        readsTimestamp = false
        followsClock = false
        needsSurroundings = false
        isRollout = false
        isDisabled = false
        defaultVariant = nil
        rule = nil
        booleanVariants = (nil, nil)
        failure = EvaluationError(code: .parseError, details: invalid)
    }

    /// The metadata as a JSON object where it is not just what the flag always has (`texts.metadata`, which nil stands
    /// for): with `"stale": true` once it is past its date, and with the name of the kill switch that takes it away. A
    /// member of its own that is named like one of these gives way.
    package func changedMetadataJSON(at now: Timestamp, killSwitch: KillSwitchKind?) -> [UInt8]? {
        let isStale = expiresAt.map { $0 <= now } ?? false
        guard let killSwitch else { return metadata.json(isStale: isStale) }
        if let killedMetadata, killedMetadata.killSwitch == killSwitch, killedMetadata.isStale == isStale {
            return killedMetadata.json
        }
        let json = metadata.json(isStale: isStale, killSwitch: killSwitch)
        killedMetadata = (killSwitch, isStale, json)
        return json
    }

    /// The value of an evaluation as JSON text; nil when it has none: the caller's own default applies.
    ///
    /// A killed boolean flag is false also when no variant of it is.
    package func valueJSON(of evaluation: Evaluation) -> UnsafeRawBufferPointer? {
        if let variant = evaluation.variant { return texts.variants[variant].value }
        guard isBoolean, evaluation.reason.killSwitch != nil else { return nil }
        return UnsafeRawBufferPointer(start: Self.off.utf8Start, count: Self.off.utf8CodeUnitCount)
    }

    /// Whether an evaluation enables what the flag guards: the value of a boolean flag, of others whether there is one.
    package func isEnabled(by evaluation: Evaluation) -> Bool {
        evaluation.variant.map { !isBoolean || variants[$0].bool == true } ?? false
    }

    private static var off: StaticString { "false" }

    func variant(of override: TenantOverride, at now: Timestamp) -> Int? {
        if let expiry = override.expiresAt, expiry <= now { return nil }
        switch override.choice {
        case .enabled(let value): return isBoolean ? variants.firstIndex { $0.bool == value } : nil
        case .variant(let name): return variants.firstIndex { $0.name.isExactly(name) }
        }
    }
}

extension RuleMemory {
    /// Copies of variants' names at fixed addresses.
    fileprivate func keep(names variants: [CompiledFlag.Variant]) -> UnsafeBufferPointer<UnsafeRawBufferPointer> {
        UnsafeBufferPointer(start: keep(variants.map { keep(utf8: $0.name) }), count: variants.count)
    }
}

extension CompiledFlag.Variant {
    fileprivate init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
        bool = value.boolValue
    }
}
