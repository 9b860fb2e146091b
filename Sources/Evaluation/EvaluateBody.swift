import Bytes
import FlagCore
import HTTPRouting
import JSON

/// The body of `/api/evaluate` or `/api/evaluate/batch`, read without a copy: views and slices that live as long as the
/// tape and the body they come from.
struct EvaluateBody {
    /// How many keys a batch has at most.
    static let batchKeys = 50

    /// The tenant, never empty.
    let tenantId: UnsafeRawBufferPointer
    /// The flag of a single request: a string.
    let flagKey: UnsafeRawBufferPointer
    /// The flags of a batch: an array of strings.
    let flagKeys: JSONView?
    let environment: Environment
    /// `userId` when it is a non-empty string, else the tenant.
    let targetingKey: UnsafeRawBufferPointer
    /// The context's attributes.
    let metadata: JSONView?

    /// Reads the body. Null in the place of what may be left out is as if it were. Allocates nothing unless something
    /// is wrong.
    ///
    /// - Parameters:
    ///   - named: the environment that the query names, which the body must not contradict.
    ///   - standard: the environment of a request that names none.
    ///   - boundTenant: the only tenant that it may be about, which it need not name; nil for any.
    /// - Throws: one problem that names every member which is unknown, missing or of the wrong form.
    init(
        _ root: JSONView, isBatch: Bool, named: Environment?, standard: Environment,
        boundTenant: UnsafeRawBufferPointer? = nil
    ) throws(Problem) {
        guard root.kind == .object else {
            throw .invalidBody([.init(pointer: "", detail: "must be a JSON object")])
        }
        var fields: [Problem.Field] = []
        var hasTenant = boundTenant != nil
        var tenant = boundTenant
        var user: UnsafeRawBufferPointer?
        var flag: JSONView?
        var environment = named ?? standard
        var hasBadEnvironment = false
        var metadata: JSONView?
        for member in root.members {
            let value = member.value
            if member.name.hasSameBytes(as: "tenantId") {
                hasTenant = true
                if value.isNull, boundTenant != nil { continue }
                tenant = value.stringBytes
                if let problem = EvaluateBody.problem(ofTenant: tenant) { fields.append(problem) }
            } else if member.name.hasSameBytes(as: isBatch ? "flagKeys" : "flagKey") {
                flag = value
                if isBatch {
                    EvaluateBody.check(keys: value, &fields)
                } else if let detail = EvaluateBody.problem(ofFlagKey: value.stringBytes) {
                    fields.append(.init(pointer: "/flagKey", detail: detail))
                }
            } else if member.name.hasSameBytes(as: "userId") {
                user = value.stringBytes
                if user == nil, !value.isNull { fields.append(.init(pointer: "/userId", detail: "must be a string")) }
            } else if member.name.hasSameBytes(as: "environment") {
                if value.isNull { continue }
                if let given = value.stringBytes.flatMap({ Environment(spelling: $0) }) {
                    if let named, named != given { fields.append(.otherEnvironment(given, query: named)) }
                    environment = given
                } else {
                    hasBadEnvironment = true
                    fields.append(.init(pointer: "/environment", detail: "must be \(Environment.spellings)"))
                }
            } else if member.name.hasSameBytes(as: "metadata") {
                metadata = value.isNull ? nil : value
                if value.kind != .object, !value.isNull {
                    fields.append(.init(pointer: "/metadata", detail: "must be an object"))
                }
            } else if fields.count <= Problem.listedFields {
                fields.append(EvaluateBody.unknown(member.name, isBatch: isBatch))
            }
        }
        if !hasTenant { fields.append(.init(pointer: "/tenantId", detail: "is required")) }
        if flag == nil { fields.append(.init(pointer: isBatch ? "/flagKeys" : "/flagKey", detail: "is required")) }
        guard fields.isEmpty, let tenant, let flag else {
            throw hasBadEnvironment && fields.count == 1 ? .unknownEnvironment(fields) : .invalidBody(fields)
        }
        if let boundTenant, !boundTenant.elementsEqual(tenant) { throw .otherTenant }
        self.tenantId = tenant
        self.flagKey = flag.stringBytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        self.flagKeys = isBatch ? flag : nil
        self.environment = environment
        self.targetingKey = user.flatMap { $0.isEmpty ? nil : $0 } ?? tenant
        self.metadata = metadata
    }

    private static func problem(ofTenant tenant: UnsafeRawBufferPointer?) -> Problem.Field? {
        guard let tenant, isText(tenant, 1...FlagLimits.tenantCharacters) else {
            return .init(
                pointer: "/tenantId",
                detail: "must be a string of 1 to \(FlagLimits.tenantCharacters) characters without control characters")
        }
        return nil
    }

    static func problem(ofFlagKey key: UnsafeRawBufferPointer?) -> String? {
        guard let key, isText(key, 1...FlagLimits.flagKeyCharacters) else {
            return "must be a string of 1 to \(FlagLimits.flagKeyCharacters) characters without control characters"
        }
        return nil
    }

    private static func check(keys: JSONView, _ fields: inout [Problem.Field]) {
        guard keys.kind == .array, (1...batchKeys).contains(keys.count) else {
            fields.append(.init(pointer: "/flagKeys", detail: "must be an array of 1 to \(batchKeys) flag keys"))
            return
        }
        var index = 0
        for key in keys.elements {
            if let detail = problem(ofFlagKey: key.stringBytes) {
                fields.append(.init(pointer: "/flagKeys/\(index)", detail: detail))
            }
            index += 1
        }
    }

    private static func unknown(_ name: UnsafeRawBufferPointer, isBatch: Bool) -> Problem.Field {
        let name = String(decoding: name, as: UTF8.self)
        let known = ["tenantId", isBatch ? "flagKeys" : "flagKey", "environment", "userId", "metadata"]
        return .init(
            pointer: JSONPointer().appending(name).description, detail: Suggestion.unknown(name, among: known))
    }

    /// Whether UTF-8 text has a number of Unicode scalars within bounds, none of them a control character.
    private static func isText(_ text: UnsafeRawBufferPointer, _ bounds: ClosedRange<Int>) -> Bool {
        var count = 0
        var last: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7F || (last == 0xC2 && byte < 0xA0) { return false }
            if byte & 0xC0 != 0x80 { count += 1 }
            last = byte
        }
        return bounds.contains(count)
    }
}
