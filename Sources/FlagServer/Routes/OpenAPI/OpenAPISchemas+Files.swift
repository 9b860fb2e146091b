extension OpenAPISchemas {
    /// The schemas of files of flags, and of the long work that they make.
    static let files = ##"""
        "FlagFile": {
          "type": "object",
          "required": ["flags"],
          "properties": {"flags": {"description": "An object of flags by their keys (flagd's format), or a list of \##
        flags (the native one)."}},
          "additionalProperties": true,
          "description": "Up to \##(FlagTransfer.uploadBytes >> 20) MiB. flagd's format: flags by their keys, with \##
        $evaluators and metadata. The native format, as an export has it: lists of segments, flags, overrides and \##
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
        }
        """##
}
