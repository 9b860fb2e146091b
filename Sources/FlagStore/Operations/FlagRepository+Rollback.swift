import Access
import DynamoModel
import FlagCore
import JSON

/// A rollback is a change like any other: what is written is what an older version said, and it is checked as if
/// somebody had sent it. Each of these blocks, since it reads the history.
extension FlagRepository {
    /// The change of a flag into what it said in a version. Its key, its creation, whether it is put away and how many
    /// have to agree to its changes stay: a rollback needs nobody's leave, and must not be the way around it.
    ///
    /// - Throws: `versionNotFound`, `versionNotKept`; `invalid` where what was valid then is not any more.
    func rollback(
        ofFlag key: String, to name: VersionName, in scope: WriteScope, expecting expected: Int64?
    ) throws(FlagStoreError) -> RecordChange<FlagDraft> {
        // What is not there is brought back in another way.
        try requireFlag(key, in: scope.environment)
        var draft = try kept(name, of: .flag(key), in: scope) { json throws(DefinitionIssues) in
            try FlagDraft(json: json, key: key)
        }
        (draft.createdAt, draft.isArchived) = (nil, false)
        return flagChange(key, in: scope, expecting: expected) { [draft] reading in
            var draft = draft
            draft.approvals = reading.record.approvals
            return draft
        }
    }

    /// The same of a segment. The keys that it lists stay as they are.
    func rollback(
        ofSegment segment: String, to name: VersionName, in scope: WriteScope, expecting expected: Int64?
    ) throws(FlagStoreError) -> RecordChange<SegmentDraft> {
        try requireSegment(segment, in: scope.environment)
        var draft = try kept(name, of: .segment(segment), in: scope) { json throws(DefinitionIssues) in
            try SegmentDraft(json: json, name: segment)
        }
        draft.createdAt = nil
        return segmentChange(segment, in: scope, expecting: expected) { [draft] _ in draft }
    }

    /// What a tenant's override of a flag was in a version, to be set again, also where it is gone. Who set it is
    /// whoever does so now, and why what they say, else what was said then.
    func rollback(
        ofOverrideOf flagKey: String, tenant: String, to name: VersionName, in scope: WriteScope
    ) throws(FlagStoreError) -> TenantOverrideDraft {
        let subject = HistorySubject.override(flagKey: flagKey, tenant: tenant)
        var draft = try kept(name, of: subject, in: scope) { json throws(DefinitionIssues) in
            try TenantOverrideDraft(json: json, tenant: tenant, flagKey: flagKey)
        }
        let actor = scope.principal.description.unicodeScalars.prefix(FlagLimits.actorCharacters)
        draft.updatedBy = String(String.UnicodeScalarView(actor))
        draft.reason = scope.principal.circumstances?.reason ?? draft.reason
        return draft
    }

    /// What a version said, read as a body.
    private func kept<Draft>(
        _ name: VersionName, of subject: HistorySubject, in scope: WriteScope,
        _ read: (JSONValue) throws(DefinitionIssues) -> Draft
    ) throws(FlagStoreError) -> Draft {
        guard let content = try version(name, of: subject, in: scope.environment).content.object else {
            throw .versionNotKept(of: subject.thing, name)
        }
        do throws(DefinitionIssues) { return try read(.object(content)) } catch { throw .invalid(error.issues) }
    }
}
