extension OpenAPISchemas {
    /// The schemas of flags, tenant overrides and kill switches.
    static let administration = ##"""
        "ImportFile": {
          "type": "object",
          "required": ["flags"],
          "properties": {"flags": {"type": ["object", "array"]}},
          "additionalProperties": true,
          "description": "Up to \##(FlagTransfer.uploadBytes >> 20) MiB. flagd's format: flags by their keys, with \##
          $evaluators and metadata. The native format, as an export has it: lists of flags, overrides and \##
          killSwitches, and the environment."
        },
        "ImportReport": {
          "type": "object",
          "required": ["environment", "dryRun", "lines", "kept"],
          "properties": {
            "environment": {"$ref": "#/components/schemas/Environment"},
            "dryRun": {"type": "boolean"},
            "lines": {"type": "array", "items": {"type": "string"},
              "description": "With dryRun a line for each change (+ new, ~ changed, - removed); then the counts."},
            "kept": {"type": "array", "items": {"type": "string"},
              "description": "What is wrong with flags that were stored because of keepInvalid."}
          }
        },
        "Work": {
          "type": "object",
          "required": ["id", "what", "by", "startedAt", "done", "total", "stopping"],
          "properties": {
            "id": {"type": "string"},
            "what": {"type": "string", "examples": ["import into staging"]},
            "by": {"type": "string", "description": "Who has it done."},
            "startedAt": {"$ref": "#/components/schemas/Time"},
            "done": {"type": "integer", "minimum": 0, "description": "How many changes are durable."},
            "total": {"type": ["integer", "null"], "description": "How many there will be, once that is known."},
            "stopping": {"type": "boolean", "description": "Whether it will stop at its next step."}
          }
        },
        "WorkList": {
          "type": "object",
          "required": ["work"],
          "properties": {"work": {"type": "array", "items": {"$ref": "#/components/schemas/Work"}}}
        },
        "ExportFile": {"type": "object", "required": ["flags"], "properties": {"flags": {"type": ["object", "array"]}}},
        "FlagBody": {
          "type": "object",
          "required": ["description", "owner"],
          "properties": \##(body(flagMembers, requiring: ["description", "owner"])),
          "additionalProperties": false,
          "description": "A flag in its simple spelling (defaultEnabled) or its full one (variants, …), not both. \##
          The members that the server keeps (version, createdAt, updatedAt, environment, stale, killSwitch) may be \##
          sent back as they were read: a version that has passed is refused."
        },
        "NewFlag": {
          "type": "object",
          "required": ["flagKey", "description", "owner"],
          "properties": \##(body(flagMembers, requiring: ["flagKey", "description", "owner"])),
          "additionalProperties": false
        },
        "Rollout": {
          "type": "object",
          "description": "Lets people in step by step, in the simple spelling: who is in at 10 % is in at 20 %.",
          "required": ["percentage"],
          "properties": {
            "percentage": {"type": "number", "minimum": 0, "maximum": 100,
              "description": "How many are in from endAt, or startAt, on; at most two decimals."},
            "startPercentage": {"type": "number", "minimum": 0, "maximum": 100,
              "description": "How many are in before startAt; 0 when it is left out."},
            "startAt": {"$ref": "#/components/schemas/Time"},
            "endAt": {"$ref": "#/components/schemas/Time",
              "description": "From startAt to endAt the percentage changes in a straight line."},
            "regions": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string"},
              "description": "Only for contexts whose region is one of these."},
            "cohorts": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string"},
              "description": "Only for contexts whose cohort, or one of whose cohorts, is one of these."},
            "businessHours": {
              "type": "object",
              "required": ["timeZone", "from", "to"],
              "properties": {
                "timeZone": {"type": "string", "examples": ["Europe/Berlin"]},
                "days": {"type": "array", "minItems": 1, "items": {"type": "string"}, "examples": [["mon", "tue"]]},
                "from": {"type": "string", "examples": ["09:00"]},
                "to": {"type": "string", "examples": ["17:00"],
                  "description": "Up to 24:00; before from: past midnight."}
              },
              "additionalProperties": false
            }
          },
          "additionalProperties": false
        },
        "FlagPatch": {
          "type": "object",
          "minProperties": 1,
          "description": "The members to change, objects member by member; null removes one, at any depth. \##
          Members of the full spelling turn a simple flag into a full one.",
          "properties": {"flagKey": {"$ref": "#/components/schemas/FlagKey"}},
          "additionalProperties": true
        },
        "Flag": {
          "type": "object",
          "required": ["flagKey", "description", "owner", "environment", "createdAt", "updatedAt", "version"],
          "properties": {\##(flagMembers)}
        },
        "FlagList": {
          "type": "object",
          "required": ["flags", "nextCursor"],
          "properties": {
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/Flag"}},
            "invalid": {"type": "array",
              "description": "First page: flags whose item is not valid; they are served as they last were, if ever.",
              "items": {"type": "object", "required": ["flagKey", "errors"], "properties": {
                "flagKey": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "detail"],
                  "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}}}}}},
            "nextCursor": {"type": ["string", "null"], "description": "The cursor of the next page, null on the last."}
          }
        },
        "DependentList": {
          "type": "object",
          "required": ["flagKey", "dependents"],
          "properties": {
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "dependents": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["flagKey", "variant"],
                "properties": {
                  "flagKey": {"$ref": "#/components/schemas/FlagKey"},
                  "variant": {"type": "string", "description": "The variant that it requires."}
                }
              }
            }
          }
        },
        "OverrideBody": {
          "type": "object",
          "description": "Exactly one of enabled and variant.",
          "required": ["updatedBy"],
          "properties": \##(body(overrideMembers, requiring: ["updatedBy"])),
          "additionalProperties": false
        },
        "Override": {
          "type": "object",
          "required": ["tenantId", "flagKey", "environment", "updatedAt", "updatedBy"],
          "properties": {\##(overrideMembers)}
        },
        "OverrideList": {
          "type": "object",
          "required": ["overrides", "nextCursor"],
          "properties": {
            "overrides": {"type": "array", "items": {"$ref": "#/components/schemas/Override"}},
            "invalid": {"type": "array",
              "description": "First page: overrides whose item is not valid; they hold as they last were, if ever.",
              "items": {"type": "object", "required": ["flagKey", "tenantId", "errors"], "properties": {
                "flagKey": {"type": "string"}, "tenantId": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "detail"],
                  "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}}}}}},
            "nextCursor": {"type": ["string", "null"]}
          }
        },
        "KillSwitchActivation": {
          "type": "object",
          "required": ["reason", "activatedBy"],
          "properties": {
            "flagKey": {"anyOf": [{"$ref": "#/components/schemas/FlagKey"}, {"type": "null"}],
              "description": "The flag. Required unless all is true."},
            "all": {"type": "boolean", "description": "True, and no flagKey: all flags of the environment."},
            "force": {"type": "boolean", "description": "True: also when there is no such flag yet."},
            "reason": {"type": "string", "minLength": 1, "maxLength": 500},
            "activatedBy": {"type": "string", "minLength": 1, "maxLength": 100},
            "activatedAt": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
            "enabled": {"anyOf": [{"const": true}, {"type": "null"}]},
            "environment": \##(optionalEnvironment)
          },
          "additionalProperties": false
        },
        "KillSwitchDeactivation": {
          "type": "object",
          "required": ["deactivatedBy"],
          "properties": {
            "flagKey": {"anyOf": [{"$ref": "#/components/schemas/FlagKey"}, {"type": "null"}],
              "description": "The flag. Required unless all is true."},
            "all": {"type": "boolean", "description": "True, and no flagKey: the kill switch of all flags."},
            "deactivatedBy": {"type": "string", "minLength": 1, "maxLength": 100},
            "reason": {"type": ["string", "null"], "minLength": 1, "maxLength": 500, "description": "Why it ends."},
            "environment": \##(optionalEnvironment)
          },
          "additionalProperties": false
        },
        "KillSwitch": {
          "type": "object",
          "required": ["environment", "enabled", "reason", "activatedAt", "activatedBy"],
          "properties": {
            "flagKey": {"type": ["string", "null"], "description": "Null on the kill switch of all flags."},
            "all": {"type": "boolean", "description": "True on the kill switch of all flags, else left out."},
            "environment": {"$ref": "#/components/schemas/Environment"},
            "enabled": {"type": "boolean"},
            "reason": {"type": "string"},
            "activatedAt": {"$ref": "#/components/schemas/Time"},
            "activatedBy": {"type": "string"}
          }
        },
        "KillSwitchList": {
          "type": "object",
          "required": ["killSwitches"],
          "properties": {"killSwitches": {"type": "array", "items": {"$ref": "#/components/schemas/KillSwitch"}}}
        }
        """##

    private static let flagMembers = ##"""
        "flagKey": {"$ref": "#/components/schemas/FlagKey"},
        "description": {"type": "string", "minLength": 1, "maxLength": 500},
        "owner": {"type": "string", "minLength": 1, "maxLength": 100},
        "defaultEnabled": {"type": "boolean",
          "description": "The simple spelling: a boolean flag with the variants on and off."},
        "rollout": {"anyOf": [{"$ref": "#/components/schemas/Rollout"}, {"type": "null"}]},
        "state": {"type": "string", "enum": ["ENABLED", "DISABLED"], "description": "Required beside variants."},
        "variants": {"type": "object", "description": "The full spelling, as flagd's flag definition has it."},
        "defaultVariant": {"type": ["string", "null"]},
        "targeting": {"type": ["object", "null"],
          "description": "JSONLogic with flagd's operators, and {\"segment\": \"name\"}."},
        "metadata": {"type": ["object", "null"]},
        "requires": {"type": ["array", "null"], "maxItems": 20,
          "description": "Unless each of these flags answers its variant, the flag answers its default.",
          "items": {
            "type": "object",
            "required": ["flagKey", "variant"],
            "properties": {"flagKey": {"$ref": "#/components/schemas/FlagKey"}, "variant": {"type": "string"}},
            "additionalProperties": false
          }},
        "tags": {"type": "array", "items": {"type": "string"}},
        "expiresAt": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}],
          "description": "When the flag should be gone from the code; never changes an answer."},
        "environment": {"$ref": "#/components/schemas/EnvironmentName"},
        "createdAt": {"$ref": "#/components/schemas/Time"},
        "updatedAt": {"$ref": "#/components/schemas/Time"},
        "version": {"type": "integer", "minimum": 1, "maximum": 9007199254740991},
        "stale": {"type": "boolean", "description": "True once expiresAt has passed."},
        "killSwitch": {"$ref": "#/components/schemas/KillSwitch",
          "description": "The kill switch that takes the flag away, that of all flags before its own; set elsewhere."}
        """##

    private static let overrideMembers = ##"""
        "tenantId": {"$ref": "#/components/schemas/TenantId"},
        "flagKey": {"$ref": "#/components/schemas/FlagKey"},
        "environment": {"$ref": "#/components/schemas/EnvironmentName"},
        "enabled": {"type": "boolean"},
        "variant": {"type": "string"},
        "updatedBy": {"type": "string", "minLength": 1, "maxLength": 100},
        "updatedAt": {"$ref": "#/components/schemas/Time"},
        "reason": {"type": "string", "minLength": 1, "maxLength": 500},
        "expiresAt": {"$ref": "#/components/schemas/Time", "description": "When the override ends."}
        """##
}
