extension OpenAPISchemas {
    /// The schemas of segments.
    static let segments = ##"""
        "SegmentName": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "\##(noControls)",
          "examples": ["beta-testers"]},
        "SegmentKey": {"type": "string", "minLength": 1, "maxLength": 250, "pattern": "\##(noControls)",
          "examples": ["user-1"]},
        "SegmentBody": {
          "type": "object",
          "required": ["description", "owner"],
          "properties": \##(body("\(segmentContent), \(segmentKeeping)", given: ["description", "owner"])),
          "additionalProperties": false,
          "description": "Whom a rule means by {\"segment\": \"name\"}: those for whom the condition holds, and \##
        those whose keys are listed. The members that the server keeps (keyCount, version, createdAt, updatedAt, \##
        environment) may be sent back as they were read: a version that has passed is refused."
        },
        "NewSegment": {
          "type": "object",
          "required": ["name", "description", "owner"],
          "properties": \##(body(
            "\(segmentContent), \(segmentKeeping)", given: ["name", "description", "owner"])),
          "additionalProperties": false
        },
        "SegmentPatch": {
          "type": "object",
          "minProperties": 1,
          "description": "The members to change, objects member by member; null removes one, at any depth.",
          "properties": \##(body(segmentContent, given: ["name", "description", "owner"])),
          "additionalProperties": true
        },
        "Segment": {
          "type": "object",
          "required": [
            "name", "description", "owner", "environment", "keyCount", "createdAt", "updatedAt", "version"
          ],
          "properties": {\##(segmentContent), \##(segmentKeeping)}
        },
        "SegmentList": {
          "type": "object",
          "required": ["segments", "nextCursor"],
          "properties": {
            "segments": {"type": "array", "items": {"$ref": "#/components/schemas/Segment"}},
            "invalid": {"type": "array", "items": {"$ref": "#/components/schemas/InvalidSegment"},
              "description": "First page: segments whose item is not valid; the last valid condition holds."},
            "total": {"type": "integer", "description": \##
        "First page: how many there are in all, unless there are more than 10,000."},
            "nextCursor": {"type": ["string", "null"]}
          }
        },
        "InvalidSegment": {
          "type": "object",
          "required": ["name", "errors"],
          "properties": {
            "name": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
          }
        },
        "SegmentUses": {
          "type": "object",
          "required": ["name", "flags", "segments"],
          "properties": {
            "name": {"$ref": "#/components/schemas/SegmentName"},
            "flags": {"type": "array", "items": {"$ref": "#/components/schemas/FlagKey"}},
            "segments": {"type": "array", "items": {"$ref": "#/components/schemas/SegmentName"}}
          }
        },
        "SegmentKeys": {
          "type": "object",
          "required": ["keys"],
          "properties": {"keys": {\##(keys)}},
          "additionalProperties": false
        },
        "SegmentKeyEdit": {
          "type": "object",
          "description": "At least one of both. A key that is listed already, or not listed, is no error.",
          "properties": \##(body(#""add": {\#(keys)}, "remove": {\#(keys)}"#, given: [])),
          "additionalProperties": false
        },
        "SegmentKeyPage": {
          "type": "object",
          "required": ["keys", "nextCursor"],
          "properties": {"keys": {\##(keys)}, "total": {"type": "integer", "description": \##
        "First page: how many there are in all, unless there are more than 10,000."},
            "nextCursor": {"type": ["string", "null"]}}
        }
        """##

    private static let keys = ##"""
        "type": "array", "maxItems": 100000, "items": {"$ref": "#/components/schemas/SegmentKey"}
        """##

    /// What an author says of a segment.
    private static let segmentContent = ##"""
        "name": {"$ref": "#/components/schemas/SegmentName"},
        "description": {"type": "string", "minLength": 1, "maxLength": 500},
        "owner": {"type": "string", "minLength": 1, "maxLength": 100},
        "condition": {"anyOf": [{"$ref": "#/components/schemas/Rule"}, {"type": "null"}],
          "description": "As in a flag's targeting; may name other segments, but not in a circle."}
        """##

    /// What the server keeps of a segment.
    private static let segmentKeeping = ##"""
        "environment": {"$ref": "#/components/schemas/EnvironmentName"},
        "keyCount": {"type": "integer", "minimum": 0, "description": "How many keys are listed: at most 100,000."},
        "createdAt": {"$ref": "#/components/schemas/Time"},
        "updatedAt": {"$ref": "#/components/schemas/Time"},
        "version": {"type": "integer", "minimum": 1, "maximum": 9007199254740991}
        """##
}
