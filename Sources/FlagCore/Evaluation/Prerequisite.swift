import Bytes
import JSON

/// Another flag's variant without which a flag answers its default.
package struct Prerequisite: Sendable, Equatable {
    /// The other flag.
    package let flagKey: String
    /// The variant that it must answer.
    package let variant: String

    /// How many a flag may have.
    package static let maximum = 20
    /// How many flags may require each other in a row: what is deeper fails, and with it what makes a circle.
    package static let depthMaximum = 16

    /// Reads and checks the member `requires` of a flag.
    ///
    /// - Parameter pointer: where it stands.
    /// - Throws: everything that is wrong with it.
    package static func list(
        validating json: JSONValue, at pointer: JSONPointer
    ) throws(DefinitionIssues) -> [Prerequisite] {
        var issues: [DefinitionIssue] = []
        func report(_ place: JSONPointer, _ message: String) {
            issues.append(DefinitionIssue(pointer: place.description, message: message))
        }
        var list: [Prerequisite] = []
        guard let elements = json.arrayValue, elements.count <= maximum else {
            report(pointer, "must be an array of at most \(maximum) objects with flagKey and variant")
            throw DefinitionIssues(issues: issues)
        }
        for (index, element) in elements.enumerated() {
            let place = pointer.appending(index)
            guard let object = element.objectValue else {
                report(place, "must be an object with flagKey and variant")
                continue
            }
            let flagKey = object["flagKey"]?.stringValue ?? ""
            let variant = object["variant"]?.stringValue ?? ""
            if flagKey.isEmpty { report(place.appending("flagKey"), "must be the key of a flag") }
            if variant.isEmpty { report(place.appending("variant"), "must be the name of one of the flag's variants") }
            for (name, _) in object.members where name != "flagKey" && name != "variant" {
                report(place.appending(name), "is not a member that is known here")
            }
            if list.contains(where: { $0.flagKey.utf8.elementsEqual(flagKey.utf8) }) {
                report(place.appending("flagKey"), "is named twice")
            }
            list.append(Prerequisite(flagKey: flagKey, variant: variant))
        }
        guard issues.isEmpty else { throw DefinitionIssues(issues: issues) }
        return list
    }
}

/// What one prerequisite needs of another flag.
package struct RequiredFlag {
    /// The flag.
    let flag: CompiledFlag
    /// The kill switch that takes it away; nil when none does.
    let killSwitch: KillSwitchKind?
    /// The tenant's override of it.
    let override: TenantOverride?

    /// A flag as it is for the request.
    package init(flag: CompiledFlag, killSwitch: KillSwitchKind?, override: TenantOverride?) {
        self.flag = flag
        self.killSwitch = killSwitch
        self.override = override
    }
}

extension CompiledFlag {
    /// A prerequisite, its names as bytes that stay where they are.
    struct Requirement {
        let prerequisite: Prerequisite
        let key: UnsafeRawBufferPointer
        let variant: UnsafeRawBufferPointer
    }

    /// The first prerequisite that does not hold; nil when all do.
    ///
    /// - Parameter validUntil: becomes earlier where a rollout may change what was found.
    @inline(never)
    func firstUnmet(
        _ context: EvaluationContext, _ run: inout EvaluationRun, _ validUntil: inout Timestamp?
    ) -> UnmetRequirement? {
        run.depth += 1
        defer {
            run.depth -= 1
            if run.depth == 0 { run.isTooDeep = false }
        }
        for requirement in requirements {
            // Each counts as some steps, so that flags which require many others cannot take for ever.
            run.spend(16)
            if run.depth > Prerequisite.depthMaximum || run.remainingSteps == 0 { run.isTooDeep = true }
            guard !run.isTooDeep, let required = run.surroundings?.requiredFlag(requirement.key) else {
                return UnmetRequirement(requirement: requirement)
            }
            let evaluation = required.flag.evaluate(
                context, killSwitch: required.killSwitch, override: required.override, in: &run)
            if let instant = evaluation.validUntil { validUntil = min(validUntil ?? instant, instant) }
            guard !run.isTooDeep else { return UnmetRequirement(requirement: requirement) }
            guard let variant = evaluation.variant,
                required.flag.names[variant].hasSameBytes(as: requirement.variant)
            else { return UnmetRequirement(requirement: requirement, found: evaluation, flag: required.flag) }
        }
        return nil
    }
}

/// What another flag must answer and does not.
struct UnmetRequirement {
    let requirement: CompiledFlag.Requirement
    /// What the other flag answers; nil when there is no such flag, or it is too far away.
    var found: Evaluation?
    /// The other flag.
    var flag: CompiledFlag?
}
