import Bytes
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Compares a file with what is stored.
struct ImportPlanner {
    let document: ImportDocument
    let mode: ImportPlan.Mode
    /// What is stored, and where.
    let stored: FlagReader
    let now: Timestamp
    /// May stop the comparison.
    let progress: WorkProgress
    /// What is wrong and is to be stored all the same.
    var kept: [DefinitionIssue] = []
    /// What speaks against the import.
    var issues: [DefinitionIssue] = []

    /// The segments as they will be, as far as the file changes them: the places that they name; nil for those that
    /// will be gone.
    var segments: [ExactText: [SegmentReference]?] = [:]
    /// Whether segments will be gone.
    var removesSegments = false

    /// Keys that are read at once.
    private static let keysPerRead = 256
    /// How many missing flags are listed.
    private static let issuesMaximum = 1_000

    /// Where the import goes.
    var environment: Environment { stored.environment }

    // MARK: - Flags

    mutating func planFlags() throws(FlagStoreError) -> ImportPlan.Difference<FlagRecord> {
        var difference = ImportPlan.Difference<FlagRecord>()
        for (index, flag) in document.flags.enumerated() {
            try progress.check()
            checkEnvironment(flag.draft.environment, at: JSONPointer().appending("flags").appending(index))
            let item = try stored.flagItem(flag.draft.key)
            guard let item else {
                difference.created.append(newRecord(flag.draft))
                checkSize(of: difference.created.last, at: index)
                continue
            }
            let reading = FlagRecord.reading(item, environment: environment, key: flag.draft.key, at: now)
            let old = reading.record
            let new = try changedRecord(flag, old: old)
            let members = reading.membersThatDiffer(old.membersThatDiffer(from: new))
            if members.isEmpty {
                difference.unchanged += 1
            } else if mode == .createOnly {
                difference.skipped += 1
            } else {
                difference.changed.append(
                    ImportPlan.Change(old: old, new: new, members: members, condition: .isAtVersion(of: item)))
                checkSize(of: new, at: index)
            }
        }
        if mode == .replace { difference.removed = try flagsThatAreNotInFile() }
        try checkRequirements(difference)
        try checkSegments(of: difference)
        return difference
    }

    /// Checks what flags require on what will be there after the import.
    private mutating func checkRequirements(
        _ difference: ImportPlan.Difference<FlagRecord>
    ) throws(FlagStoreError) {
        let written = difference.created + difference.changed.map(\.new)
        try checkLostVariants(difference)
        guard written.contains(where: { $0.rule.requires != nil }) || !difference.removed.isEmpty else { return }
        let rules = Dictionary(written.map { (ExactText($0.key), $0.rule) }) { _, last in last }
        let removed = Set(difference.removed.map { ExactText($0.key) })
        let archived = Set(written.filter(\.isArchived).map { ExactText($0.key) })
        // Nobody is served one that was put away; what was put away itself may wait for it.
        func check(countingArchived: Bool) -> RequirementCheck {
            RequirementCheck { [stored] key throws(FlagStoreError) in
                let name = ExactText(key)
                guard countingArchived || !archived.contains(name), !removed.contains(name) else { return nil }
                if let rule = rules[name] { return rule }
                return try stored.flagItem(key).flatMap { item in
                    FlagRecord.isArchived(item) && !countingArchived ? nil : FlagRule(item)
                }
            }
        }
        let (ofServed, ofArchived) = (check(countingArchived: false), check(countingArchived: true))
        // When flags will be gone, what did not change may require one of them.
        for (index, flag) in document.flags.enumerated()
        where !removed.isEmpty || rules[ExactText(flag.draft.key)] != nil {
            guard let rule = try ofArchived.rule(flag.draft.key), rule.requires != nil else { continue }
            let check = archived.contains(ExactText(flag.draft.key)) ? ofArchived : ofServed
            issues += try check.issues(
                of: flag.draft.key, rule, at: JSONPointer().appending("flags").appending(index))
        }
    }

    /// Checks that no flag loses a variant which another one requires, and goes on requiring.
    private mutating func checkLostVariants(
        _ difference: ImportPlan.Difference<FlagRecord>
    ) throws(FlagStoreError) {
        let others = Set((difference.removed + difference.changed.map(\.new)).map { ExactText($0.key) })
        var changed = difference.changed[...]
        for (index, flag) in document.flags.enumerated() {
            // They stand in the order of the file.
            guard let change = changed.first, ExactText(change.new.key) == ExactText(flag.draft.key) else { continue }
            changed.removeFirst()
            issues += try stored.lostVariants(
                of: change.new, replacing: change.old.rule, at: JSONPointer().appending("flags").appending(index),
                besides: others)
        }
    }

    /// A flag that does not exist yet: with the times and the version of the file, so that an export is restored as it
    /// was.
    private func newRecord(_ draft: FlagDraft) -> FlagRecord {
        let createdAt = draft.createdAt ?? now
        return draft.record(
            in: environment, createdAt: createdAt, updatedAt: max(draft.updatedAt ?? now, createdAt),
            version: draft.version ?? 1)
    }

    /// A flag that exists, as the file wants it; what the file does not say stays.
    private func changedRecord(_ flag: ImportedFlag, old: FlagRecord) throws(FlagStoreError) -> FlagRecord {
        var new = flag.draft.record(
            in: environment, createdAt: old.createdAt, updatedAt: max(now, old.updatedAt),
            version: RecordVersion.next(after: old.version))
        // flagd's format has no prerequisites.
        if !flag.isComplete { new.rule.requires = old.rule.requires }
        var isSame = new.rule.isEquivalent(to: old.rule)
        if !isSame, !flag.isComplete { isSame = try isFlagdForm(of: old, new.rule) }
        if isSame { new.rule = old.rule }
        if !flag.saysOwner { new.owner = old.owner }
        if !flag.saysDescription { new.description = old.description }
        if !flag.saysClientSide { new.isClientSide = old.isClientSide }
        if !flag.isComplete {
            new.expiresAt = old.expiresAt
            new.tags = old.tags
            new.isArchived = old.isArchived
            new.approvals = old.approvals
        }
        return new
    }

    /// Whether `rule` is what an export in flagd's format makes of a flag, or says the same in the full spelling.
    private func isFlagdForm(of flag: FlagRecord, _ rule: FlagRule) throws(FlagStoreError) -> Bool {
        guard case .full(let text) = rule.spelling, let json = try? JSONValue(parsing: text) else { return false }
        if json == (try? flag.rule.definition())?.json { return true }
        let form = try FlagdForm(flag, segmentsIn: stored).definition
        return json == ClientSideMetadata.removed(from: form)
    }

    private func flagsThatAreNotInFile() throws(FlagStoreError) -> [FlagRecord] {
        let keys = Set(document.flags.map { ExactText($0.draft.key) })
        var removed: [FlagRecord] = []
        try stored.forEachFlag { record in
            // flagd's format has no word for what was put away, and leaves it out.
            if record.isArchived, document.format == .flagd { return }
            if !keys.contains(ExactText(record.key)) { removed.append(record) }
        }
        return removed
    }

    // MARK: - Overrides

    mutating func planOverrides(
        after flags: ImportPlan.Difference<FlagRecord>
    ) throws(FlagStoreError) -> ImportPlan.Difference<TenantOverrideRecord> {
        var difference = ImportPlan.Difference<TenantOverrideRecord>()
        guard let drafts = document.overrides else { return difference }
        try checkFlags(of: drafts, removedFlags: flags.removed)
        guard issues.isEmpty else { return difference }
        var choices = OverrideChoices(after: flags, of: stored)
        // Asking for a million overrides that are not there costs more than finding out that none is.
        if mode != .replace, try !hasOverrides() {
            for (index, draft) in drafts.enumerated() {
                if index.isMultiple(of: ImportPlanner.keysPerRead) { try progress.check() }
                try checkChoice(of: draft, at: index, &choices)
            }
            difference.created = drafts.map { record($0) }
            sortByTable(&difference.created)
            return difference
        }
        for start in stride(from: 0, to: drafts.count, by: ImportPlanner.keysPerRead) {
            try progress.check()
            let slice = drafts[start..<min(drafts.count, start + ImportPlanner.keysPerRead)]
            let records = slice.map { record($0) }
            let items = try stored.items(of: Array(records))
            for (offset, (new, item)) in zip(records, items).enumerated() {
                let count = difference.created.count + difference.changed.count
                note(new, item, in: &difference)
                // What stays as it is may have been valid when it was set.
                guard difference.created.count + difference.changed.count > count else { continue }
                try checkChoice(of: drafts[start + offset], at: start + offset, &choices)
            }
        }
        sortByTable(&difference.created)
        if mode == .replace {
            difference.removed = try overridesThatAreNotInFile(drafts, removedFlags: flags.removed)
        }
        return difference
    }

    /// Refuses an override that evaluation would ignore, as the interface does, unless such things are to be stored
    /// too: an export may have one, whose flag was changed after it was set.
    private mutating func checkChoice(
        of draft: TenantOverrideDraft, at index: Int, _ choices: inout OverrideChoices
    ) throws(FlagStoreError) {
        // What is not listed any more need not be found.
        guard (document.keepsInvalid ? kept : issues).count < ImportPlanner.issuesMaximum else { return }
        for issue in try choices.issues(of: draft) {
            let place = JSONPointer().appending("overrides").appending(index).description + issue.pointer
            let message = "\(issue.message) (flag \(draft.flagKey), tenant \(draft.tenant))"
            if document.keepsInvalid {
                kept.append(DefinitionIssue(pointer: place, message: "\(message): it is ignored"))
            } else {
                issues.append(DefinitionIssue(pointer: place, message: message))
            }
        }
    }

    /// Sorts as the table does: what lies side by side is written together, which makes a large import half as long.
    private func sortByTable(_ records: inout [TenantOverrideRecord]) {
        records.sort { $0.tenant < $1.tenant }
    }

    private func note(
        _ new: TenantOverrideRecord, _ item: Item?, in difference: inout ImportPlan.Difference<TenantOverrideRecord>
    ) {
        guard let item, let old = try? TenantOverrideRecord(item: item) else {
            return difference.created.append(new)
        }
        if old.hasSameContent(as: new) {
            difference.unchanged += 1
        } else if mode == .createOnly {
            difference.skipped += 1
        } else {
            let members = JSONValue.differingMembers(old.json, new.json, except: ["updatedAt"])
            difference.changed.append(ImportPlan.Change(old: old, new: new, members: members))
        }
    }

    private func record(_ draft: TenantOverrideDraft) -> TenantOverrideRecord {
        draft.record(in: environment, at: draft.updatedAt ?? now)
    }

    private mutating func checkFlags(
        of drafts: [TenantOverrideDraft], removedFlags: [FlagRecord]
    ) throws(FlagStoreError) {
        var known = Set(document.flags.map { ExactText($0.draft.key) })
        var unknown = Set(removedFlags.map { ExactText($0.key) })
        for (index, draft) in drafts.enumerated() {
            let pointer = JSONPointer().appending("overrides")
            if let named = draft.environment { checkEnvironment(named, at: pointer.appending(index)) }
            let flag = ExactText(draft.flagKey)
            if known.contains(flag) { continue }
            if !unknown.contains(flag) {
                if try stored.flagItem(draft.flagKey) != nil {
                    known.insert(flag)
                    continue
                }
                unknown.insert(flag)
            }
            report(pointer.appending(index).appending("flagKey"), "there is no flag \(draft.flagKey)")
        }
    }

    /// Whether any flag of the environment has an override.
    private func hasOverrides() throws(FlagStoreError) -> Bool {
        var hasAny = false
        try stored.forEachFlag { record throws(FlagStoreError) in
            guard !hasAny else { return }
            hasAny = try !stored.overrides(ofFlag: record.key, limit: 1).records.isEmpty
        }
        return hasAny
    }

    private func overridesThatAreNotInFile(
        _ drafts: [TenantOverrideDraft], removedFlags: [FlagRecord]
    ) throws(FlagStoreError) -> [TenantOverrideRecord] {
        var wanted: [ExactText: Set<ExactText>] = [:]
        for draft in drafts { wanted[ExactText(draft.flagKey), default: []].insert(ExactText(draft.tenant)) }
        let removedKeys = Set(removedFlags.map { ExactText($0.key) })
        var removed: [TenantOverrideRecord] = []
        try stored.forEachFlag { flag throws(FlagStoreError) in
            try progress.check()
            let key = ExactText(flag.key)
            guard !removedKeys.contains(key) else { return }
            try stored.forEachOverride(ofFlag: flag.key) { override in
                if wanted[key]?.contains(ExactText(override.tenant)) != true { removed.append(override) }
            }
        }
        return removed
    }

    // MARK: - Kill switches

    mutating func planKillSwitches(
        removedFlags: [FlagRecord]
    ) throws(FlagStoreError) -> ImportPlan.Difference<KillSwitchRecord> {
        var difference = ImportPlan.Difference<KillSwitchRecord>()
        guard let drafts = document.killSwitches else { return difference }
        try checkFlags(of: drafts, removedFlags: removedFlags)
        let existing = try stored.killSwitches()
        for (index, draft) in drafts.enumerated() {
            if let named = draft.environment {
                checkEnvironment(named, at: JSONPointer().appending("killSwitches").appending(index))
            }
            let new = draft.record(in: environment, at: now)
            guard let old = existing.first(where: { $0.isOfSame(as: new) }) else {
                difference.created.append(new)
                continue
            }
            let members = JSONValue.differingMembers(old.json, new.json, except: ["activatedAt"])
            if members.isEmpty {
                difference.unchanged += 1
            } else if mode == .createOnly {
                difference.skipped += 1
            } else {
                difference.changed.append(ImportPlan.Change(old: old, new: new, members: members))
            }
        }
        if mode == .replace {
            let wanted = drafts.map { $0.record(in: environment, at: now) }
            difference.removed = existing.filter { old in !wanted.contains { $0.isOfSame(as: old) } }
        }
        return difference
    }

    /// As through the interface: a kill switch of a flag that will not be there must be meant.
    private mutating func checkFlags(
        of drafts: [KillSwitchDraft], removedFlags: [FlagRecord]
    ) throws(FlagStoreError) {
        let inFile = Set(document.flags.map { ExactText($0.draft.key) })
        let removed = Set(removedFlags.map { ExactText($0.key) })
        for (index, draft) in drafts.enumerated() where !draft.isForced {
            guard let flagKey = draft.flagKey, !inFile.contains(ExactText(flagKey)) else { continue }
            if !removed.contains(ExactText(flagKey)), try stored.flagItem(flagKey) != nil { continue }
            report(
                JSONPointer().appending("killSwitches").appending(index).appending("flagKey"),
                "there is no flag \(flagKey): correct it, or add \"force\": true")
        }
    }

    // MARK: - Issues

    /// The environment that a record names must be the file's own, or where the import goes.
    mutating func checkEnvironment(_ named: Environment?, at place: JSONPointer) {
        guard let named, named != document.environment ?? environment else { return }
        report(
            place.appending("environment"),
            "is \(named.rawValue), but the file is of \((document.environment ?? environment).rawValue)")
    }

    private mutating func checkSize(of record: FlagRecord?, at index: Int) {
        for issue in record?.sizeIssues ?? [] {
            report(JSONPointer().appending("flags").appending(index), issue.message)
        }
    }

    mutating func report(_ place: JSONPointer, _ message: String) {
        guard issues.count < ImportPlanner.issuesMaximum else { return }
        issues.append(DefinitionIssue(pointer: place.description, message: message))
    }
}

extension FlagRecord {
    /// The members of the interface's JSON in which two states of a flag differ, apart from what every change changes.
    func membersThatDiffer(from other: FlagRecord) -> [String] {
        var members = JSONValue.differingMembers(
            json(at: createdAt), other.json(at: createdAt), except: ["createdAt", "updatedAt", "version", "stale"])
        if members.isEmpty, isKeptInvalid != other.isKeptInvalid { members.append("keptInvalid") }
        return members
    }
}

extension KillSwitchRecord {
    /// Whether both are the same switch.
    fileprivate func isOfSame(as other: KillSwitchRecord) -> Bool {
        switch (flagKey, other.flagKey) {
        case (nil, nil): true
        case (let left?, let right?): left.utf8.elementsEqual(right.utf8)
        default: false
        }
    }
}
