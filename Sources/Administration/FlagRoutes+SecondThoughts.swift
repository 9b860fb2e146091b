import Access
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// What is done with a flag as a whole, beside changing it.
extension FlagRoutes {
    /// `POST /api/flags/{flagKey}/archive`
    static func archive(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        try change(.archiveFlag, request, administration)
    }

    /// `POST /api/flags/{flagKey}/unarchive`
    static func unarchive(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try change(.unarchiveFlag, request, administration)
    }

    /// `POST /api/flags/{flagKey}/restore`
    static func restore(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let operation = try request.operation(.restoreFlag, of: try request.flagKey())
        let scope = try request.scope(of: operation, administration)
        return .write(operation, scope) { written in
            guard case .restored(let flag, let overrides) = written else { return HTTPResponse(status: .noContent) }
            var response = HTTPResponse.created(flag, in: scope, administration)
            response.fields.append(("Restored-Overrides", "\(overrides)"))
            return response
        }
    }

    /// `POST /api/flags/{flagKey}/promote`
    static func promote(_ request: AdministrationRequest, _ administration: Administration) throws(Problem) -> Outcome {
        let key = try request.flagKey()
        var operation = try request.operation(.promoteFlag, of: key)
        let scope = try request.scope(of: operation, administration)
        if let source = operation.readEnvironment, request.caller.readScope(in: source) == nil {
            throw .forbidden(.read, in: source)
        }
        let target = administration.repository.reader(for: scope.reading)
        operation.expectedVersion = try expectedVersion(request, key, in: target)
        return .write(operation, scope) { written in
            guard case .promoted(let result) = written else { return HTTPResponse(status: .noContent) }
            let isDryRun = result.promotion.isDryRun
            return .json(result.json, fields: isDryRun ? [("Flag-Server-Dry-Run", "true")] : [])
        }
    }
}

extension FlagPromotion.Effect {
    /// The promotion as the interface shows it.
    fileprivate var json: JSONValue {
        var flagChange = change.json
        if !change.isNone { flagChange["version"] = .integer(flag.version) }
        return [
            "flagKey": .string(flag.key), "from": .string(promotion.source.rawValue),
            "to": .string(promotion.target.rawValue), "flag": .object(flagChange),
            "segments": .array(segments.map(\.json)),
        ]
    }
}

extension FlagPromotion.Change {
    fileprivate func json(isNone: Bool) -> JSONObject {
        [
            "change": .string(isNew ? "created" : isNone ? "none" : "changed"), "patch": difference.patch.json,
            "words": .array(difference.words.map { .string($0) }),
        ]
    }

    fileprivate var json: JSONObject { json(isNone: isNone) }
}

extension FlagPromotion.SegmentChange {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["name": .string(name)]
        for (name, value) in change.json(isNone: isNone).members { object[name] = value }
        object["keys"] = ["added": added.json, "removed": removed.json]
        return .object(object)
    }
}

extension FlagPromotion.KeyCount {
    fileprivate var json: JSONValue {
        ["count": .integer(Int64(count)), "first": .array(first.map { .string($0) })]
    }
}
