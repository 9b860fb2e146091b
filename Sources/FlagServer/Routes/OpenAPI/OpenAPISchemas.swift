import JSON

/// The parts of the OpenAPI document that are written by hand, as JSON text; a test parses the whole and follows every
/// reference.
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
        [common, ofrep, evaluation, administration, histories, segments].joined(separator: ",")
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
            "description": "What the transport refuses: a request that is not valid HTTP (400), is too \##
            slow (408) or too large (413, 414, 431), has an expectation (417), a transfer coding (501) or a version \##
            (505) that is not known here, or comes while there is too much to do (503); a failure of the server \##
            itself (500).",
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
          "description": "1 to 128 characters of any script, spaces and slashes included; no control \##
          characters, not . or .."},
        "TenantId": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "\##(noControls)"},
        "Time": {"type": "string", "format": "date-time", "examples": ["2026-01-02T03:04:05.678Z"]},
        "Problem": {
          "type": "object",
          "description": "RFC 9457.",
          "required": ["type", "title", "status", "detail", "code"],
          "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened and what to do."},
            "code": {"type": "string", "enum": [\##(ProblemCode.allCases.map { "\"\($0.rawValue)\"" }
                .joined(separator: ", "))]},
            "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "detail"],
              "properties": {
                "pointer": {"type": "string",
                  "description": "A JSON pointer into the body, or ?name for a query parameter."},
                "detail": {"type": "string"}}}}
          }
        },
        "Health": {"type": "object", "required": ["status"],
          "properties": {"status": {"type": "string", "enum": ["ok"]}}},
        "HealthReport": {
          "type": "object",
          "required": ["status", "version", "startedAt", "checks"],
          "properties": {
            "status": {"type": "string", "enum": ["ok", "degraded", "unavailable"],
              "description": "degraded: evaluations are served, writes fail."},
            "version": {"type": "string"},
            "startedAt": {"$ref": "#/components/schemas/Time"},
            "checks": {"type": "object",
              "description": "Readiness, whether writes succeed, the past can be restored, and no kill switch is on: \##
              each ok or why not.",
              "additionalProperties": {"type": "string"}}
          }
        },
        "Metrics": {"type": "string", "description": "Prometheus text format 0.0.4."},
        "OpenAPI": {"type": "object"}
        """##

    private static let ofrep = ##"""
        "OFREPRequest": {
          "type": "object",
          "description": "Unknown members beside context are ignored; without context there may be none.",
          "properties": {"context": {"$ref": "#/components/schemas/OFREPContext"}}
        },
        "OFREPContext": {
          "type": ["object", "null"],
          "description": "What targeting may ask for; missing or null is empty.",
          "properties": {
            "targetingKey": {"description": "Who asks. Anything but a non-empty string counts as absent."},
            "tenantId": {"type": ["string", "null"],
              "description": "The tenant whose overrides hold; null and empty are none."}
          },
          "additionalProperties": true
        },
        "OFREPSuccess": {
          "type": "object",
          "required": ["key", "reason", "variant", "metadata"],
          "properties": {
            "key": {"type": "string"},
            "reason": {"type": "string", "enum": ["STATIC", "TARGETING_MATCH", "DEFAULT", "SPLIT", "DISABLED"]},
            "variant": {"type": "string",
              "description": "Empty when no variant is served."},
            "value": {"description": "Any JSON value, numbers spelled as in the definition. Absent: the caller's \##
              default holds."},
            "metadata": {"type": "object", "additionalProperties": true,
              "description": "The flag's own, with what the server adds.",
              "properties": {
                "stale": {"type": "boolean", "description": "True once the flag's expiresAt has passed."},
                "killSwitch": {"type": "string", "enum": ["global", "flag"],
                  "description": "The kill switch that is on. A boolean flag is false then, with the reason STATIC; \##
                  others have no value, with DISABLED."}
              }}
          }
        },
        "OFREPFailure": {
          "type": "object",
          "required": ["errorCode", "errorDetails", "metadata"],
          "properties": {
            "key": {"type": "string"},
            "errorCode": {"type": "string", "enum": ["FLAG_NOT_FOUND", "PARSE_ERROR", "TARGETING_KEY_MISSING",
              "INVALID_CONTEXT", "TYPE_MISMATCH", "GENERAL"]},
            "errorDetails": {"type": "string"},
            "metadata": {"type": "object"}
          }
        },
        "OFREPBulkSuccess": {
          "type": "object",
          "required": ["flags", "metadata"],
          "properties": {"metadata": {"type": "object"}, "flags": {"type": "array", "items": {"anyOf": [
            {"$ref": "#/components/schemas/OFREPSuccess"}, {"$ref": "#/components/schemas/OFREPFailure"}]}}}
        }
        """##

    private static let evaluation = ##"""
        "EvaluateRequest": {
          "type": "object",
          "required": ["tenantId", "flagKey"],
          "properties": {
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "environment": \##(optionalEnvironment),
            "userId": {"type": ["string", "null"], "description": "The targeting key; without it the tenant is."},
            "metadata": {"type": ["object", "null"],
              "description": "The context; tenantId and targetingKey in it do not count."}
          },
          "additionalProperties": false
        },
        "ExplainRequest": {
          "type": "object",
          "description": "What /api/evaluate takes (tenantId, userId, metadata), or what OFREP takes (context).",
          "properties": {
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "environment": \##(optionalEnvironment),
            "context": {"$ref": "#/components/schemas/OFREPContext"},
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            "userId": {"type": ["string", "null"]},
            "metadata": {"type": ["object", "null"]}
          }
        },
        "EvaluateAnswer": {
          "type": "object",
          "required": ["enabled", "value", "variant", "flagKey", "tenantId", "reason", "source", "environment",
            "evaluatedAt"],
          "properties": {
            "enabled": {"type": "boolean",
              "description": "The value of a boolean flag, else whether a variant was served."},
            "value": {"description": "The variant's value, null without a variant."},
            "variant": {"type": ["string", "null"]},
            "flagKey": {"type": "string"},
            "tenantId": {"type": "string"},
            "reason": {"$ref": "#/components/schemas/EvaluateReason"},
            "source": {"type": "string", "enum": ["cache", "store", "stale", "default"]},
            "environment": {"$ref": "#/components/schemas/Environment"},
            "evaluatedAt": {"$ref": "#/components/schemas/Time"},
            "errorCode": {"type": "string", "description": "With the reason error."},
            "errorDetails": {"type": "string", "description": "With the reason error."}
          }
        },
        "Explanation": {
          "type": "object",
          "description": "As EvaluateAnswer has it, and how it came about.",
          "required": ["enabled", "value", "variant", "flagKey", "tenantId", "reason", "source", "environment",
            "evaluatedAt", "changesAt", "trace"],
          "properties": {
            "enabled": {"type": "boolean"},
            "value": {},
            "variant": {"type": ["string", "null"]},
            "flagKey": {"type": "string"},
            "tenantId": {"type": ["string", "null"], "description": "Null without a tenant."},
            "reason": {"$ref": "#/components/schemas/EvaluateReason"},
            "source": {"type": "string", "enum": ["cache", "store", "stale", "default"]},
            "environment": {"$ref": "#/components/schemas/Environment"},
            "evaluatedAt": {"$ref": "#/components/schemas/Time"},
            "errorCode": {"type": "string"},
            "errorDetails": {"type": "string"},
            "changesAt": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}],
              "description": "When a rollout or the override's end changes the answer; null when neither does."},
            "trace": {
              "type": "array",
              "description": "What was asked, in order, up to what decided.",
              "items": {
                "type": "object",
                "required": ["step", "decides", "detail"],
                "properties": {
                  "step": {"type": "string"},
                  "decides": {"type": "boolean"},
                  "detail": {"type": "string"},
                  "rule": {"type": "object", "description": "An operator with its arguments (a value, an operator, \##
                    notEvaluated, or evaluations for each element), its result, and the hash and bucket it used."},
                  "isCut": {"type": "boolean", "description": "Whether some of the rule's trace was left out."},
                  "readsClock": {"type": "boolean", "description": "Whether the rule reads $flagd.timestamp."}
                }
              }
            }
          }
        },
        "EvaluateReason": {"type": "string", "enum": ["default", "targeting", "rollout", "tenant_override",
          "kill_switch", "disabled", "prerequisite_failed", "flag_not_found", "error"]},
        "EvaluateBatchRequest": {
          "type": "object",
          "required": ["tenantId", "flagKeys"],
          "properties": {
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            "flagKeys": {"type": "array", "minItems": 1, "maxItems": 50,
              "items": {"$ref": "#/components/schemas/FlagKey"}},
            "environment": \##(optionalEnvironment),
            "userId": {"type": ["string", "null"]},
            "metadata": {"type": ["object", "null"]}
          },
          "additionalProperties": false
        },
        "EvaluateBatchAnswer": {
          "type": "object",
          "required": ["tenantId", "evaluatedAt", "flags"],
          "properties": {
            "tenantId": {"type": "string"},
            "evaluatedAt": {"$ref": "#/components/schemas/Time"},
            "flags": {"type": "array", "items": {
              "type": "object",
              "required": ["flagKey", "enabled", "value", "variant", "reason"],
              "properties": {
                "flagKey": {"type": "string"},
                "enabled": {"type": "boolean"},
                "value": {},
                "variant": {"type": ["string", "null"]},
                "reason": {"$ref": "#/components/schemas/EvaluateReason"},
                "errorCode": {"type": "string"},
                "errorDetails": {"type": "string"}
              }
            }}
          }
        }
        """##
}
