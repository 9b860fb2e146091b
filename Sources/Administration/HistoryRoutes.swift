import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// What flags, segments and overrides said before, how that differs, and having them say it again.
enum HistoryRoutes {
    private static let reading = RoutePolicy.reading("history")
    private static let changing = RoutePolicy.changing("history", .changeFlags)
    private static let changingOverrides = RoutePolicy.changing("history", .changeOverrides)

    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/flags/{flagKey}/history", "getFlagHistory", reading, list(ofFlag)),
        AdministrationRoute(
            .get, "/api/flags/{flagKey}/history/{version}", "getFlagVersion", reading, version(ofFlag)),
        AdministrationRoute(.get, "/api/flags/{flagKey}/diff", "diffFlag", reading, difference(ofFlag)),
        AdministrationRoute(.post, "/api/flags/{flagKey}/rollback", "rollbackFlag", changing) {
            (request, administration) throws(Problem) in
            try FlagRoutes.change(.rollbackFlag, request, administration)
        },
        AdministrationRoute(.get, "/api/segments/{name}/history", "getSegmentHistory", reading, list(ofSegment)),
        AdministrationRoute(
            .get, "/api/segments/{name}/history/{version}", "getSegmentVersion", reading, version(ofSegment)),
        AdministrationRoute(.get, "/api/segments/{name}/diff", "diffSegment", reading, difference(ofSegment)),
        AdministrationRoute(.post, "/api/segments/{name}/rollback", "rollbackSegment", changing) {
            (request, administration) throws(Problem) in
            try SegmentRoutes.change(.rollbackSegment, request, administration)
        },
        AdministrationRoute(
            .get, "/api/tenants/{tenantId}/flags/{flagKey}/history", "getOverrideHistory", reading,
            list(ofOverride)),
        AdministrationRoute(
            .get, "/api/tenants/{tenantId}/flags/{flagKey}/history/{version}", "getOverrideVersion", reading,
            version(ofOverride)),
        AdministrationRoute(
            .get, "/api/tenants/{tenantId}/flags/{flagKey}/diff", "diffOverride", reading, difference(ofOverride)),
        AdministrationRoute(
            .post, "/api/tenants/{tenantId}/flags/{flagKey}/rollback", "rollbackOverride", changingOverrides
        ) { (request, administration) throws(Problem) in
            try TenantOverrideRoutes.change(.rollbackOverride, request, administration)
        },
    ]

    // MARK: - Whose

    /// Reads whose history is asked for.
    private typealias Subject = @Sendable (AdministrationRequest) throws(Problem) -> HistorySubject

    private static let ofFlag: Subject = { (request) throws(Problem) in .flag(try request.flagKey()) }
    private static let ofSegment: Subject = { (request) throws(Problem) in .segment(try request.segmentName()) }
    private static let ofOverride: Subject = { (request) throws(Problem) in
        .override(flagKey: try request.flagKey(), tenant: try request.tenantId())
    }

    // MARK: - What

    /// `GET …/history`
    private static func list(_ subject: @escaping Subject) -> AdministrationRoute.Action {
        { (request, administration) throws(Problem) in
            let stored = try request.stored(administration)
            let subject = try subject(request)
            let limit = try request.limit()
            let tenant = request.caller.tenant
            return try stored.read { (stored) throws(FlagStoreError) in
                let page = try stored.history(of: subject, limit: limit, cursor: request.cursor) { entry in
                    tenant.map(entry.isFor) ?? true
                }
                // Something without a history is one thing (it is older than histories are), a mistyped name another.
                if page.records.isEmpty, request.cursor == nil { try stored.require(subject) }
                return .respond(.page("history", page.records.map(\.json), of: page))
            }
        }
    }

    /// `GET …/history/{version}`
    private static func version(_ subject: @escaping Subject) -> AdministrationRoute.Action {
        { (request, administration) throws(Problem) in
            let stored = try request.stored(administration)
            let subject = try subject(request)
            guard let name = VersionName(request.path["version"] ?? "") else {
                throw Problem(.invalidPath, "version in the path must be \(VersionName.expectation)")
            }
            return try stored.read { (stored) throws(FlagStoreError) in
                .respond(.json(try stored.version(name, of: subject).wholeJSON))
            }
        }
    }

    /// `GET …/diff`
    private static func difference(_ subject: @escaping Subject) -> AdministrationRoute.Action {
        { (request, administration) throws(Problem) in
            let stored = try request.stored(administration)
            let subject = try subject(request)
            guard let from = try versionName("from", in: request) else {
                throw .invalidQuery([.init(pointer: "?from", detail: "is required: \(VersionName.expectation)")])
            }
            let to = try versionName("to", in: request)
            return try stored.read { (stored) throws(FlagStoreError) in
                let old = try stored.state(from, of: subject)
                let new = try stored.state(to, of: subject)
                let difference = ContentDifference(from: old.content, to: new.content)
                return .respond(
                    .json([
                        "from": old.json, "to": new.json, "patch": difference.patch.json,
                        "words": .array(difference.words.map { .string($0) }),
                    ]))
            }
        }
    }

    private static func versionName(
        _ name: String, in request: AdministrationRequest
    ) throws(Problem) -> VersionName? {
        guard let text = request.query[name] else { return nil }
        guard let version = VersionName(text) else {
            throw .invalidQuery([.init(pointer: "?\(name)", detail: "must be \(VersionName.expectation)")])
        }
        return version
    }
}
