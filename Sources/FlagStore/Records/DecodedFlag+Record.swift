import FlagCache
import FlagCore

extension DecodedFlag {
    /// A flag with the time zones of this machine. May read a small file, the first time.
    convenience init(key: String, rule: FlagRule, expiresAt: Timestamp? = nil, isClientSide: Bool = false) {
        self.init(
            key: key, rule: rule, expiresAt: expiresAt, isClientSide: isClientSide,
            zones: TimeZoneDatabase.shared.rules(of:))
    }

    /// The flag of a record.
    convenience init(_ record: FlagRecord) {
        self.init(
            key: record.key, rule: record.rule, expiresAt: record.expiresAt, isClientSide: record.isClientSide)
    }
}
