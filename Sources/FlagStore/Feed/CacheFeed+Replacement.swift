import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// Looks whether the table is still the one that was loaded from: somebody may have deleted it and restored
    /// another under its name, of which no change tells. Blocks shortly; never on a queue of loads.
    func noticeReplacedTable() { pointLoads.sync { lookForReplacedTable() } }

    /// The same, on the queue for loads of single flags.
    func lookForReplacedTable() {
        // Of a table that is gone, what is known goes on; so it does when the store does not answer.
        guard let id = lookForTable() else { return }
        let isAnother = state.withLock { state in
            defer { state.tableID = id }
            return state.tableID.map { $0 != id } ?? false
        }
        guard isAnother else { return }
        // With this queue and that one at rest, nobody is in the middle of reading the table that was.
        largeLoads.sync { forgetEverything() }
        perform(askForKillSwitches())
        background.async { [weak self] in self?.fillTenants() }
        tableReplaced()
    }

    /// What tells the table from others of its name; nil when it is gone, which is told when it is noticed, or when
    /// that cannot be known.
    private func lookForTable() -> String? {
        let id: String?
        do throws(TableError) { id = try store.describeTable(table).id } catch {
            guard case .tableNotFound = error else { return nil }
            id = nil
        }
        let isNews = state.withLock { state in
            defer { state.statistics.tableIsThere = id != nil }
            return state.statistics.tableIsThere != (id != nil)
        }
        if isNews { report(id == nil ? .tableGone(name: table) : .tableBack(name: table)) }
        return id
    }

    /// Has every loop forget what it holds. Until all tenants have been read anew, each may have overrides.
    private func forgetEverything() {
        state.withLock { state in
            state.lastValid = [:]
            state.lastValidOverrides = [:]
            state.segments = [:]
            // Loads that were asked for will read this table; what was noted with them was of the other.
            for key in state.inFlight.keys { state.inFlight[key]?.forgetChanges() }
            state.tenants = TenantTable(capacity: 0)
            let changes = [CacheChange.everything, .tenants(state.tenants)]
            for loop in 0..<loops { deliver(.changed(changes), loop) }
        }
    }

    /// Notes that every loop wants the kill switches of every environment.
    private func askForKillSwitches() -> [CacheKey] {
        let keys = Environment.allCases.map { CacheKey.killSwitches($0) }
        let everyLoop = Array(0..<loops)
        return state.withLock { state in keys.filter { state.ask($0, forLoops: everyLoop) } }
    }
}
