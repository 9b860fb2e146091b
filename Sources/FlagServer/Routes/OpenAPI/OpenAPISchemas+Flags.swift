extension OpenAPISchemas {
    /// The schemas of flags, their history and who requires them.
    static let flags = ##"""
        "Flag": {
          "type": "object",
          "required": ["flagKey", "description", "owner", "environment", "createdAt", "updatedAt", "version"],
          "properties": {\##(flagContent), \##(flagKeeping)}
        },
        "NewFlag": {
          "type": "object",
          "required": ["flagKey", "description", "owner"],
          "properties": \##(body(
            "\(flagContent), \(flagKeeping)", given: ["flagKey", "description", "owner", "killSwitch"])),
          "additionalProperties": false
        },
        "FlagBody": {
          "type": "object",
          "required": ["description", "owner"],
          "properties": \##(body(
            "\(flagContent), \(flagKeeping)", given: ["description", "owner", "killSwitch"])),
          "additionalProperties": false,
          "description": "A flag in its simple spelling (defaultEnabled) or its full one (variants, …), not both. \##
        The members that the server keeps (version, createdAt, updatedAt, environment, stale, killSwitch) may be \##
        sent back as they were read: a version that has passed is refused."
        },
        "FlagPatch": {
          "type": "object",
          "minProperties": 1,
          "description": "The members to change, objects member by member; null removes one, at any depth. Members \##
        of the full spelling turn a simple flag into a full one.",
          "properties": \##(body(flagContent(rollout: "RolloutPatch"), given: ["flagKey", "description", "owner"])),
          "additionalProperties": true
        },
        "FlagState": {"type": "string", "enum": ["ENABLED", "DISABLED"]},
        "Variants": {"type": "object", "description": "Any JSON value by the variant's name."},
        "Requirement": {
          "type": "object",
          "required": ["flagKey", "variant"],
          "properties": {"flagKey": {"$ref": "#/components/schemas/FlagKey"}, "variant": {"type": "string"}},
          "additionalProperties": false
        },
        "Rollout": {
          "type": "object",
          "description": "Lets people in step by step, in the simple spelling: who is in at 10 % is in at 20 %.",
          "required": ["percentage"],
          "properties": {\##(rolloutMembers(hours: "BusinessHours"))},
          "additionalProperties": false
        },
        "RolloutPatch": {
          "type": "object",
          "properties": \##(body(rolloutMembers(hours: "BusinessHoursPatch"), given: ["percentage"]))
        },
        "BusinessHours": {
          "type": "object",
          "required": ["timeZone", "from", "to"],
          "properties": {\##(hoursMembers)},
          "additionalProperties": false
        },
        "BusinessHoursPatch": {
          "type": "object",
          "properties": \##(body(hoursMembers, given: ["timeZone", "from", "to"]))
        },
        "FlagList": {
          "type": "object",
          "required": ["flags", "nextCursor"],
          "properties": {
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/Flag"}},
            "invalid": {"type": "array", "items": {"$ref": "#/components/schemas/InvalidFlag"},
              "description": "First page: flags whose item is not valid; they are served as they last were, if ever."},
            "total": {"type": "integer", "description": \##
        "First page: how many there are in all, unless there are more than 10,000 or the list is filtered by tag."},
            "nextCursor": {"type": ["string", "null"], "description": "The cursor of the next page, null on the last."}
          }
        },
        "InvalidFlag": {
          "type": "object",
          "required": ["flagKey", "errors"],
          "properties": {
            "flagKey": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
          }
        },
        "DependentList": {
          "type": "object",
          "required": ["flagKey", "dependents"],
          "properties": {
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "dependents": {"type": "array", "items": {"$ref": "#/components/schemas/Dependent"}}
          }
        },
        "Dependent": {
          "type": "object",
          "required": ["flagKey", "variant"],
          "properties": {
            "flagKey": {"$ref": "#/components/schemas/FlagKey"},
            "variant": {"type": "string", "description": "The variant that it requires."}
          }
        }
        """##

    private static let flagContent = flagContent(rollout: "Rollout")

    /// What an author says of a flag.
    ///
    /// - Parameter rollout: the name of the schema of its rollout.
    private static func flagContent(rollout: String) -> String {
        ##"""
        "flagKey": {"$ref": "#/components/schemas/FlagKey"},
        "description": {"type": "string", "minLength": 1, "maxLength": 500},
        "owner": {"type": "string", "minLength": 1, "maxLength": 100},
        "defaultEnabled": {"type": "boolean",
          "description": "The simple spelling: a boolean flag with the variants on and off."},
        "rollout": {"anyOf": [{"$ref": "#/components/schemas/\##(rollout)"}, {"type": "null"}]},
        "state": {"$ref": "#/components/schemas/FlagState", "description": "Required beside variants."},
        "variants": {"$ref": "#/components/schemas/Variants",
          "description": "The full spelling, as flagd's flag definition has it."},
        "defaultVariant": {"type": ["string", "null"]},
        "targeting": {"anyOf": [{"$ref": "#/components/schemas/Rule"}, {"type": "null"}]},
        "metadata": {"anyOf": [{"$ref": "#/components/schemas/Metadata"}, {"type": "null"}]},
        "requires": {"type": ["array", "null"], "maxItems": 20, "items": {"$ref": "#/components/schemas/Requirement"},
          "description": "Unless each of these flags answers its variant, the flag answers its default."},
        "tags": {"type": "array", "items": {"type": "string"}},
        "expiresAt": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}],
          "description": "When the flag should be gone from the code; never changes an answer."}
        """##
    }

    /// What the server keeps of a flag.
    private static let flagKeeping = ##"""
        "environment": {"$ref": "#/components/schemas/EnvironmentName"},
        "createdAt": {"$ref": "#/components/schemas/Time"},
        "updatedAt": {"$ref": "#/components/schemas/Time"},
        "version": {"type": "integer", "minimum": 1, "maximum": 9007199254740991},
        "stale": {"type": "boolean", "description": "True once expiresAt has passed."},
        "killSwitch": {"$ref": "#/components/schemas/KillSwitch",
          "description": "The kill switch that takes the flag away, that of all flags before its own; set elsewhere."}
        """##

    /// - Parameter hours: the name of the schema of its business hours.
    private static func rolloutMembers(hours: String) -> String {
        ##"""
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
        "businessHours": {"$ref": "#/components/schemas/\##(hours)"}
        """##
    }

    private static let hoursMembers = ##"""
        "timeZone": {"type": "string", "examples": ["Europe/Berlin"]},
        "days": {"type": "array", "minItems": 1, "items": {"type": "string"}, "examples": [["mon", "tue"]]},
        "from": {"type": "string", "examples": ["09:00"]},
        "to": {"type": "string", "examples": ["17:00"], "description": "Up to 24:00; before from: past midnight."}
        """##
}
