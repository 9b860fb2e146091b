extension OpenAPISchemas {
    /// The schemas of tenant overrides and kill switches.
    static let overrides = ##"""
        "TenantOverride": {
          "type": "object",
          "required": ["tenantId", "flagKey", "environment", "updatedAt", "updatedBy"],
          "properties": {\##(overrideMembers)}
        },
        "TenantOverrideBody": {
          "type": "object",
          "description": "Exactly one of enabled and variant.",
          "required": ["updatedBy"],
          "properties": \##(body(overrideMembers, given: ["updatedBy"])),
          "additionalProperties": false
        },
        "TenantOverrideList": {
          "type": "object",
          "required": ["overrides", "nextCursor"],
          "properties": {
            "overrides": {"type": "array", "items": {"$ref": "#/components/schemas/TenantOverride"}},
            "invalid": {"type": "array", "items": {"$ref": "#/components/schemas/InvalidTenantOverride"},
              "description": "First page: overrides whose item is not valid; they hold as they last were, if ever."},
            "total": {"type": "integer", "description": \##
        "First page: how many there are in all, unless there are more than 10,000."},
            "nextCursor": {"type": ["string", "null"]}
          }
        },
        "InvalidTenantOverride": {
          "type": "object",
          "required": ["flagKey", "tenantId", "errors"],
          "properties": {
            "flagKey": {"type": "string"},
            "tenantId": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
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
            "enabled": {"type": ["boolean", "null"], "description": "As it was read: true."},
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
