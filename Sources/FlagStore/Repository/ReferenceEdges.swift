import Bytes
import DynamoModel
import FlagCore
import Platform

/// What names others or is named: a flag or a segment of an environment.
enum ReferenceNode: Hashable, Sendable {
    case flag(ExactText)
    case segment(ExactText)
}

/// Who names whom, backwards: whoever deletes one thing reads those that name it and not the whole environment.
///
/// An environment is read once, when it is first asked about; from then on only what was written since is read again.
/// What is kept may say too much, never too little: whoever asks looks at the items that are named.
final class ReferenceEdges: Sendable {
    /// An environment as it was when last looked at.
    private struct Known: Sendable {
        /// Which table of the name it was.
        let tableID: String
        /// What each names; nothing for those that name nothing.
        var named: [ReferenceNode: Set<ReferenceNode>] = [:]
        /// Who names each.
        var namers: [ReferenceNode: Set<ReferenceNode>] = [:]

        mutating func set(_ names: Set<ReferenceNode>, of namer: ReferenceNode) {
            for name in named.removeValue(forKey: namer) ?? [] {
                namers[name]?.remove(namer)
                if namers[name]?.isEmpty == true { namers[name] = nil }
            }
            guard !names.isEmpty else { return }
            named[namer] = names
            for name in names { namers[name, default: []].insert(namer) }
        }
    }

    private let known = Locked<[Environment: Known]>([:])
    /// What was written since it was last looked; nothing is noted of environments that nobody has asked about.
    private let written = Locked<[Environment: Set<ReferenceNode>]>([:])
    private let isSubscribed = Locked(false)

    /// How much is noted at most: after more, reading the environment again is as quick.
    private static let writtenMaximum = 10_000

    /// Those of an environment that may name `node`: whoever does is among them. Blocks; O(what was written since it
    /// was last asked), the first time O(environment). Who asks meanwhile waits, for the same answer.
    func namers(
        of node: ReferenceNode, in environment: Environment, of repository: FlagRepository
    ) throws(FlagStoreError) -> Set<ReferenceNode> {
        subscribe(to: repository)
        let id = try reading { () throws(TableError) in
            try repository.store.describeTable(repository.table).id
        }
        return try known.withLock { known throws(FlagStoreError) in
            // Gone from the dictionary while it is changed: what an error leaves half done is read anew.
            var current = known.removeValue(forKey: environment)
            let changed = written.withLock { written in
                defer { written[environment] = [] }
                return written[environment]
            }
            if let changed, current?.tableID == id {
                for namer in changed { current?.set(try repository.names(of: namer, in: environment), of: namer) }
            } else {
                current = Known(tableID: id)
                try repository.forEachNamer(in: environment) { current?.set($1, of: $0) }
            }
            known[environment] = current
            return current?.namers[node] ?? []
        }
    }

    private func subscribe(to repository: FlagRepository) {
        let isFirst = isSubscribed.withLock { isSubscribed in
            defer { isSubscribed = true }
            return !isSubscribed
        }
        guard isFirst else { return }
        let table = repository.table
        repository.store.subscribe { [weak self] changes in self?.note(changes, of: table) }
    }

    /// Notes what a commit wrote. On the table's writer queue: only keys are looked at.
    private func note(_ changes: [TableChange], of table: String) {
        written.withLock { written in
            guard !written.isEmpty else { return }
            for change in changes where change.table == table {
                guard let (environment, node) = ItemKey(change.key)?.referenceNode else { continue }
                written[environment]?.insert(node)
                if written[environment].map({ $0.count > Self.writtenMaximum }) == true { written[environment] = nil }
            }
        }
    }
}

extension ItemKey {
    /// What may name others, and where.
    fileprivate var referenceNode: (Environment, ReferenceNode)? {
        switch self {
        case .flag(let environment, let key): (environment, .flag(ExactText(key)))
        case .segment(let environment, let name): (environment, .segment(ExactText(name)))
        case .override, .killSwitch, .segmentKey, .revision: nil
        }
    }
}

extension FlagRepository {
    /// What a flag or segment names as it is stored, valid or not. Blocks.
    fileprivate func names(
        of namer: ReferenceNode, in environment: Environment
    ) throws(FlagStoreError) -> Set<ReferenceNode> {
        switch namer {
        case .flag(let key): Self.names(ofFlag: try item(.flag(environment, key: key.text)))
        case .segment(let name): Self.names(ofSegment: try item(.segment(environment, name: name.text)), environment)
        }
    }

    /// Calls `body` with every flag and segment of an environment, and what it names. Blocks.
    fileprivate func forEachNamer(
        in environment: Environment, _ body: (ReferenceNode, Set<ReferenceNode>) -> Void
    ) throws(FlagStoreError) {
        try forEachFlagItem(in: environment) { item in
            guard case .flag(environment, let key)? = ItemKey(item) else { return }
            body(.flag(ExactText(key)), Self.names(ofFlag: item))
        }
        try forEachItem(of: segmentItems(in: environment)) { item in
            guard case .segment(environment, let name)? = ItemKey(item) else { return }
            body(.segment(ExactText(name)), Self.names(ofSegment: item, environment))
        }
    }

    private static func names(ofFlag item: Item?) -> Set<ReferenceNode> {
        guard let item, let rule = FlagRule(item) else { return [] }
        var names = Set(rule.segmentReferences().map { ReferenceNode.segment(ExactText($0.name)) })
        guard rule.requires != nil else { return names }
        for prerequisite in (try? rule.prerequisites()) ?? [] { names.insert(.flag(ExactText(prerequisite.flagKey))) }
        return names
    }

    private static func names(ofSegment item: Item?, _ environment: Environment) -> Set<ReferenceNode> {
        guard let item, let record = SegmentRecord(item, in: environment) else { return [] }
        let references = (try? record.parsedCondition())??.references ?? []
        return Set(references.map { .segment(ExactText($0.name)) })
    }
}
