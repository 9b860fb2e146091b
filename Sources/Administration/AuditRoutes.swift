import Access
import Audit
import AuditStore
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// The routes that read the audit log, and check it.
enum AuditRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/audit", "listAudit", looking, list),
        AdministrationRoute(.get, "/api/audit/head", "getAuditHead", looking, head),
        AdministrationRoute(.post, "/api/audit/chain/verify", "verifyAudit", looking.inLongWork, verify),
        AdministrationRoute(.get, "/api/audit/{sequence}", "getAuditRecord", looking, record),
    ]

    private static let looking = RoutePolicy("audit", .needsEverywhere(.administer)).with { $0.audit = .watched }
    /// Records of a page.
    private static let pageMaximum = 10_000
    private static let pageUsual = 100

    private static func list(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let trail = try administration.trail()
        let filter = try request.auditFilter()
        let order = try request.auditOrder()
        let limit = try request.query.integer("limit", in: 1...pageMaximum) ?? pageUsual
        let start = try request.cursor.map { (text) throws(Problem) in
            guard let start = Int64(text), start > 0 else {
                throw .invalidQuery([.init(pointer: "?cursor", detail: "is none that this list handed out")])
            }
            return start
        }
        // Whoever has had the response to a change finds it in the list.
        if start == nil { trail.catchUp() }
        let page = try reading { () throws(TableError) in
            try trail.page(filter, from: start, order, limit: limit)
        }
        return .respond(
            .json([
                "records": .array(page.records.map(\.json)), "nextCursor": page.next.map { .string("\($0)") } ?? .null,
            ]))
    }

    private static func record(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let trail = try administration.trail()
        let text = request.path["sequence"] ?? ""
        guard let sequence = Int64(text), sequence > 0 else {
            throw Problem(.invalidPath, "a record is named by its sequence, a whole number from 1 on, not \"\(text)\"")
        }
        trail.catchUp()
        let record = try reading { () throws(TableError) in try trail.record(sequence) }
        guard let record else {
            throw Problem(
                .auditRecordNotFound,
                "there is no record \(sequence): the log has not come so far, or it is older than records are kept "
                    + "(audit.retention)")
        }
        return .respond(.json(record.json.serializedBytes()))
    }

    private static func head(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let trail = try administration.trail()
        trail.catchUp()
        guard let head = trail.head else { throw .auditUnreadable }
        return .respond(.json(head.json.serializedBytes()))
    }

    private static func verify(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let trail = try administration.trail()
        let heads =
            try request.body.isEmpty
            ? [] : request.draft { json throws(DefinitionIssues) in try readHeads(json) }
        trail.catchUp()
        let report = try administration.onTables { _ in
            try administration.work.run("verification of the audit log", for: request.workClient) { progress in
                let report = try trail.verify(
                    against: heads, expect: { progress.expect(Int(clamping: $0)) },
                    note: { count in
                        progress.note(done: Int(clamping: count))
                        return progress.stopReason != nil
                    })
                try progress.check()
                return report
            }
        }
        return .respond(.json(report.json))
    }

    /// Reads `{"heads": [{"head", "mark", "time"}, …]}`.
    private static func readHeads(_ json: JSONValue) throws(DefinitionIssues) -> [AuditHead] {
        var reader = FieldReader(body: json, "such as {\"heads\": []}")
        var heads: [AuditHead] = []
        let list = reader.value("heads") ?? .array([])
        if list.arrayValue == nil { reader.report("heads", "must be a list of heads") }
        for (index, value) in (list.arrayValue ?? []).enumerated() {
            if let head = AuditHead(json: value) {
                heads.append(head)
            } else {
                reader.report("heads/\(index)", "is no head: {\"head\": 7, \"mark\": \"…\", \"time\": \"…\"}")
            }
        }
        try reader.finish()
        return heads
    }

    private static func reading<Result>(_ read: () throws(TableError) -> Result) throws(Problem) -> Result {
        do throws(TableError) { return try read() } catch { throw Problem(error) }
    }
}

extension Administration {
    /// The audit log.
    ///
    /// - Throws: a problem where none is kept.
    fileprivate func trail() throws(Problem) -> AuditTrail {
        guard let audit else { throw .noAudit }
        return audit
    }
}

extension AdministrationRequest {
    /// Which records are looked for.
    fileprivate func auditFilter() throws(Problem) -> AuditFilter {
        func text(_ name: String) -> String? { query[name].flatMap { $0.isEmpty ? nil : $0 } }
        var filter = AuditFilter()
        filter.actor = text("actor")
        filter.action = text("action")
        filter.flag = text("flag")
        filter.tenant = text("tenant")
        filter.environment = try namedEnvironment()
        filter.outcome = try text("outcome").map { (text) throws(Problem) in
            guard let outcome = AuditOutcome(rawValue: text) else {
                throw .unknownWord("outcome", text, AuditOutcome.allCases.map(\.rawValue))
            }
            return outcome
        }
        filter.since = try time("since")
        filter.until = try time("until")
        return filter
    }

    /// In which order a list is.
    fileprivate func auditOrder() throws(Problem) -> AuditTrail.Order {
        guard let text = query["order"] else { return .newest }
        guard let order = AuditTrail.Order(rawValue: text) else {
            throw .unknownWord("order", text, AuditTrail.Order.allCases.map(\.rawValue))
        }
        return order
    }
}

extension AuditReport {
    /// The report as it is shown.
    fileprivate var json: JSONValue {
        var object: JSONObject = [
            "records": .integer(records), "first": .integer(first), "expired": .integer(expired),
            "heads": .integer(heads), "problems": .array(problems.map { .string($0) }),
        ]
        if more > 0 { object["moreProblems"] = .integer(more) }
        if let head { object["head"] = head.json }
        return .object(object)
    }
}

extension Problem {
    fileprivate static func unknownWord(_ name: String, _ text: String, _ words: [String]) -> Problem {
        .invalidQuery([
            .init(pointer: "?\(name)", detail: "must be one of \(words.joined(separator: ", ")), not \"\(text)\"")
        ])
    }

    fileprivate static let noAudit = Problem(.auditRecordNotFound, "no audit log is kept here")

    fileprivate static let auditUnreadable = Problem(
        .storeUnavailable, "the end of the audit log cannot be read now; the log of the server says why")
}
