import FlagCore
import JSON

/// What something that is stored says, without what the server derives with every change: for who wants to see what a
/// change makes of it.
package enum StoredContent {
    private static let derived = ["version", "createdAt", "updatedAt"]

    /// What a change has left, or would leave; nil where that is nothing.
    package static func of(_ written: Written) -> JSONValue? {
        switch written {
        case .flag(let record), .restored(let record, _): content(of: record)
        case .promoted(let result): content(of: result.flag)
        case .override(let record): reduced(record.json)
        case .segment(let record, _): reduced(record.json(keyCount: nil))
        case .killSwitch(let record): record.json
        case .gone: nil
        }
    }

    private static func content(of flag: FlagRecord) -> JSONValue {
        reduced(flag.json(at: Timestamp(millisecondsSinceEpoch: .min)))
    }

    private static func reduced(_ json: JSONValue) -> JSONValue {
        guard var object = json.objectValue else { return json }
        for name in derived { object[name] = nil }
        return .object(object)
    }
}

extension FlagReader {
    /// What something says now, with something made up in the place of what is not valid; nil where there is nothing.
    /// Blocks.
    package func content(of thing: StoredThing) throws(FlagStoreError) -> JSONValue? {
        let made = Timestamp(millisecondsSinceEpoch: 0)
        switch thing {
        case .flag(let key):
            guard let item = try repository.item(.flag(environment, key: key)) else { return nil }
            return StoredContent.of(
                .flag(FlagRecord.reading(item, environment: environment, key: key, at: made).record))
        case .segment(let name):
            guard let item = try repository.item(.segment(environment, name: name)) else { return nil }
            return StoredContent.of(
                .segment(SegmentRecord.reading(item, environment: environment, name: name, at: made).record))
        case .override(let flagKey, let tenant):
            guard let item = try repository.item(.override(environment, tenant: tenant, flagKey: flagKey)) else {
                return nil
            }
            return (try? TenantOverrideRecord(item: item)).flatMap { StoredContent.of(.override($0)) }
        case .killSwitch: return nil
        }
    }
}
