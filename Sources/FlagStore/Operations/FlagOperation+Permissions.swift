import Access

extension FlagOperation {
    /// What whoever does it must be allowed.
    package var permissions: Permissions { kind.permissions }
}

extension FlagOperation.Kind {
    /// What whoever does it must be allowed.
    package var permissions: Permissions {
        switch self {
        case .setOverride, .removeOverride, .rollbackOverride: .changeOverrides
        case .setKillSwitch, .endKillSwitch: .killSwitches
        case .createFlag, .replaceFlag, .patchFlag, .deleteFlag, .createSegment, .replaceSegment, .patchSegment,
            .deleteSegment, .editSegmentKeys, .replaceSegmentKeys, .rollbackFlag, .rollbackSegment, .archiveFlag,
            .unarchiveFlag, .restoreFlag, .promoteFlag:
            .changeFlags
        }
    }
}
