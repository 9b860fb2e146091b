import Bytes
import FlagCore
import FlagStore
import JSON

/// A file of flags, read and checked: flagd's format, or the native one as `Export` writes it.
///
/// - flagd: `{"flags": {KEY: DEFINITION}, "$evaluators": …, "metadata": …}`. Owner and description come from a flag's
///   metadata (`owner`, `description`), else they are `imported` and the key; so does `clientSide`.
/// - native: `{"environment"?, "segments"?: [SEGMENT], "flags": [FLAG], "overrides"?: [OVERRIDE],
///   "killSwitches"?: [KILL SWITCH]}`, each as the interface shows it, a segment with its `keys`. What a file does not
///   mention at all, an import leaves as it is.
package struct ImportDocument: Sendable {
    /// The two formats.
    package enum Format: String, Sendable, CaseIterable {
        case native
        case flagd
    }

    /// Which one it is.
    package let format: Format
    /// The environment that the file names as its own.
    package let environment: Environment?
    /// The flags, in the file's order.
    package let flags: [ImportedFlag]
    /// The segments; nil when the file does not speak of segments.
    package let segments: [SegmentDraft]?
    /// The overrides; nil when the file does not speak of overrides.
    package let overrides: [TenantOverrideDraft]?
    /// The kill switches; nil when the file does not speak of them.
    package let killSwitches: [KillSwitchDraft]?
    /// Whether what is not valid is to be stored too.
    let keepsInvalid: Bool
    /// What is wrong with the rules of flags that are to be stored all the same.
    package let kept: [DefinitionIssue]

    /// Reads a file's text.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - keepInvalid: whether flags whose rule is not valid are taken all the same; they answer `PARSE_ERROR`.
    /// - Throws: everything that is wrong with the file, with pointers into it; nothing is to be imported then.
    ///   O(text); 1,000,000 overrides are never a tree of JSON values at once.
    package init(parsing text: [UInt8], keepInvalid: Bool = false) throws(DefinitionIssues) {
        let reader = text.withUnsafeBytes { bytes in ImportReader(bytes, keepInvalid: keepInvalid) }
        guard reader.issues.isEmpty else { throw DefinitionIssues(issues: reader.issues) }
        format = reader.format
        environment = reader.environment
        flags = reader.flags
        segments = reader.segments
        overrides = reader.overrides
        killSwitches = reader.killSwitches
        kept = reader.kept
        keepsInvalid = keepInvalid
    }
}

/// A flag of a file.
package struct ImportedFlag: Sendable {
    /// The flag as the file has it, what it does not say filled in.
    package var draft: FlagDraft
    /// Whether the file says everything about the flag; flagd's format knows neither expiry nor tags.
    var isComplete = true
    /// Whether the file gives an owner.
    var saysOwner = true
    /// Whether the file gives a description.
    var saysDescription = true
    /// Whether the file says if a key in a browser or an app may evaluate it.
    var saysClientSide = true
}

/// Reads a file and collects what is wrong with it.
private struct ImportReader {
    var format = ImportDocument.Format.native
    var environment: Environment?
    var flags: [ImportedFlag] = []
    var segments: [SegmentDraft]?
    var overrides: [TenantOverrideDraft]?
    var killSwitches: [KillSwitchDraft]?
    var kept: [DefinitionIssue] = []
    var issues: [DefinitionIssue] = []
    let keepInvalid: Bool

    /// How many issues are listed; a file with a million wrong overrides has one mistake.
    private static let issuesMaximum = 10_000

    init(_ bytes: UnsafeRawBufferPointer, keepInvalid: Bool) {
        self.keepInvalid = keepInvalid
        let tape = JSONTape()
        do throws(JSONError) { try tape.parse(bytes) } catch {
            issues = [DefinitionIssue(pointer: "", message: ImportReader.complaint(about: bytes, error))]
            return
        }
        guard tape.root.kind == .object else {
            issues = [DefinitionIssue(pointer: "", message: "must be an object with flags")]
            return
        }
        guard ImportReader.hasFlags(tape.root) else {
            report(
                JSONPointer().appending("flags"),
                "must be an array of flags (the native format), or an object of flags by key (flagd's)")
            return
        }
        if ImportReader.isNative(tape.root) {
            readNative(tape.root)
        } else {
            format = .flagd
            readFlagd(tape.root.materialized())
        }
        findDuplicates()
    }

    /// Where a file stops being JSON, as editors tell places too, and what it may be instead.
    private static func complaint(about bytes: UnsafeRawBufferPointer, _ error: JSONError) -> String {
        let place = error.place(in: bytes)
        let message = "is not JSON: \(error), line \(place.line), column \(place.column)"
        return looksLikeYAML(bytes) ? message + "; this looks like YAML: write it as JSON" : message
    }

    /// Whether the first line that says anything is one that YAML begins with: `---`, a comment, `- item`, `key:`.
    private static func looksLikeYAML(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let lines = bytes.prefix(4096).split(whereSeparator: { $0 == 10 || $0 == 13 })
        guard let line = lines.first(where: { $0.contains { $0 != 32 } }) else { return false }
        let text = String(decoding: line, as: UTF8.self)
        if ["---", "#", "%YAML", "- "].contains(where: text.hasPrefix) { return true }
        guard let colon = text.firstIndex(of: ":") else { return false }
        let rest = text[text.index(after: colon)...]
        let isName = text[..<colon].allSatisfy { $0.isLetter || $0.isNumber || "_-.$".contains($0) }
        return isName && colon > text.startIndex && (rest.isEmpty || rest.hasPrefix(" "))
    }

    /// Whether the file has flags in one of the two ways, or is a native one that speaks of other things only.
    private static func hasFlags(_ root: JSONView) -> Bool {
        guard let flags = root["flags"] else { return hasNativeMembers(root) }
        return flags.kind == .object || flags.kind == .array
    }

    private static let nativeMembers = ["environment", "segments", "flags", "overrides", "killSwitches"]

    private static func hasNativeMembers(_ root: JSONView) -> Bool {
        root["segments"] != nil || root["overrides"] != nil || root["killSwitches"] != nil
    }

    /// A native file has an array of flags with `flagKey`, or members that flagd's format does not have.
    private static func isNative(_ root: JSONView) -> Bool {
        if hasNativeMembers(root) { return true }
        guard let flags = root["flags"], flags.kind == .array else { return false }
        guard let first = flags.element(at: 0) else { return true }
        return first.kind != .object || first["flagKey"] != nil || first["key"] == nil
    }

    // MARK: - Native

    private mutating func readNative(_ root: JSONView) {
        let pointer = JSONPointer()
        for (name, value) in root.members {
            switch String(decoding: name, as: UTF8.self) {
            case "environment":
                guard let text = value.string, let environment = Environment(spelling: text) else {
                    report(pointer.appending("environment"), "must be \(Environment.spellings)")
                    continue
                }
                self.environment = environment
            case "flags":
                forEachElement(of: value, at: pointer.appending("flags")) { reader, view, place in
                    reader.readNativeFlag(view.materialized(), at: place())
                }
            case "segments":
                segments = []
                forEachElement(of: value, at: pointer.appending("segments")) { reader, view, place in
                    do throws(DefinitionIssues) {
                        let json = view.materialized()
                        reader.segments?.append(try SegmentDraft(json: json, at: place(), takesKeys: true))
                    } catch {
                        reader.report(error.issues)
                    }
                }
            case "overrides":
                overrides = []
                forEachElement(of: value, at: pointer.appending("overrides")) { reader, view, place in
                    reader.readOverride(view.materialized(), at: place)
                }
            case "killSwitches":
                killSwitches = []
                forEachElement(of: value, at: pointer.appending("killSwitches")) { reader, view, place in
                    do throws(DefinitionIssues) {
                        reader.killSwitches?.append(try KillSwitchDraft(json: view.materialized(), at: place()))
                    } catch {
                        reader.report(error.issues)
                    }
                }
            case let name:
                report(pointer.appending(name), Suggestion.unknown(name, among: ImportReader.nativeMembers))
            }
        }
    }

    private mutating func readNativeFlag(_ json: JSONValue, at place: JSONPointer) {
        let reading: FlagReading
        do throws(DefinitionIssues) { reading = try FlagReading(json, key: nil, at: place) } catch {
            return report(error.issues)
        }
        take(reading.ruleIssues)
        // Together with an invalid rule, the rest may be wrong as well: a key is all it takes.
        let isKept = keepInvalid && !reading.ruleIssues.isEmpty && reading.draft != nil
        if isKept { kept += reading.fieldIssues } else { report(reading.fieldIssues) }
        if let draft = reading.draft { flags.append(ImportedFlag(draft: draft)) }
    }

    private mutating func readOverride(_ json: JSONValue, at place: () -> JSONPointer) {
        // The pointer is made only for what is wrong: there may be a million of these.
        if let draft = try? TenantOverrideDraft(json: json) {
            overrides?.append(draft)
            return
        }
        do throws(DefinitionIssues) {
            overrides?.append(try TenantOverrideDraft(json: json, at: place()))
        } catch {
            report(error.issues)
        }
    }

    private mutating func forEachElement(
        of array: JSONView, at pointer: JSONPointer,
        _ body: (inout ImportReader, JSONView, () -> JSONPointer) -> Void
    ) {
        guard array.kind == .array else { return report(pointer, "must be an array") }
        var index = 0
        for element in array.elements {
            let place = index
            body(&self, element) { pointer.appending(place) }
            index += 1
        }
    }

    // MARK: - flagd

    private mutating func readFlagd(_ json: JSONValue) {
        let document: FlagdDocument
        do throws(DefinitionIssues) { document = try FlagdDocument(json) } catch { return report(error.issues) }
        take(document.issues)
        report(ClientSideMetadata.issues(in: json, at: JSONPointer()))
        /// Places in shared rules that were told already: many flags may refer to one rule.
        var shared: Set<String> = []
        for flag in document.flags {
            let place = JSONPointer().appending("flags").appending(flag.key)
            if let complaint = TextRule.flagKey.complaint(about: flag.key) {
                report(place, "the key \(complaint)")
                continue
            }
            var rule = FlagRule(definition: ClientSideMetadata.removed(from: flag.definition))
            var isInvalid = false
            switch flag.checked {
            case .success(let definition):
                rule = FlagRule(definition: ClientSideMetadata.removed(from: definition.json))
            case .failure(let error):
                isInvalid = true
                take(error.issues.filter { !$0.pointer.hasPrefix("/$evaluators/") || shared.insert("\($0)").inserted })
            }
            let metadata = flag.definition["metadata"]
            let owner = metadata?["owner"]?.stringValue.flatMap { TextRule.owner.accepted($0) }
            let description = metadata?["description"]?.stringValue.flatMap { TextRule.description.accepted($0) }
            var draft = FlagDraft(
                key: flag.key, description: description ?? flag.key, owner: owner ?? "imported", rule: rule)
            draft.isKeptInvalid = isInvalid
            let isClientSide = ClientSideMetadata.value(in: flag.definition)
            draft.isClientSide = isClientSide ?? false
            let wrong = ClientSideMetadata.issues(in: flag.definition, at: place, besides: json)
            if isInvalid { take(wrong) } else { report(wrong) }
            flags.append(
                ImportedFlag(
                    draft: draft, isComplete: false, saysOwner: owner != nil, saysDescription: description != nil,
                    saysClientSide: isClientSide != nil))
        }
    }

    // MARK: - Issues

    /// Notes issues with rules, or with what rules share: errors, or warnings when invalid flags are kept.
    private mutating func take(_ ruleIssues: [DefinitionIssue]) {
        if keepInvalid { kept += ruleIssues } else { report(ruleIssues) }
    }

    private mutating func report(_ place: JSONPointer, _ message: String) {
        report([DefinitionIssue(pointer: place.description, message: message)])
    }

    private mutating func report(_ others: [DefinitionIssue]) {
        issues += others.prefix(max(0, ImportReader.issuesMaximum - issues.count))
    }

    private mutating func findDuplicates() {
        var keys: Set<ExactText> = []
        for (index, flag) in flags.enumerated() where !keys.insert(ExactText(flag.draft.key)).inserted {
            report(JSONPointer().appending("flags").appending(index), "is the second flag of the key \(flag.draft.key)")
        }
        var names: Set<ExactText> = []
        for (index, segment) in (segments ?? []).enumerated() where !names.insert(ExactText(segment.name)).inserted {
            let place = JSONPointer().appending("segments").appending(index)
            report(place, "is the second segment of the name \(segment.name)")
        }
        guard let overrides else { return }
        // Hashes, since a set of a million pairs of strings would be larger than the file. What hashes alike is
        // compared.
        let hash = ByteHash.randomlySeeded()
        var hashes = Set<UInt64>(minimumCapacity: overrides.count)
        for (index, override) in overrides.enumerated() {
            let key = ByteHash.mix(hash(override.tenant), hash(override.flagKey, salt: 1))
            guard !hashes.insert(key).inserted, overrides[..<index].contains(where: { $0.isOfSame(as: override) })
            else { continue }
            let place = JSONPointer().appending("overrides").appending(index)
            report(place, "is the second override of the flag \(override.flagKey) for the tenant \(override.tenant)")
        }
    }
}

extension TextRule {
    /// The text if it satisfies the rule.
    fileprivate func accepted(_ text: String) -> String? {
        complaint(about: text) == nil ? text : nil
    }
}

extension TenantOverrideDraft {
    /// Whether both are of the same flag and tenant.
    fileprivate func isOfSame(as other: TenantOverrideDraft) -> Bool {
        tenant.utf8.elementsEqual(other.tenant.utf8) && flagKey.utf8.elementsEqual(other.flagKey.utf8)
    }
}
