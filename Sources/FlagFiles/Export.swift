import Bytes
import DynamoModel
import FlagCore
import FlagStore
import JSON

/// Writes an environment's flags as a file that `ImportDocument` reads: importing an export changes nothing.
///
/// One record a line, in the order of keys, so that two exports can be compared line by line. What is written while the
/// export reads may or may not be in it.
package struct Export: Sendable {
    /// The format.
    package let format: ImportDocument.Format
    /// Whose flags.
    package let stored: FlagReader

    /// - Parameters:
    ///   - format: native holds segments, flags, overrides and kill switches; flagd holds flags only.
    ///   - stored: whose flags.
    package init(_ format: ImportDocument.Format, of stored: FlagReader) {
        self.format = format
        self.stored = stored
    }

    /// Writes the file piece by piece: a million overrides are never in memory at once. Blocks.
    ///
    /// - Parameter sink: takes pieces of up to about 64 KiB; what it throws ends the export and is thrown on.
    /// - Returns: what the format has no words for or what is not valid, a line for each thing that it concerns.
    /// - Throws: `FlagStoreError`, or what `sink` throws.
    @discardableResult
    package func write(to sink: @escaping ([UInt8]) throws -> Void) throws -> [String] {
        var flags: [FlagRecord] = []
        try stored.forEachFlag { flags.append($0) }
        flags.sort { ExactText($0.key) < ExactText($1.key) }
        switch format {
        case .flagd:
            let archived = flags.filter(\.isArchived).map { "the flag \($0.key) is archived and is left out" }
            return try writeFlagd(flags.filter { !$0.isArchived }, sink) + archived + invalid()
        case .native: try writeNative(flags, sink)
        }
        return try invalid()
    }

    /// What the file lacks because its item is not valid, a line for each.
    private func invalid() throws(FlagStoreError) -> [String] {
        // Somebody else's names may be as long as keys are: the lines must fit a header field.
        func line(_ what: String, _ issues: [DefinitionIssue]) -> String {
            let reasons = issues.prefix(3).map { "\($0.pointer) \($0.message)" }.joined(separator: "; ")
            return "\(what.prefix(200)): what is stored is not valid and is left out (\(reasons.prefix(300)))"
        }
        var lines = try stored.invalidFlags().map {
            line("the flag \($0.name) with its overrides", $0.issues)
        }
        guard format == .native else { return lines }
        lines += try stored.invalidSegments().map { line("the segment \($0.name)", $0.issues) }
        lines += try stored.invalidOverrides().map {
            line("the override of \($0.flagKey) for \($0.tenant)", $0.issues)
        }
        return lines
    }

    /// The whole file.
    package func bytes() throws -> [UInt8] { try file().bytes }

    /// The whole file, and what its format has no words for.
    package func file() throws -> (bytes: [UInt8], warnings: [String]) {
        var bytes: [UInt8] = []
        let warnings = try write { bytes += $0 }
        return (bytes, warnings)
    }

    private func writeFlagd(_ flags: [FlagRecord], _ sink: @escaping ([UInt8]) throws -> Void) throws -> [String] {
        var warnings: [String] = []
        var lines = LineWriter(sink)
        try lines.add(#"{"#)
        try lines.add(#"  "$schema": "https://flagd.dev/schema/v0/flags.json","#)
        try lines.add(#"  "flags": {"#)
        for (index, flag) in flags.enumerated() {
            let comma = index + 1 < flags.count ? "," : ""
            let key = JSONValue.string(flag.key).serialized()
            let form = try FlagdForm(flag, segmentsIn: stored)
            try lines.add("    \(key): \(form.definition.serialized())\(comma)")
            if !form.leftOut.isEmpty {
                let things = form.leftOut.joined(separator: "; ")
                warnings.append("the flag \(flag.key): \(things), which flagd's format leaves out")
            }
        }
        try lines.add("  }")
        try lines.add("}")
        try lines.finish()
        return warnings
    }

    private func writeNative(_ flags: [FlagRecord], _ sink: @escaping ([UInt8]) throws -> Void) throws {
        var lines = LineWriter(sink)
        try lines.add("{")
        try lines.add("  \"environment\": \"\(stored.environment.rawValue)\",")
        try lines.add("  \"segments\": [")
        var segments: [SegmentRecord] = []
        try stored.forEachSegment { segments.append($0) }
        for segment in segments {
            var json = segment.json(keyCount: nil).objectValue ?? JSONObject()
            let keys = try stored.allKeys(ofSegment: segment.name)
            json["keys"] = .array(keys.map { .string($0) })
            try lines.addElement(.object(json))
        }
        try lines.endElements()
        try lines.add("  ],")
        try lines.add("  \"flags\": [")
        // A flag's own date decides whether it is stale: the file must not depend on the day of the export.
        for flag in flags { try lines.addElement(flag.json(at: Timestamp(millisecondsSinceEpoch: .min))) }
        try lines.endElements()
        try lines.add("  ],")
        try lines.add("  \"overrides\": [")
        for flag in flags {
            var cursor: String?
            repeat {
                let page = try stored.overrides(
                    ofFlag: flag.key, limit: FlagLimits.pageSize, cursor: cursor)
                for override in page.records { try lines.addElement(override.json) }
                cursor = page.nextCursor
            } while cursor != nil
        }
        try lines.endElements()
        try lines.add("  ],")
        try lines.add("  \"killSwitches\": [")
        let keys = Set(flags.map { ExactText($0.key) })
        for killSwitch in try stored.killSwitches() {
            var json = killSwitch.json.objectValue ?? JSONObject()
            // What is on is on, whether or not there is such a flag.
            if let key = killSwitch.flagKey, !keys.contains(ExactText(key)) { json["force"] = true }
            try lines.addElement(.object(json))
        }
        try lines.endElements()
        try lines.add("  ]")
        try lines.add("}")
        try lines.finish()
    }
}

/// Collects lines into pieces.
private struct LineWriter {
    private let sink: ([UInt8]) throws -> Void
    private var bytes: [UInt8] = []
    /// An element that waits to learn whether another follows.
    private var element: [UInt8]?

    init(_ sink: @escaping ([UInt8]) throws -> Void) {
        self.sink = sink
    }

    mutating func add(_ line: String) throws {
        bytes += line.utf8
        try endLine()
    }

    /// Adds an element of an array, with a comma if it is not the last.
    mutating func addElement(_ json: JSONValue) throws {
        try flushElement(isLast: false)
        element = json.serializedBytes()
    }

    mutating func endElements() throws {
        try flushElement(isLast: true)
    }

    mutating func finish() throws {
        if !bytes.isEmpty { try sink(bytes) }
        bytes = []
    }

    private mutating func flushElement(isLast: Bool) throws {
        guard let element else { return }
        bytes += "    ".utf8
        bytes += element
        if !isLast { bytes.append(UInt8(ascii: ",")) }
        self.element = nil
        try endLine()
    }

    private mutating func endLine() throws {
        bytes.append(UInt8(ascii: "\n"))
        guard bytes.count >= 65_536 else { return }
        try sink(bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}
