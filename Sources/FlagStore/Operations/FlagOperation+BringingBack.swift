extension FlagOperation.Kind {
    /// Whether it only brings back what was in force before.
    package var bringsBack: Bool { [.rollbackFlag, .rollbackSegment, .rollbackOverride].contains(self) }
}
