import Bytes
import DynamoModel
import FlagCore

/// Which schedules of an environment a list asks for.
package struct ScheduleQuery: Sendable {
    /// What has become of those that are listed.
    package enum Selection: Sendable, Equatable {
        /// Those that wait or are being applied, the next first.
        case open
        /// Those that have ended, however that was, the last first.
        case ended
        /// Those of them that have ended so, the last first.
        case endedAs(Schedule.State)

        /// Reads `waiting`, `ended` or the name of a state; nil for anything else.
        package init?(_ text: String) {
            switch text {
            case Schedule.State.waiting.rawValue, Schedule.State.applying.rawValue: self = .open
            case "ended": self = .ended
            default:
                guard let state = Schedule.State(rawValue: text) else { return nil }
                self = .endedAs(state)
            }
        }

        /// What can be read, for people.
        package static let names = (["waiting", "ended"] + Schedule.State.allCases.filter(\.isEnded).map(\.rawValue))
            .joined(separator: ", ")
    }

    let environment: Environment
    let selection: Selection
    /// Only those of this flag; nil for all.
    let flagKey: String?
    /// Only those of this tenant; nil for all.
    let tenant: String?
    let limit: Int
    let cursor: String?

    /// Asks for a page.
    ///
    /// - Parameters:
    ///   - limit: how many it has at most.
    ///   - cursor: where it begins: `nextCursor` of the page before, with the same conditions.
    package init(
        _ selection: Selection, in environment: Environment, flagKey: String? = nil, tenant: String? = nil,
        limit: Int, cursor: String? = nil
    ) {
        self.selection = selection
        self.environment = environment
        self.flagKey = flagKey
        self.tenant = tenant
        self.limit = limit
        self.cursor = cursor
    }

    var list: ScheduleList { selection == .open ? .open : .ended }

    /// What must hold of an item beside its list; nil for nothing.
    var filter: Condition? {
        var conditions: [Condition] = []
        if case .endedAs(let state) = selection {
            conditions.append(.equals(DocumentPath(ScheduleAttribute.state), .string(state.rawValue)))
        }
        if let flagKey { conditions.append(.equals(DocumentPath(ScheduleAttribute.flagKey), .string(flagKey))) }
        if let tenant { conditions.append(.equals(DocumentPath(ScheduleAttribute.tenant), .string(tenant))) }
        return conditions.isEmpty ? nil : .and(conditions)
    }
}

/// A page of schedules.
package struct SchedulePage: Sendable {
    /// What the page holds, in the list's order.
    package private(set) var schedules: [Schedule] = []
    /// What to ask for next; nil when this was all. A page may have fewer than were asked for, also none.
    package private(set) var nextCursor: String?

    fileprivate mutating func append(_ schedule: Schedule) { schedules.append(schedule) }
    fileprivate mutating func end(at cursor: String?) { nextCursor = cursor }
}

extension ScheduleStore {
    /// Bytes of schedules that are read for a page, after which it ends: operations may be large.
    private static let pageBytes = 2 << 20
    /// How many are read together.
    private static let readTogether = 100

    /// A page of a list. Blocks; what cannot be read is left out.
    ///
    /// - Throws: `invalidCursor`, `store`.
    package func page(_ wanted: ScheduleQuery) throws(ScheduleError) -> SchedulePage {
        var page = SchedulePage()
        var query = query(wanted.list, in: wanted.environment)
        query.forward = wanted.list == .open
        query.filter = wanted.filter
        query.limit = Self.readTogether
        if let cursor = wanted.cursor { query.exclusiveStart = try start(cursor, wanted) }
        guard try isThere() else { return page }
        var bytes = 0
        try forEachPage(of: query) { read throws(ScheduleError) in
            for item in read.items {
                guard let schedule = Schedule(item: item) else { continue }
                page.append(schedule)
                guard page.schedules.count == wanted.limit else { continue }
                page.end(at: Self.cursor(after: item))
                return false
            }
            bytes += read.scannedBytes
            guard bytes > Self.pageBytes, let last = read.lastEvaluatedKey else { return true }
            page.end(at: Self.cursor(after: last))
            return false
        }
        return page
    }

    private static func cursor(after item: Item) -> String? {
        item[ChangeControlTable.order]?.stringValue.map { URLSafeText.text(of: Array($0.utf8)) }
    }

    /// The key that a cursor stands for. It holds nothing secret and is not signed: a made-up one begins somewhere else
    /// in the same list.
    private func start(_ cursor: String, _ wanted: ScheduleQuery) throws(ScheduleError) -> Item {
        guard let bytes = URLSafeText.decode(cursor.utf8) else { throw .invalidCursor }
        let order = String(decoding: bytes, as: UTF8.self)
        let parts = order.split(separator: "#")
        guard parts.count == 2, Timestamp(rfc3339: parts[0]) != nil, ChangeID.isOne(String(parts[1])) else {
            throw .invalidCursor
        }
        return [
            ChangeControlTable.partition: .string(ChangeControlTable.schedules(wanted.environment)),
            ChangeControlTable.sort: .string(String(parts[1])),
            ChangeControlTable.list: .string(wanted.list.partition(in: wanted.environment)),
            ChangeControlTable.order: .string(order),
        ]
    }
}
