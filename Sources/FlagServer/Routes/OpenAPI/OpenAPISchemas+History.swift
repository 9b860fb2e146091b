import FlagCore

extension OpenAPISchemas {
    /// The schemas of the histories of flags and segments.
    static let histories = ##"""
        "History": {
          "type": "object",
          "required": ["history"],
          "properties": {"history": {"type": "array", "items": {"$ref": "#/components/schemas/HistoryEntry"}}}
        },
        "HistoryEntry": {
          "type": "object",
          "required": ["at", "by", "change"],
          "properties": {
            "at": {"$ref": "#/components/schemas/Time"},
            "by": {"type": "string", "description": "Who made the change."},
            "change": {"$ref": "#/components/schemas/HistoryChange"},
            "tenantId": {"type": "string", "description": "override_…: whose override."},
            "updatedBy": {"type": "string", "description": "override_…: who set it, if that was said."},
            "activatedBy": {"type": "string", "description": "killed: who set the kill switch."},
            "deactivatedBy": {"type": "string", "description": "revived: who ended it, if that was said."},
            "reason": {"type": "string", "description": "killed, revived, override_…: why."},
            "attributes": {"type": "array", "items": {"type": "string"},
              "description": "The attributes of the item that differ from before."},
            "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ValueChange"},
              "description": "What changed, from what to what. Entries of former versions have none."},
            "moreChanges": {"type": "integer", "minimum": 1,
              "description": "How many changes are left out, since the entry has no room for them."},
            "overrides": {"$ref": "#/components/schemas/HistoryCounts",
              "description": "overrides_changed: how many were created, changed, deleted, refused; tenants."},
            "keys": {"$ref": "#/components/schemas/HistoryCounts",
              "description": "How many keys of the segment were added and removed, and some of them."},
            "issues": {"type": "array", "items": {"$ref": "#/components/schemas/Issue"},
              "description": "What is wrong with an item that was refused."}
          }
        },
        "HistoryChange": {"type": "string",
          "enum": ["created", "changed", "deleted", "refused", "killed", "revived", "override_created",
            "override_changed", "override_deleted", "override_refused", "overrides_changed"],
          "description": "refused: an item was written that is not valid; the last valid form is served. \##
        override_…: the same of the override for tenantId. overrides_changed: of many at once."},
        "ValueChange": {
          "type": "object",
          "description": "What was not there before has no before, what is gone has no after. Objects are compared \##
        member by member, arrays as a whole, unless an entry has no room for them.",
          "required": ["pointer"],
          "properties": {
            "pointer": {"type": "string", "examples": ["/defaultVariant"],
              "description": "Where (RFC 6901), in what a read answers; empty for all of it."},
            "before": {},
            "after": {},
            "beforeBytes": {"type": "integer",
              "description": "In the place of before: so long is its JSON text, too long for an entry."},
            "afterBytes": {"type": "integer", "description": "The same of after."}
          }
        },
        "HistoryCounts": {
          "type": "object",
          "description": "By what happened.",
          "additionalProperties": {"$ref": "#/components/schemas/HistoryCount"}
        },
        "HistoryCount": {
          "type": "object",
          "required": ["count", "first"],
          "properties": {
            "count": {"type": "integer", "minimum": 1},
            "first": {"type": "array", "maxItems": \##(FlagLimits.talliedNames), "items": {"type": "string"},
              "description": "The names of the first."}
          }
        }
        """##
}
