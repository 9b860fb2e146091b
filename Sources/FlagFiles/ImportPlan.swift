import Bytes
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// What an import would do, decided before anything is written: a dry run prints it, an import applies it.
package struct ImportPlan: Sendable {
    /// What happens to what exists.
    package enum Mode: String, Sendable, CaseIterable {
        /// What exists stays as it is, whatever the file says.
        case createOnly = "create-only"
        /// What exists and is in the file becomes as the file says; the rest stays.
        case merge
        /// As merge, and what exists and is not in the file is removed: flags with their overrides; segments, overrides
        /// and kill switches only when the file speaks of them.
        case replace
    }

    /// Something that is there and will be otherwise.
    package struct Change<Record: Sendable>: Sendable {
        /// As it is.
        package let old: Record
        /// As it will be.
        package let new: Record
        /// The members of its JSON that differ.
        package let members: [String]
        /// What must still hold of its item when it is changed; nil for nothing.
        var condition: Condition?
    }

    /// What becomes of one kind of thing.
    package struct Difference<Record: Sendable>: Sendable {
        /// What will be new.
        package internal(set) var created: [Record] = []
        /// What will be otherwise.
        package internal(set) var changed: [Change<Record>] = []
        /// What will be gone.
        package internal(set) var removed: [Record] = []
        /// How many are as the file says already.
        package internal(set) var unchanged = 0
        /// How many are otherwise than the file says and stay so (`create-only`).
        package internal(set) var skipped = 0

        /// Whether nothing is to be done.
        package var isEmpty: Bool { count == 0 }

        /// How many records are to be written or removed.
        var count: Int { created.count + changed.count + removed.count }

        /// Whether neither the file nor the store has any.
        var isAboutNothing: Bool { isEmpty && unchanged == 0 && skipped == 0 }
    }

    /// Where the import goes.
    package let environment: Environment
    /// What happens to what exists.
    package let mode: Mode
    /// Segments with their keys; nil when the file does not speak of them.
    package internal(set) var segments: Difference<SegmentContent>?
    /// Flags.
    package internal(set) var flags = Difference<FlagRecord>()
    /// Overrides. Those of removed flags go with the flag and are not listed.
    package internal(set) var overrides = Difference<TenantOverrideRecord>()
    /// Kill switches.
    package internal(set) var killSwitches = Difference<KillSwitchRecord>()
    /// What is wrong with overrides that are to be stored all the same; at most 1,000.
    package let kept: [DefinitionIssue]
    /// The flags whose kill switches the file wants: they do not end with a flag that is removed.
    let namedKillSwitches: Set<ExactText>

    /// Whether nothing is to be done.
    package var isEmpty: Bool {
        segments?.isEmpty ?? true && flags.isEmpty && overrides.isEmpty && killSwitches.isEmpty
    }

    /// Compares a file with what is stored. Blocks; O(file), and O(stored) to replace.
    ///
    /// - Parameters:
    ///   - document: the file.
    ///   - mode: what happens to what exists.
    ///   - stored: what is stored where it goes. What the file says of environments only has to agree with itself: a
    ///     file from one environment may be imported into another.
    ///   - now: the time of what the file gives no time.
    ///   - progress: may stop the comparison.
    /// - Throws: `invalid` for what refers to flags or segments that neither exist nor are in the file, and for
    ///   contradictions about the environment; `stopped`; `unavailable`.
    package init(
        _ document: ImportDocument, mode: Mode, over stored: FlagReader, now: Timestamp,
        _ progress: WorkProgress = WorkProgress()
    ) throws(FlagStoreError) {
        self.mode = mode
        environment = stored.environment
        var planner = ImportPlanner(
            document: document, mode: mode, stored: stored, now: now,
            progress: progress)
        segments = try planner.planSegments()
        flags = try planner.planFlags()
        overrides = try planner.planOverrides(after: flags)
        killSwitches = try planner.planKillSwitches(removedFlags: flags.removed)
        namedKillSwitches = Set((document.killSwitches ?? []).compactMap { $0.flagKey.map { ExactText($0) } })
        guard planner.issues.isEmpty else { throw .invalid(planner.issues) }
        kept = planner.kept
    }

    /// The plan as text, one line for each thing that will change, and a summary.
    ///
    /// - Parameter limit: lines at most; what is left out is counted.
    package func lines(limit: Int = 1_000) -> [String] {
        var lines: [String] = []
        if let segments {
            lines += segments.created.map { "+ segment \($0.record.name)" }
            lines += segments.changed.map { "~ segment \($0.new.record.name): \($0.members.joined(separator: ", "))" }
            lines += segments.removed.map { "- segment \($0.record.name)" }
        }
        lines += flags.created.map { "+ flag \($0.key)" }
        lines += flags.changed.map { "~ flag \($0.new.key): \($0.members.joined(separator: ", "))" }
        lines += flags.removed.map { "- flag \($0.key)" }
        lines += overrides.created.map { "+ override \($0.name)" }
        lines += overrides.changed.map { "~ override \($0.new.name): \($0.members.joined(separator: ", "))" }
        lines += overrides.removed.map { "- override \($0.name)" }
        lines += killSwitches.created.map { "+ kill switch \($0.name)" }
        lines += killSwitches.changed.map { "~ kill switch \($0.new.name): \($0.members.joined(separator: ", "))" }
        lines += killSwitches.removed.map { "- kill switch \($0.name)" }
        if lines.count > limit {
            let more = lines.count - limit
            lines.removeLast(more)
            lines.append("… and \(more) more")
        }
        return lines + summaries
    }

    /// The counts, a line for each kind of thing.
    package var summaries: [String] {
        let aboutSegments = segments.flatMap { $0.isAboutNothing ? nil : $0.summary("segments") }
        return (aboutSegments.map { [$0] } ?? []) + [
            flags.summary("flags"), overrides.summary("overrides"), killSwitches.summary("kill switches"),
        ]
    }
}

extension ImportPlan.Difference {
    /// The counts in one line.
    fileprivate func summary(_ name: String) -> String {
        let parts = [
            "\(created.count) created", "\(changed.count) changed", "\(removed.count) removed",
            "\(unchanged) unchanged",
        ]
        return "\(name): " + (parts + (skipped > 0 ? ["\(skipped) left as they are"] : [])).joined(separator: ", ")
    }
}

extension TenantOverrideRecord {
    fileprivate var name: String { "\(flagKey) for \(tenant)" }
}

extension KillSwitchRecord {
    fileprivate var name: String { flagKey ?? "of all flags" }
}
