@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

/// The table as one would write it if nothing had to be fast or durable: a list of items.
struct TableModel {
    private(set) var items: [TableKey: Item] = [:]
    private let schema = TestTable.schema

    /// Does all of the operations or none.
    ///
    /// - Returns: what each did, or nil when nothing happened.
    mutating func transact(_ operations: [WriteOperation]) -> [WriteOutcome]? {
        var next = items
        var outcomes: [WriteOutcome] = []
        for operation in operations {
            let (key, condition) = keyAndCondition(operation)
            let old = items[key]
            guard condition?.holds(for: old) ?? true else { return nil }
            switch operation {
            case .put(_, let item, _): next[key] = item
            case .delete: next[key] = nil
            case .check: break
            case .update(_, _, let actions, _):
                let new: Item?
                do {
                    new = try ItemUpdate.apply(actions, to: old, key: attributes(key))
                } catch {
                    return nil
                }
                guard new?["rank"].map({ $0.type == .number }) ?? true else { return nil }
                next[key] = new
            }
            outcomes.append(WriteOutcome(old: old, new: next[key]))
        }
        items = next
        return outcomes
    }

    /// The items that a query answers, all pages together.
    func query(_ query: Query) -> [Item] {
        let index = schema.indexes.first { $0.name == query.index }
        let partitionKey = index?.partitionKey ?? schema.partitionKey
        let sortKey = query.index == nil ? schema.sortKey : index?.sortKey
        let matching = items.values.filter { item in
            guard item[partitionKey.name] == query.partition else { return false }
            guard let sortKey else { return true }
            guard let sort = item[sortKey.name] else { return false }
            return query.sort?.holds(for: sort) ?? true
        }
        let sorted = matching.sorted { left, right in
            for name in [sortKey?.name, schema.partitionKey.name, schema.sortKey?.name].compactMap(\.self) {
                if Comparison.less.holds(left[name], right[name]) { return true }
                if Comparison.less.holds(right[name], left[name]) { return false }
            }
            return false
        }
        return (query.forward ? sorted : sorted.reversed())
            .map { item in index.map { project(item, $0) } ?? item }
            .filter { query.filter?.holds(for: $0) ?? true }
    }

    private func keyAndCondition(_ operation: WriteOperation) -> (TableKey, Condition?) {
        switch operation {
        case .put(_, let item, let condition): (TableKey(item["PK"] ?? .null, item["SK"]), condition)
        case .delete(_, let key, let condition), .update(_, let key, _, let condition): (key, condition)
        case .check(_, let key, let condition): (key, condition)
        }
    }

    private func attributes(_ key: TableKey) -> Item { ["PK": key.partition, "SK": key.sort ?? .null] }

    private func project(_ item: Item, _ index: IndexSchema) -> Item {
        let keys = [schema.partitionKey, schema.sortKey, index.partitionKey, index.sortKey].compactMap { $0?.name }
        switch index.projection {
        case .all: return item
        case .keysOnly: return item.filter { keys.contains($0.key) }
        case .include(let names): return item.filter { (keys + names).contains($0.key) }
        }
    }
}

extension SortCondition {
    /// Whether a sort key meets the condition.
    fileprivate func holds(for value: AttributeValue) -> Bool {
        switch self {
        case .equal(let other): value == other
        case .less(let other): Comparison.less.holds(value, other)
        case .lessOrEqual(let other): Comparison.lessOrEqual.holds(value, other)
        case .greater(let other): Comparison.greater.holds(value, other)
        case .greaterOrEqual(let other): Comparison.greaterOrEqual.holds(value, other)
        case .between(let first, let last):
            Comparison.greaterOrEqual.holds(value, first) && Comparison.lessOrEqual.holds(value, last)
        case .beginsWith(let beginning):
            Condition.beginsWith(.value(value), .value(beginning)).holds(for: nil)
        }
    }
}
