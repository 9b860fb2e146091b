import Access
import DynamoModel

/// The internal table of whoever may come in: it accompanies no table of flags and is in no backup of one, so that no
/// restore brings a key back that was revoked.
///
/// | item | PK | SK |
/// |---|---|---|
/// | API key | `KEY` | the selector |
/// | access key | `ACCESS_KEY` | the identifier |
/// | session of a person | `SESSION` | the digest of its identifier |
/// | key that tokens are signed with | `SIGNING_KEY` | the identifier |
/// | account of a person | `USER` | the name |
package enum AccessTable {
    /// Its name.
    package static let name = "\(InternalTables.prefix)access"

    static let partition: AttributeName = "PK"
    static let sort: AttributeName = "SK"
    /// The partition of the API keys.
    package static let keys = "KEY"
    /// The partition of the access keys.
    package static let accessKeys = "ACCESS_KEY"
    /// The partition of the keys that tokens are signed with.
    package static let signingKeys = "SIGNING_KEY"
    static let sessions = "SESSION"
    /// The partition of the accounts.
    package static let users = "USER"

    static let schema = TableSchema(
        name: name, partitionKey: KeyAttribute(partition), sortKey: KeyAttribute(sort))

    static func key(_ selector: String) -> TableKey { TableKey(.string(keys), .string(selector)) }
    static func user(_ name: String) -> TableKey { TableKey(.string(users), .string(name)) }
    static func accessKey(_ id: String) -> TableKey { TableKey(.string(accessKeys), .string(id)) }
    static func session(_ digest: String) -> TableKey { TableKey(.string(sessions), .string(digest)) }
    static func signingKey(_ id: String) -> TableKey { TableKey(.string(signingKeys), .string(id)) }
}

extension TableStore {
    /// All items of one kind. O(items).
    func accessItems(_ kind: String) throws(KeyStoreError) -> [Item] {
        var items: [Item] = []
        do throws(TableError) {
            guard try listTables().contains(AccessTable.name) else { return items }
            var query = Query(table: AccessTable.name, partition: .string(kind))
            while true {
                let page = try self.query(query)
                items += page.items
                guard let next = page.lastEvaluatedKey else { return items }
                query.exclusiveStart = next
            }
        } catch { throw .store(error) }
    }

    /// The item of a key; nil when there is none.
    func accessItem(_ key: TableKey) throws(KeyStoreError) -> Item? {
        do throws(TableError) {
            let isThere = try listTables().contains(AccessTable.name)
            return isThere ? try getItem(table: AccessTable.name, key: key) : nil
        } catch { throw .store(error) }
    }

    /// Stores an item. Blocks until it is durable.
    func writeAccessItem(
        _ item: Item, by principal: Principal, urgency: WriteUrgency = .usual
    ) throws(KeyStoreError) {
        do throws(TableError) {
            try transactAndWait([.put(table: AccessTable.name, item: item)], principal: principal, urgency: urgency)
        } catch { throw .store(error) }
    }

    /// Deletes the items of keys. Blocks until that is durable.
    func deleteAccessItems(_ keys: [TableKey]) throws(KeyStoreError) {
        if keys.isEmpty { return }
        do throws(TableError) {
            _ = try transactAndWait(keys.map { .delete(table: AccessTable.name, key: $0) }, principal: .server)
        } catch { throw .store(error) }
    }

    /// How many items there are of one kind, counted no further than a limit. O(limit), without reading an item.
    func accessItemCount(_ kind: String, upTo limit: Int) throws(KeyStoreError) -> Int {
        do throws(TableError) {
            return try count(Query(table: AccessTable.name, partition: .string(kind)), upTo: limit) ?? limit
        } catch { throw .store(error) }
    }

    /// Whether there is no key of any kind.
    func hasNoAccessItems() throws(KeyStoreError) -> Bool {
        do throws(TableError) {
            guard try listTables().contains(AccessTable.name) else { return true }
            var scan = Scan(table: AccessTable.name)
            scan.limit = 1
            return try self.scan(scan).items.isEmpty
        } catch { throw .store(error) }
    }

    /// Notes the day on which a key was last seen; the rest of it stays as it is, whoever changes it meanwhile.
    func noteUse(of key: TableKey, on day: String) {
        let name: AttributeName = "lastUsed"
        _ = try? transactAndWait(
            [
                .update(
                    table: AccessTable.name, key: key,
                    actions: [.set(DocumentPath(name), .value(.string(day)))],
                    condition: .attributeExists(DocumentPath(AccessTable.partition)))
            ], principal: .server)
    }

    /// Makes the table where there is none.
    func createAccessTable() throws(KeyStoreError) {
        do throws(TableError) { try createTable(AccessTable.schema) } catch {
            if case .tableExists = error { return }
            throw .store(error)
        }
    }
}

extension TableChange {
    /// Whether it is one of a kind of items of the table.
    func isOfAccess(_ kind: String) -> Bool { table == AccessTable.name && key.partition.stringValue == kind }
}
