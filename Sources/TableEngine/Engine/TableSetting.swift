/// What is kept of a table among the store's settings, under the table's name, and goes with the table. All kinds stand
/// here, whoever keeps them, so that none is forgotten when a table is.
enum TableSetting: String, CaseIterable {
    /// From what the table was restored.
    case origin = "restored."
    /// Which of the table's lives has continuous backups.
    case continuous = "continuous."
    /// For how many days back continuous backups are kept.
    case recoveryPeriod = "recovery-period."

    /// The setting's name for a table.
    func name(_ table: String) -> String { rawValue + table }
}
