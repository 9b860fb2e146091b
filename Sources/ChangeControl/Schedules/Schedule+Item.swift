import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Which of an environment's schedules a list has: an index keeps them apart, in the order of time.
enum ScheduleList: String {
    /// Those that wait or are being applied, by the time at which they are due.
    case open = "OPEN"
    /// Those that have ended, by when they did.
    case ended = "ENDED"

    /// The partition of the index.
    func partition(in environment: Environment) -> String {
        "\(ChangeControlTable.schedules(environment))#\(rawValue)"
    }

    /// The list and the environment of a partition.
    static func of(_ partition: String) -> (list: ScheduleList, environment: Environment)? {
        for environment in Environment.allCases {
            for list in [ScheduleList.open, .ended] where list.partition(in: environment) == partition {
                return (list, environment)
            }
        }
        return nil
    }
}

/// Names of attributes of a schedule.
enum ScheduleAttribute {
    static let state: AttributeName = "state"
    static let version: AttributeName = "version"
    static let flagKey: AttributeName = "flagKey"
    static let tenant: AttributeName = "tenantId"
    static let record: AttributeName = "record"
}

extension Schedule {
    /// Its key in the table.
    var key: TableKey { Schedule.key(id, in: change.environment) }

    static func key(_ id: String, in environment: Environment) -> TableKey {
        TableKey(.string(ChangeControlTable.schedules(environment)), .string(id))
    }

    /// The schedule as an item of the table.
    var item: Item {
        let list = state.isEnded ? ScheduleList.ended : .open
        let time = end?.at ?? at
        var item: Item = [
            ChangeControlTable.partition: .string(ChangeControlTable.schedules(change.environment)),
            ChangeControlTable.sort: .string(id),
            ChangeControlTable.list: .string(list.partition(in: change.environment)),
            ChangeControlTable.order: .string("\(time.rfc3339)#\(id)"),
            ScheduleAttribute.state: .string(state.rawValue),
            ScheduleAttribute.version: .number(version),
            ScheduleAttribute.record: .string(JSONValue.object(record).serialized()),
        ]
        item[ScheduleAttribute.flagKey] = change.operation.subject.flagKey.map { .string($0) }
        item[ScheduleAttribute.tenant] = change.operation.tenant.map { .string($0) }
        return item
    }

    /// Reads what `item` gave; nil when it is something else.
    init?(item: Item) {
        guard let id = item[ChangeControlTable.sort]?.stringValue, ChangeID.isOne(id),
            let text = item[ScheduleAttribute.record]?.stringValue,
            let record = (try? JSONValue(parsing: text))?.objectValue
        else { return nil }
        self.init(record, id: id)
    }

    /// Bytes of what is stored of it, about.
    var storedBytes: Int { JSONValue.object(record).serializedBytes().count }
}

extension ScheduleAgenda.Entry {
    /// What an item says of when there is something to do, without the operation; nil for one that has ended, and for
    /// what is no schedule.
    init?(item: Item) {
        guard let id = item[ChangeControlTable.sort]?.stringValue,
            let (list, environment) = item[ChangeControlTable.list]?.stringValue.flatMap(ScheduleList.of),
            list == .open,
            let at = item[ChangeControlTable.order]?.stringValue?.split(separator: "#").first
                .flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        let isBegun = item[ScheduleAttribute.state]?.stringValue == Schedule.State.applying.rawValue
        self.init(id: id, environment: environment, at: at, isBegun: isBegun)
    }
}
