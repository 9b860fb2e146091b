import DynamoModel
import FlagCore
import FlagStore

/// Which proposals of an environment a list asks for.
package struct ProposalQuery: Sendable {
    let environment: Environment
    let state: Proposal.State?
    let flagKey: String?
    let tenant: String?
    let limit: Int
    let cursor: String?

    /// Asks for a page, the newest first.
    ///
    /// - Parameters:
    ///   - state: only those of this state; nil for all.
    ///   - flagKey: only those about this flag or an override of it.
    ///   - tenant: only those about overrides of this tenant.
    ///   - limit: how many it has at most.
    ///   - cursor: `nextCursor` of the page before, with the same conditions.
    package init(
        in environment: Environment, state: Proposal.State? = nil, flagKey: String? = nil, tenant: String? = nil,
        limit: Int, cursor: String? = nil
    ) {
        self.environment = environment
        self.state = state
        self.flagKey = flagKey
        self.tenant = tenant
        self.limit = limit
        self.cursor = cursor
    }

    fileprivate func finds(_ proposal: Proposal, at now: Timestamp) -> Bool {
        if let state, proposal.state(at: now) != state { return false }
        if let flagKey, proposal.subject.flagKey?.utf8.elementsEqual(flagKey.utf8) != true { return false }
        return tenant.map { proposal.subject.isOverride(of: $0) } ?? true
    }
}

/// A page of proposals.
package struct ProposalPage: Sendable {
    /// What the page holds.
    package fileprivate(set) var proposals: [Proposal] = []
    /// What to ask for next; nil when this was all. A page may have fewer than were asked for, also none.
    package fileprivate(set) var nextCursor: String?
}

extension ProposalStore {
    /// How many are looked at for a page, after which it ends: most may be of another flag.
    private static let lookedAt = 2_000
    private static let readTogether = 100

    /// A page of a list. Blocks; what cannot be read is left out.
    ///
    /// - Throws: `notFound` for a cursor that the list did not hand out, `store`.
    package func page(_ wanted: ProposalQuery, at now: Timestamp) throws(ProposalError) -> ProposalPage {
        var page = ProposalPage()
        guard try isThere() else { return page }
        let partition = AttributeValue.string(ChangeControlTable.proposals(wanted.environment))
        var query = Query(
            table: ChangeControlTable.name, partition: partition, forward: false, limit: Self.readTogether)
        if let cursor = wanted.cursor {
            guard ChangeID.isOne(cursor) else { throw .notFound(cursor) }
            query.exclusiveStart = [ChangeControlTable.partition: partition, ChangeControlTable.sort: .string(cursor)]
        }
        var count = 0
        while true {
            let read = try reading { () throws(TableError) in try store.query(query) }
            for item in read.items {
                count += 1
                guard let proposal = Proposal(item: item), wanted.finds(proposal, at: now) else { continue }
                page.proposals.append(proposal)
                guard page.proposals.count == wanted.limit else { continue }
                page.nextCursor = proposal.id
                return page
            }
            guard let next = read.lastEvaluatedKey else { return page }
            guard count < Self.lookedAt else {
                page.nextCursor = next[ChangeControlTable.sort]?.stringValue
                return page
            }
            query.exclusiveStart = next
        }
    }
}

extension StoredThing {
    /// Whether it is an override of a tenant.
    package func isOverride(of tenant: String) -> Bool {
        if case .override(_, let own) = self { own.utf8.elementsEqual(tenant.utf8) } else { false }
    }
}
