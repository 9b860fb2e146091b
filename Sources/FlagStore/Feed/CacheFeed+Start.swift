import Dispatch
import DynamoModel
import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// Begins: subscribes to the table's changes, loads the kill switches of every environment, all flags and segments
    /// of the `warm` ones, and has them in every loop's mail when it returns. Blocks; to be called once, before the
    /// first request.
    ///
    /// The table of tenants is filled afterwards in the background.
    ///
    /// - Throws: `unavailable` when the kill switches cannot be read: without them nothing may be answered.
    package func start(warm: [Environment]) throws(FlagStoreError) {
        let everyLoop = Array(0..<loops)
        let pinned = Environment.allCases.map { CacheKey.killSwitches($0) }
        let ruleSets = warm.flatMap { [CacheKey.segments($0), .ruleSet($0)] }
        // Asked for before the subscription: a change that comes while they are read is noted with them.
        state.withLock { state in
            for key in pinned + ruleSets { _ = state.ask(key, forLoops: everyLoop) }
        }
        store.subscribe { [weak self] changes in self?.take(changes) }
        noticeReplacedTable()
        perform(pinned)
        let isPinned = state.withLock { $0.statistics.failures == 0 }
        guard isPinned else {
            throw .unavailable(
                reason: "The kill switches could not be read from the table \(table)",
                hint: "See the error before this one")
        }
        for key in ruleSets { perform([key]) }
        background.async { [weak self] in self?.fillTenants() }
        pollWhileAlive()
    }

    /// Reads the tenants of all overrides into the table of tenants. It is the last to read everything at a start: then
    /// what that took is given back. O(items).
    func fillTenants() {
        let tableID = state.withLock { $0.tableID }
        var scan = Scan(table: table, limit: FlagTable.pageItems)
        scan.attributes = []
        while true {
            let page: QueryPage
            do { page = try store.scan(scan) } catch {
                // Until it works, every tenant goes on being one that may have overrides: slower, and right.
                report(.storeFailed(FlagStoreError(error)))
                background.asyncAfter(deadline: .now() + .seconds(5)) { [weak self] in self?.fillTenants() }
                return
            }
            addTenants(of: page.items)
            guard let next = page.lastEvaluatedKey else { break }
            scan.exclusiveStart = next
        }
        state.withLock { state in
            // When the table became another one meanwhile, its tenants are read after these.
            if state.tableID == tableID { state.tenants.markComplete() }
        }
        store.releaseMemory()
        giveMemoryBack()
    }

    private func addTenants(of items: [Item]) {
        var tenants: [(Environment, [UInt8])] = []
        for item in items {
            guard case .override(let environment, let tenant, _)? = ItemKey(item) else { continue }
            tenants.append((environment, Array(tenant.utf8)))
        }
        guard !tenants.isEmpty else { return }
        state.withLock { state in
            var larger: TenantTable?
            for (environment, tenant) in tenants { larger = state.addTenant(environment, tenant) ?? larger }
            guard let larger else { return }
            for loop in 0..<loops { deliver(.changed([.tenants(larger)]), loop) }
        }
    }

    /// Has the store look for what other processes wrote, twice a second, as long as there is a feed. That waits for
    /// the writer, which may wait for a slow disk: no load waits for it.
    private func pollWhileAlive() {
        guard pollForeignChanges != nil else { return }
        polling.asyncAfter(deadline: .now() + .milliseconds(500)) { [weak self] in
            guard let self else { return }
            do throws(TableError) { try self.pollForeignChanges?() } catch {
                self.report(.storeFailed(FlagStoreError(error)))
            }
            self.noticeReplacedTable()
            self.pollWhileAlive()
        }
    }
}
