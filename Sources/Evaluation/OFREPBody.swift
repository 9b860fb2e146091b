import Bytes
import FlagCore
import JSON

/// The body of an OFREP request, read without a copy: views and slices that live as long as the tape and the body they
/// come from.
struct OFREPBody {
    /// The context, nil when it is missing or null.
    let context: JSONView?
    /// The context's `tenantId` when it is a non-empty string: null and an empty one are no tenant, like none.
    let tenantId: UnsafeRawBufferPointer?

    /// Reads the body. Unknown members beside the context are ignored: OFREP grows. Members without a context are
    /// those of one that was forgotten, and would be answered as for nobody in particular.
    ///
    /// - Parameter others: members that may stand beside a context that is not there.
    /// - Throws: what an OFREP failure says.
    init(_ root: JSONView, beside others: [StaticString] = []) throws(OFREPFailure) {
        guard root.kind == .object else {
            throw OFREPFailure(.invalidContext, "the body must be a JSON object such as {\"context\": {…}}")
        }
        var context = root["context"]
        if context?.isNull == true { context = nil }
        guard context == nil || context?.kind == .object else {
            throw OFREPFailure(.invalidContext, "context must be an object")
        }
        if context == nil, let stray = OFREPBody.stray(root, others) {
            let name = String(decoding: stray.prefix(100), as: UTF8.self)
            throw OFREPFailure(
                .invalidContext,
                "the body has \(name) and no context: send {\"context\": {\"\(name)\": …}}, or {} for an empty context")
        }
        self.context = context
        guard let tenant = context?["tenantId"], !tenant.isNull else {
            tenantId = nil
            return
        }
        guard let bytes = tenant.stringBytes else {
            throw OFREPFailure(
                .invalidContext, "context.tenantId must be a string; leave it out where there is no tenant")
        }
        tenantId = bytes.isEmpty ? nil : bytes
    }

    /// The name of a member beside the context.
    private static func stray(_ root: JSONView, _ others: [StaticString]) -> UnsafeRawBufferPointer? {
        for (name, _) in root.members where !name.hasSameBytes(as: "context") {
            if !others.contains(where: { name.hasSameBytes(as: $0) }) { return name }
        }
        return nil
    }
}

/// A failure in OFREP's shape: an error code and always details.
struct OFREPFailure: Error, Equatable {
    let code: ErrorCode
    let details: String

    /// A failure.
    init(_ code: ErrorCode, _ details: String) {
        self.code = code
        self.details = details
    }
}
