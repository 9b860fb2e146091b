import JSON

/// The parts of the OpenAPI document that are written by hand, as JSON text; tests parse the whole, follow every
/// reference, and hold it to what generators of clients can make something of.
///
/// Generators make a class of each schema that has a name, and make names up for objects and enumerations that have
/// none: so each has one. A text that goes on in the next line goes on at the margin, or the indentation is part of it.
enum OpenAPISchemas {
    /// The `info` object.
    static func information(version: String) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("title", "flag-server")
        writer.member("version", version)
        writer.member(
            "description",
            "Evaluates feature flags and administers them. Errors are RFC 9457 problems with a stable `code`; "
                + "the OFREP routes answer failures of evaluation as OFREP 0.3.0 has them. Times are RFC 3339, in "
                + "answers always UTC with milliseconds.")
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The `tags` array.
    static let tags = #"""
        [
          {"name": "OFREP", "description": "The OpenFeature Remote Evaluation Protocol 0.3.0."},
          {"name": "Evaluation", "description": "Evaluation for callers without an OpenFeature SDK."},
          {"name": "Flags", "description": "Creating, reading, changing and deleting flags."},
          {"name": "Segments", "description": "Named conditions and lists of keys that flags' rules refer to."},
          {"name": "Tenant overrides", "description": "Another answer for one tenant."},
          {"name": "Kill switches", "description": "Taking a flag, or all flags, away at once."},
          {"name": "Files", "description": "Flags as files, in and out."},
          {"name": "Operations", "description": "Health, metrics and this document."}
        ]
        """#

    /// The `components` object.
    static var components: String {
        #"{"parameters":\#(parameters),"responses":\#(responses),"schemas":{\#(schemas)}}"#
    }

    private static var schemas: String {
        [common, health, ofrep, evaluation, flags, histories, overrides, segments, files].joined(separator: ",")
    }

    private static let parameters = ##"""
        {
          "flagKey": {"name": "flagKey", "in": "path", "required": true, "example": "new-checkout",
            "description": "The flag's key, percent-encoded as one path segment (a slash is %2F).",
            "schema": {"$ref": "#/components/schemas/FlagKey"}},
          "tenantId": {"name": "tenantId", "in": "path", "required": true, "example": "acme",
            "description": "The tenant, percent-encoded as one path segment.",
            "schema": {"$ref": "#/components/schemas/TenantId"}},
          "name": {"name": "name", "in": "path", "required": true, "example": "beta-testers",
            "description": "The segment's name, percent-encoded as one path segment.",
            "schema": {"$ref": "#/components/schemas/SegmentName"}},
          "workId": {"name": "workId", "in": "path", "required": true, "example": "1f3a9c2e",
            "description": "What the list of work calls it.", "schema": {"type": "string"}},
          "key": {"name": "key", "in": "path", "required": true, "example": "new-checkout",
            "description": "The flag's key: the whole rest of the path, percent-decoded once.",
            "schema": {"type": "string"}}
        }
        """##

    private static let responses = ##"""
        {
          "ProtocolProblem": {
            "description": "What the transport refuses: a request that is not valid HTTP (400), is too slow (408) or \##
        too large (413, 414, 431), has an expectation (417), a transfer coding (501) or a version (505) that is not \##
        known here, or comes while there is too much to do (503); a failure of the server itself (500).",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          }
        }
        """##

    /// Text without control characters, as a regular expression in JSON.
    static let noControls = ##"^[^\\u0000-\\u001F\\u007F-\\u009F]*$"##

    private static let common = ##"""
        "EnvironmentName": {"type": "string",
          "enum": ["development", "staging", "production", "local", "dev", "prod"]},
        "Environment": {"type": "string", "enum": ["development", "staging", "production"]},
        "FlagKey": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "\##(noControls)",
          "description": "1 to 128 characters of any script, spaces and slashes included; no control characters, \##
        not . or .."},
        "TenantId": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "\##(noControls)"},
        "Time": {"type": "string", "format": "date-time", "examples": ["2026-01-02T03:04:05.678Z"]},
        "Metadata": {"type": "object", "description": "Any members."},
        "Rule": {"type": "object",
          "description": "JSONLogic with flagd's operators, and {\"segment\": \"name\"}."},
        "Problem": {
          "type": "object",
          "description": "RFC 9457.",
          "required": ["type", "title", "status", "detail", "code"],
          "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened and what to do."},
            "code": {"$ref": "#/components/schemas/ProblemCode"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
          }
        },
        "ProblemCode": {"type": "string", "enum": [\##(ProblemCode.allCases.map { "\"\($0.rawValue)\"" }
            .joined(separator: ", "))]},
        "Issue": {
          "type": "object",
          "description": "One thing that is wrong.",
          "required": ["pointer", "detail"],
          "properties": {
            "pointer": {"type": "string",
              "description": "A JSON pointer into the body, or ?name for a query parameter."},
            "detail": {"type": "string"}
          }
        },
        "OpenAPI": {"type": "object"}
        """##

    private static let health = ##"""
        "Liveness": {"type": "object", "required": ["status"],
          "properties": {"status": {"type": "string", "const": "ok"}}},
        "Health": {
          "type": "object",
          "required": ["status", "version", "startedAt", "checks"],
          "properties": {
            "status": {"$ref": "#/components/schemas/HealthStatus"},
            "version": {"type": "string"},
            "startedAt": {"$ref": "#/components/schemas/Time"},
            "checks": {"type": "object",
              "description": "Readiness, whether writes succeed, what was set aside for kill switches is \##
        whole, the past can be restored, and no kill switch is on: each ok or why not.",
              "additionalProperties": {"type": "string"}}
          }
        },
        "HealthStatus": {"type": "string", "enum": ["ok", "degraded", "unavailable"],
          "description": "degraded: evaluations are served, writes fail."},
        "Metrics": {"type": "string", "description": "Prometheus text format 0.0.4."}
        """##
}
