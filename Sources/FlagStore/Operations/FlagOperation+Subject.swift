import Access
import DynamoModel
import FlagCore

extension FlagOperation {
    /// What it makes, changes or takes away.
    package var subject: StoredThing {
        switch change {
        case .createFlag(let draft), .replaceFlag(let draft): .flag(draft.key)
        case .patchFlag(let key, _), .deleteFlag(let key), .rollbackFlag(let key, _), .setArchived(let key, _),
            .restoreFlag(let key, _), .promoteFlag(let key, _):
            .flag(key)
        case .setOverride(let draft): .override(flagKey: draft.flagKey, tenant: draft.tenant)
        case .removeOverride(let tenant, let flagKey), .rollbackOverride(let tenant, let flagKey, _):
            .override(flagKey: flagKey, tenant: tenant)
        case .setKillSwitch(let draft): .killSwitch(flagKey: draft.flagKey)
        case .endKillSwitch(let end): .killSwitch(flagKey: end.flagKey)
        case .createSegment(let draft), .replaceSegment(let draft): .segment(draft.name)
        case .patchSegment(let name, _), .deleteSegment(let name), .editSegmentKeys(let name, _),
            .replaceSegmentKeys(let name, _), .rollbackSegment(let name, _):
            .segment(name)
        }
    }
}

extension FlagOperation.Kind {
    /// Whether all of it is one transaction, however much there is; else it may be stopped between two.
    package var isOneTransaction: Bool {
        switch self {
        case .createFlag, .replaceFlag, .patchFlag, .setOverride, .removeOverride, .setKillSwitch, .endKillSwitch,
            .createSegment, .replaceSegment, .patchSegment, .rollbackFlag, .rollbackSegment, .rollbackOverride,
            .archiveFlag, .unarchiveFlag:
            true
        case .deleteFlag, .deleteSegment, .editSegmentKeys, .replaceSegmentKeys, .restoreFlag, .promoteFlag: false
        }
    }

    /// What the name must be of what it is about; nil where the body names it.
    package var nameRule: TextRule? {
        switch self {
        case .createFlag, .createSegment, .setKillSwitch, .endKillSwitch: nil
        case .replaceFlag, .patchFlag, .deleteFlag, .setOverride, .removeOverride, .rollbackFlag, .rollbackOverride,
            .archiveFlag, .unarchiveFlag, .restoreFlag, .promoteFlag:
            .flagKey
        case .replaceSegment, .patchSegment, .deleteSegment, .editSegmentKeys, .replaceSegmentKeys, .rollbackSegment:
            .segmentName
        }
    }

    /// Whether nothing is left of what it is about.
    package var removes: Bool { self == .deleteFlag || self == .removeOverride || self == .deleteSegment }

    /// Whether it is about one tenant.
    package var isOfTenant: Bool { [.setOverride, .removeOverride, .rollbackOverride].contains(self) }
}

extension StoredThing {
    /// The key of the flag that it is, or belongs to; nil for a segment and for the global kill switch.
    package var flagKey: String? {
        switch self {
        case .flag(let key), .override(let key, _): key
        case .killSwitch(let key): key
        case .segment: nil
        }
    }
}

extension FlagReader {
    /// The version of what an operation changes, as it is now: what `FlagOperation.expectedVersion` takes. Blocks.
    ///
    /// - Returns: nil where there is nothing yet, and for kill switches, which have none.
    package func version(of thing: StoredThing) throws(FlagStoreError) -> Int64? {
        switch thing {
        case .flag(let key): try repository.item(.flag(environment, key: key)).map(RecordVersion.of)
        case .segment(let name): try repository.item(.segment(environment, name: name)).map(RecordVersion.of)
        case .override(let flagKey, let tenant):
            OverrideVersion.of(
                try repository.item(.override(environment, tenant: tenant, flagKey: flagKey)))
        case .killSwitch: nil
        }
    }
}
