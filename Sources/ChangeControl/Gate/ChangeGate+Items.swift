import DynamoModel
import FlagCore
import FlagStore

extension ChangeGate {
    /// What becomes of a write that comes past the routes, item by item. O(freezes), no I/O.
    ///
    /// - Returns: `.apply` also for what is no flag, override or segment.
    package func verdict(on write: WriteOperation, at now: Timestamp) -> (ChangeVerdict, Environment?) {
        guard write.table == flagTable, let key = write.changedKey.flatMap({ ItemKey($0) }) else {
            return (.apply, nil)
        }
        let target: (thing: StoredThing, environment: Environment)? =
            switch key {
            case .flag(let environment, let key): (.flag(key), environment)
            case .override(let environment, let tenant, let flagKey):
                (.override(flagKey: flagKey, tenant: tenant), environment)
            case .segment(let environment, let name), .segmentKey(let environment, let name, _):
                (.segment(name), environment)
            case .killSwitch(let environment, let flagKey): (.killSwitch(flagKey: flagKey), environment)
            // The server derives it.
            case .revision: nil
            }
        guard let target else { return (.apply, nil) }
        return (verdict(on: target.thing, in: target.environment, at: now), target.environment)
    }
}

extension WriteOperation {
    /// The key of the item that it changes; nil where it changes none.
    fileprivate var changedKey: TableKey? {
        switch self {
        case .put(_, let item, _):
            item[ChangeControlTable.partition].map { TableKey($0, item[ChangeControlTable.sort]) }
        case .delete(_, let key, _), .update(_, let key, _, _): key
        case .check: nil
        }
    }
}
