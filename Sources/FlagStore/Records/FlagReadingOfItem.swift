import DynamoModel
import FlagCache
import FlagCore

/// What an item that should be a flag turned out to be.
enum FlagReadingOfItem {
    /// A flag, valid or kept in spite of what is wrong with it.
    case valid(FlagRecord)
    /// Not a valid flag: why, and what it can be served as when nothing better is known.
    case invalid([DefinitionIssue], fallback: DecodedFlag)

    /// The flag; nil where it is none that is valid.
    var record: FlagRecord? { if case .valid(let record) = self { record } else { nil } }

    /// What keeps it from being a valid flag.
    var issues: [DefinitionIssue] { if case .invalid(let issues, _) = self { issues } else { [] } }

    /// Reads and checks an item. O(definition).
    init(_ item: Item, environment: Environment, key: String) {
        do throws(DefinitionIssues) {
            let record = try FlagRecord(item: item, environment: environment, key: key)
            if !record.isKeptInvalid { _ = try record.rule.definition() }
            self = .valid(record)
        } catch {
            let fallback = DecodedFlag(
                key: key, rule: FlagRule(item) ?? .full(""), isClientSide: FlagRecord.isClientSide(item))
            self = .invalid(error.issues, fallback: fallback)
        }
    }
}
