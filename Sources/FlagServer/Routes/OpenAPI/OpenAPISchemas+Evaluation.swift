extension OpenAPISchemas {
    /// The schemas of OFREP.
    static let ofrep = ##"""
        "OfrepRequest": {
          "type": "object",
          "description": "Unknown members beside context are ignored; without context there may be none.",
          "properties": {"context": {"anyOf": [{"$ref": "#/components/schemas/OfrepContext"}, {"type": "null"}],
            "description": "Missing or null is empty."}}
        },
        "OfrepContext": {
          "type": "object",
          "description": "What targeting may ask for.",
          "properties": {
            "targetingKey": {"description": "Who asks. Anything but a non-empty string counts as absent."},
            "tenantId": {"type": ["string", "null"],
              "description": "The tenant whose overrides hold; null and empty are none."}
          },
          "additionalProperties": true
        },
        "OfrepSuccess": {
          "type": "object",
          "required": ["key", "reason", "variant", "metadata"],
          "properties": {
            "key": {"type": "string"},
            "reason": {"$ref": "#/components/schemas/OfrepReason"},
            "variant": {"type": "string",
              "description": "Empty when no variant is served."},
            "value": {"description": "Any JSON value, numbers spelled as in the definition. Absent: the caller's \##
        default holds."},
            "metadata": {"$ref": "#/components/schemas/OfrepMetadata"}
          }
        },
        "OfrepReason": {"type": "string", "enum": ["STATIC", "TARGETING_MATCH", "DEFAULT", "SPLIT", "DISABLED"]},
        "OfrepMetadata": {
          "type": "object",
          "description": "The flag's own, with what the server adds.",
          "properties": {
            "stale": {"type": "boolean", "description": "True once the flag's expiresAt has passed."},
            "killSwitch": {"$ref": "#/components/schemas/KillSwitchScope"}
          },
          "additionalProperties": true
        },
        "KillSwitchScope": {"type": "string", "enum": ["global", "flag"],
          "description": "The kill switch that is on. A boolean flag is false then, with the reason STATIC; others \##
        have no value, with DISABLED."},
        "OfrepFailure": {
          "type": "object",
          "required": ["errorCode", "errorDetails", "metadata"],
          "properties": {
            "key": {"type": "string"},
            "errorCode": {"$ref": "#/components/schemas/OfrepErrorCode"},
            "errorDetails": {"type": "string"},
            "metadata": {"$ref": "#/components/schemas/Metadata"}
          }
        },
        "OfrepErrorCode": {"type": "string", "enum": ["FLAG_NOT_FOUND", "PARSE_ERROR", "TARGETING_KEY_MISSING",
          "INVALID_CONTEXT", "TYPE_MISMATCH", "GENERAL"]},
        "OfrepBulkSuccess": {
          "type": "object",
          "required": ["flags", "metadata"],
          "properties": {
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/OfrepAnswer"}},
            "metadata": {"$ref": "#/components/schemas/Metadata"}
          }
        },
        "OfrepAnswer": {"oneOf": [{"$ref": "#/components/schemas/OfrepSuccess"},
          {"$ref": "#/components/schemas/OfrepFailure"}]}
        """##

    /// The schemas of evaluation for callers without an OpenFeature SDK.
    static let evaluation = ##"""
        "EvaluationRequest": {
          "type": "object",
          "required": ["tenantId", "flagKey"],
          "properties": {
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            \##(optionalMembers)
          },
          "additionalProperties": false
        },
        "BatchEvaluationRequest": {
          "type": "object",
          "required": ["tenantId", "flagKeys"],
          "properties": {
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            "flagKeys": {"type": "array", "minItems": 1, "maxItems": 50,
              "items": {"$ref": "#/components/schemas/FlagKey"}},
            \##(optionalMembers)
          },
          "additionalProperties": false
        },
        "ExplanationRequest": {
          "type": "object",
          "description": "What /api/evaluate takes (tenantId, userId, metadata), or what OFREP takes (context).",
          "properties": {
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "context": {"anyOf": [{"$ref": "#/components/schemas/OfrepContext"}, {"type": "null"}]},
            "tenantId": {"$ref": "#/components/schemas/TenantId"},
            \##(optionalMembers)
          }
        },
        "Evaluation": {
          "type": "object",
          "required": ["enabled", "value", "variant", "flagKey", "tenantId", "reason", "source", "environment",
            "evaluatedAt"],
          "properties": {
            \##(evaluatedMembers),
            "tenantId": {"type": "string"},
            \##(answerMembers)
          }
        },
        "Explanation": {
          "type": "object",
          "description": "As Evaluation has it, and how it came about.",
          "required": ["enabled", "value", "variant", "flagKey", "tenantId", "reason", "source", "environment",
            "evaluatedAt", "changesAt", "trace"],
          "properties": {
            \##(evaluatedMembers),
            "tenantId": {"type": ["string", "null"], "description": "Null without a tenant."},
            \##(answerMembers),
            "changesAt": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}],
              "description": "When a rollout or the override's end changes the answer; null when neither does."},
            "trace": {"type": "array", "items": {"$ref": "#/components/schemas/TraceStep"},
              "description": "What was asked, in order, up to what decided."}
          }
        },
        "TraceStep": {
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
        },
        "EvaluationReason": {"type": "string", "enum": ["default", "targeting", "rollout", "tenant_override",
          "kill_switch", "disabled", "prerequisite_failed", "flag_not_found", "error"]},
        "EvaluationSource": {"type": "string", "enum": ["cache", "store", "stale", "default"]},
        "BatchEvaluation": {
          "type": "object",
          "required": ["tenantId", "evaluatedAt", "flags"],
          "properties": {
            "tenantId": {"type": "string"},
            "evaluatedAt": {"$ref": "#/components/schemas/Time"},
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/FlagEvaluation"}}
          }
        },
        "FlagEvaluation": {
          "type": "object",
          "required": ["flagKey", "enabled", "value", "variant", "reason"],
          "properties": {\##(evaluatedMembers)}
        }
        """##

    /// What each request may leave out.
    private static let optionalMembers = ##"""
        "environment": \##(optionalEnvironment),
        "userId": {"type": ["string", "null"], "description": "The targeting key; without it the tenant is."},
        "metadata": {"anyOf": [{"$ref": "#/components/schemas/Metadata"}, {"type": "null"}],
          "description": "The context; tenantId and targetingKey in it do not count."}
        """##

    /// What is said of each flag.
    private static let evaluatedMembers = ##"""
        "flagKey": {"type": "string"},
        "enabled": {"type": "boolean",
          "description": "The value of a boolean flag, else whether a variant was served."},
        "value": {"description": "The variant's value, null without a variant."},
        "variant": {"type": ["string", "null"]},
        "reason": {"$ref": "#/components/schemas/EvaluationReason"},
        "errorCode": {"type": "string", "description": "With the reason error."},
        "errorDetails": {"type": "string", "description": "With the reason error."}
        """##

    /// What is said once in an answer.
    private static let answerMembers = ##"""
        "source": {"$ref": "#/components/schemas/EvaluationSource"},
        "environment": {"$ref": "#/components/schemas/Environment"},
        "evaluatedAt": {"$ref": "#/components/schemas/Time"}
        """##
}
