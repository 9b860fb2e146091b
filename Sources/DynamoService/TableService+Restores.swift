import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `RestoreTableFromBackup`
    func restoreFromBackup(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let backup = try backup(request)
        let target = try restoreTarget(request)
        let adjust = try RestoreOverrides(request).adjustment()
        return try restoring(target, request.resources) { (watch) throws(TableError) in
            try store.restore(
                backup: backup.id, to: target, replacing: false, adjust: adjust, isCancelled: watch.isCancelled,
                completion: watch.ended)
        }
    }

    /// `RestoreTableToPointInTime`
    func restoreToPointInTime(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        let point = try restorePoint(request)
        let source = try backedUpTable(try restoreSource(request))
        let target = try restoreTarget(request)
        let adjust = try RestoreOverrides(request).adjustment()
        return try restoring(target, request.resources) { (watch) throws(TableError) in
            try store.restore(
                table: source, at: point, to: target, replacing: false, adjust: adjust,
                isCancelled: watch.isCancelled, completion: watch.ended)
        }
    }

    private func restoreSource(_ request: RequestReader) throws(ProtocolError) -> String {
        guard request.has("SourceTableName") != request.has("SourceTableArn") else {
            throw .validation("Exactly one of SourceTableName and SourceTableArn must be specified")
        }
        let member: StaticString = request.has("SourceTableName") ? "SourceTableName" : "SourceTableArn"
        return request.member(member)?.stringBytes.map { RequestReader.tableName($0) } ?? ""
    }

    private func restorePoint(_ request: RequestReader) throws(ProtocolError) -> RestorePoint {
        let time = try request.milliseconds("RestoreDateTime")
        guard request.flag("UseLatestRestorableTime") != (time != nil) else {
            throw .validation("Exactly one of RestoreDateTime and UseLatestRestorableTime must be specified")
        }
        return time.map { .time($0) } ?? .latest
    }

    private func restoreTarget(_ request: RequestReader) throws(ProtocolError) -> String {
        let target = request.text("TargetTableName") ?? ""
        guard !InternalTables.contains(target) else {
            throw .validation("Table names that begin with \(InternalTables.prefix) are reserved: \(target)")
        }
        return target
    }

    private func restoring(
        _ target: String, _ resources: ResourceNames,
        _ begin: (RestoreWatch) throws(TableError) -> TableDescription
    ) throws(ProtocolError) -> ProtocolResponse {
        let watch = watchRestore(target)
        let description = try convertingBackups { () throws(TableError) in
            do throws(TableError) { return try begin(watch) } catch {
                watch.ended(.failure(error))
                throw error
            }
        }
        let summary = try convertingBackups { () throws(TableError) in try store.restoreSummary(target) }
        return ProtocolResponse { writer in
            writer.key("TableDescription")
            writer.table(description, resources, status: "CREATING", restore: summary)
        }
    }
}

/// Somebody who lists a restore while it goes on behind its response, and may give it up.
package struct RestoreWatch: Sendable {
    /// Whether it is given up.
    let isCancelled: @Sendable () -> Bool
    /// Told once how it ended: `closed` when it was given up.
    let ended: @Sendable (Result<TableDescription, TableError>) -> Void

    /// Nobody, unless said otherwise.
    package init(
        isCancelled: @escaping @Sendable () -> Bool = { false },
        ended: @escaping @Sendable (Result<TableDescription, TableError>) -> Void = { _ in }
    ) {
        self.isCancelled = isCancelled
        self.ended = ended
    }
}

/// What a request to restore wants to be other than in the backup.
struct RestoreOverrides {
    private let request: RequestReader

    init(_ request: RequestReader) { self.request = request }

    /// Makes the schema of the table from that in the backup.
    func adjustment() throws(ProtocolError) -> SchemaAdjustment {
        let billing = request.text("BillingModeOverride")
        var throughput: Throughput?
        if let given = request.structure("ProvisionedThroughputOverride") {
            guard billing != "PAY_PER_REQUEST" else { throw TableSchemaReader.throughputWithOnDemand }
            throughput = try TableSchemaReader.throughput(given)
        }
        let globals = try keptIndexes("GlobalSecondaryIndexOverride")
        let locals = try keptIndexes("LocalSecondaryIndexOverride")
        return { [throughput] schema throws(TableError) in
            var schema = schema
            schema.isProtected = false
            if let throughput { schema.throughput = throughput }
            if billing == "PAY_PER_REQUEST" { schema.throughput = nil }
            if billing == "PROVISIONED", schema.throughput == nil {
                throw .validation(
                    "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be"
                        + " specified when BillingMode is PROVISIONED")
            }
            schema.indexes =
                try Self.choose(locals, of: schema, areLocal: true) + Self.choose(globals, of: schema, areLocal: false)
            if schema.throughput == nil {
                for position in schema.indexes.indices { schema.indexes[position].throughput = nil }
            }
            return schema
        }
    }

    /// An index that is to be kept, and its throughput if that is another one.
    private struct KeptIndex: Sendable {
        let name: String
        let throughput: Throughput?
    }

    private func keptIndexes(_ name: StaticString) throws(ProtocolError) -> [KeptIndex]? {
        guard request.has(name) else { return nil }
        var kept: [KeptIndex] = []
        for structure in request.structures(name) {
            var throughput: Throughput?
            if let given = structure.structure("ProvisionedThroughput") {
                throughput = try TableSchemaReader.throughput(given)
            }
            kept.append(KeptIndex(name: structure.text("IndexName") ?? "", throughput: throughput))
        }
        return kept
    }

    /// The indexes of one kind: all where nothing is said; some may be left out, and no others be there.
    private static func choose(
        _ kept: [KeptIndex]?, of schema: TableSchema, areLocal: Bool
    ) throws(TableError) -> [IndexSchema] {
        let there = schema.indexes(local: areLocal).map(\.element)
        guard let kept else { return there }
        var indexes: [IndexSchema] = []
        for choice in kept {
            guard var index = there.first(where: { $0.name == choice.name }) else {
                throw .validation(
                    "One or more parameter values were invalid: Specified index does not exist in the backup:"
                        + " \(choice.name)")
            }
            if let throughput = choice.throughput { index.throughput = throughput }
            indexes.append(index)
        }
        return indexes
    }
}
