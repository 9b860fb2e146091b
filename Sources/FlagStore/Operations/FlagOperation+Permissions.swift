import Access

extension FlagOperation {
    /// What whoever does it must be allowed.
    package var permissions: Permissions {
        switch kind {
        case .setOverride, .removeOverride: .changeOverrides
        case .setKillSwitch, .endKillSwitch: .killSwitches
        case .createFlag, .replaceFlag, .patchFlag, .deleteFlag, .createSegment, .replaceSegment, .patchSegment,
            .deleteSegment, .editSegmentKeys, .replaceSegmentKeys:
            .changeFlags
        }
    }
}
