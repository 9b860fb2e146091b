import DynamoModel
import JSON
import TableEngine

extension TableService {
    /// `Query`
    func query(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        try LegacyParameters.refuse(in: request, beside: [.projection, .filter, .keyCondition])
        let start = try PageRequest.startKey(request)
        guard request.has("KeyConditionExpression") else {
            throw .validation(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
        }
        var expressions = try RequestExpressions(request, [.projection, .filter, .keyCondition])
        let keyCondition = try expressions.keyCondition()
        let filter = try expressions.condition(.filter)
        let projection = try expressions.projection()
        try expressions.finish()
        guard let keyCondition else { return .empty }
        let terms = try converting { () throws(TableError) in try keyCondition.terms() }
        let page = try PageRequest(request, projection)
        let definition = try definition(request.tableName)
        let source = try page.source(definition)
        let query = try converting { () throws(TableError) in
            if let start { try source.checkStart(start, store.limits) }
            let (partition, sort) = try terms.bounds(partitionKey: source.partitionKey, sortKey: source.sortKey)
            var query = Query(
                table: definition.name, index: page.index, partition: partition, sort: sort,
                forward: request.flag("ScanIndexForward", default: true), limit: page.limit, filter: filter,
                exclusiveStart: start)
            query.fetchesItems = page.fetchesItems(source)
            if let start {
                try source.checkTableKey(ofStart: start, store.limits)
                try source.checkStart(of: query, store.limits)
            }
            return query
        }
        try definition.checkKeysAreScalars(projection?.paths ?? [])
        if let filter { try source.checkFilter(filter) }
        try page.checkProjection(of: source)
        if let filter { try definition.checkKeysAreScalars(filter.paths) }
        let result = try converting { () throws(TableError) in try store.query(query) }
        return respond(result, page, request, source)
    }

    /// `Scan`
    func scan(_ request: RequestReader) throws(ProtocolError) -> ProtocolResponse {
        try LegacyParameters.refuse(in: request, beside: [.projection, .filter])
        let start = try PageRequest.startKey(request)
        let segment = try PageRequest.segment(request)
        var expressions = try RequestExpressions(request, [.projection, .filter])
        let filter = try expressions.condition(.filter)
        let projection = try expressions.projection()
        try expressions.finish()
        let page = try PageRequest(request, projection)
        let definition = try definition(request.tableName)
        let source = try page.source(definition)
        if let start, source.index != nil {
            try converting { () throws(TableError) in try source.checkStart(start, store.limits) }
        }
        try page.checkProjection(of: source)
        if let start {
            try converting { () throws(TableError) in try source.checkTableKey(ofStart: start, store.limits) }
            if let segment { try source.check(start, isIn: segment, store.limits) }
        }
        try definition.checkKeysAreScalars((projection?.paths ?? []) + (filter?.paths ?? []))
        var scan = Scan(
            table: definition.name, index: page.index, limit: page.limit, filter: filter, exclusiveStart: start,
            segment: segment)
        scan.fetchesItems = page.fetchesItems(source)
        let result = try converting { () throws(TableError) in try store.scan(scan) }
        return respond(result, page, request, source)
    }

    private func respond(
        _ result: QueryPage, _ page: PageRequest, _ request: RequestReader, _ source: PageSource
    ) -> ProtocolResponse {
        var used = ConsumedCapacity(table: source.definition.name, .read)
        let consistency: ConsumedCapacity.Consistency = request.flag("ConsistentRead") ? .strong : .eventual
        used.add(
            ConsumedCapacity.readHalves(bytes: result.scannedBytes, consistency), index: source.index?.schema)
        used.add(result.fetchedBlocks * consistency.rawValue)
        capacity.count(used)
        return ProtocolResponse { writer in
            writer.consumedCapacity(used, ConsumedCapacity.Detail(request))
            writer.key("Count")
            writer.int(result.items.count)
            if page.select != .count {
                writer.key("Items")
                writer.array(result.items) { $0.attributes(page.projection?.apply(to: $1) ?? $1) }
            }
            if let last = result.lastEvaluatedKey {
                writer.key("LastEvaluatedKey")
                writer.attributes(last)
            }
            writer.key("ScannedCount")
            writer.int(result.scannedCount)
        }
    }
}

/// What queries and scans have in common.
struct PageRequest {
    /// Which attributes are answered.
    enum Select: String {
        case all = "ALL_ATTRIBUTES"
        case projected = "ALL_PROJECTED_ATTRIBUTES"
        case specific = "SPECIFIC_ATTRIBUTES"
        case count = "COUNT"
    }

    let index: String?
    let limit: Int?
    let select: Select?
    let projection: ItemProjection?
    private let isConsistent: Bool

    init(_ request: RequestReader, _ projection: ItemProjection?) throws(ProtocolError) {
        index = request.text("IndexName")
        limit = request.number("Limit").map { Int(clamping: $0) }
        select = request.text("Select").flatMap(Select.init(rawValue:))
        self.projection = projection
        isConsistent = request.flag("ConsistentRead")
        if let select, select != .specific, projection != nil {
            let parameter = request.has("AttributesToGet") ? "AttributesToGet" : "ProjectionExpression"
            throw .validation("Cannot specify the \(parameter) when choosing to get \(select.rawValue)")
        }
        if select == .specific, projection == nil {
            throw .validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
        }
        if select == .projected, index == nil {
            throw .validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
        }
    }

    /// What is read: the table, or the index if the request may read it so.
    func source(_ definition: TableDefinition) throws(ProtocolError) -> PageSource {
        let source: PageSource
        do throws(TableError) {
            source = try PageSource(definition, index: index)
        } catch {
            throw ProtocolError(error)
        }
        if let index = source.index, !index.schema.isLocal, isConsistent {
            throw .validation("Consistent reads are not supported on global secondary indexes")
        }
        return source
    }

    /// Checks that an index has what is asked of it.
    func checkProjection(of source: PageSource) throws(ProtocolError) {
        guard let index = source.index, !index.schema.isLocal else { return }
        if select == .all, index.projectedNames != nil {
            throw .validation(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global"
                    + " secondary index \(index.schema.name) because its projection type is not ALL")
        }
        if let projected = index.projectedNames, let projection {
            let missing = Set(projection.paths.map(\.attribute)).subtracting(projected)
            guard missing.isEmpty else {
                throw .validation(
                    "One or more parameter values were invalid: Global secondary index \(index.schema.name) does not"
                        + " project [\(missing.map(\.text).sorted().joined(separator: ", "))]")
            }
        }
    }

    /// Whether items are answered whole: a local index is asked for attributes that it does not project. DynamoDB
    /// fetches each item of the page then, and counts that.
    func fetchesItems(_ source: PageSource) -> Bool {
        guard let index = source.index, index.schema.isLocal, let projected = index.projectedNames else { return false }
        if let projection { return !projection.paths.allSatisfy { projected.contains($0.attribute) } }
        return select == .all
    }

    /// `ExclusiveStartKey`; values that cannot be ones are told as DynamoDB does, mostly with what they were to be.
    static func startKey(_ request: RequestReader) throws(ProtocolError) -> Item? {
        do throws(ProtocolError) {
            return try request.attributes("ExclusiveStartKey")
        } catch {
            guard error.code == .validation, let message = error.message else { throw error }
            let isBare = [
                "contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude",
            ].contains { message.contains($0) }
            throw isBare ? error : .validation("The provided starting key is invalid: \(message)")
        }
    }

    /// `Segment` and `TotalSegments`.
    static func segment(_ request: RequestReader) throws(ProtocolError) -> ScanSegment? {
        switch (request.number("Segment"), request.number("TotalSegments")) {
        case (nil, nil): return nil
        case (.some, nil):
            throw .validation(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is"
                    + " present")
        case (nil, .some):
            throw .validation(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is"
                    + " present")
        case (let segment?, let total?):
            guard segment < total else {
                throw .validation(
                    "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment:"
                        + " \(segment) is not less than TotalSegments: \(total)")
            }
            return ScanSegment(Int(segment), of: Int(total))
        }
    }
}

extension PageSource {
    /// The attribute that orders what is read.
    var sortKey: KeyAttribute? { index == nil ? definition.schema.sortKey : index?.schema.sortKey }

    /// Checks that a filter does not look at the key, which the key condition is for.
    func checkFilter(_ filter: Condition) throws(ProtocolError) {
        let attributes = Set(filter.paths.map(\.attribute))
        for key in [partitionKey, sortKey].compactMap(\.self) where attributes.contains(key.name) {
            throw .validation(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: \(key.name)")
        }
    }

    /// Checks that a starting key is one of the segment that is scanned.
    func check(_ start: Item, isIn segment: ScanSegment, _ limits: TableLimits) throws(ProtocolError) {
        let bytes: [UInt8]
        do throws(TableError) {
            bytes = try key(exclusiveStart: start, limits)
        } catch {
            throw ProtocolError(error)
        }
        guard bytes.withUnsafeBytes({ segment.holds($0, partition: partitionKey.type) }) else {
            throw .validation(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with"
                    + " correct Segment. TotalSegments: \(segment.total) Segment: \(segment.number)")
        }
    }
}

extension TableDefinition {
    /// Checks that none of the paths of a request's expressions looks for something within a key.
    func checkKeysAreScalars(_ paths: [DocumentPath]) throws(ProtocolError) {
        do throws(TableError) {
            try validateKeysAreScalars(paths)
        } catch {
            throw ProtocolError(error)
        }
    }
}
