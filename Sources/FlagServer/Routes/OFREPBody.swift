import FlagCore
import JSON

/// The body of an OFREP request, read without a copy: views and slices that live as long as the tape and the body they
/// come from.
struct OFREPBody {
    /// The context, nil when it is missing or null.
    let context: JSONView?
    /// The context's `tenantId` when it is a non-empty string.
    let tenantId: UnsafeRawBufferPointer?

    /// Reads the body. Unknown members are ignored: OFREP grows.
    ///
    /// - Throws: what an OFREP failure says.
    init(_ root: JSONView) throws(OFREPFailure) {
        guard root.kind == .object else {
            throw OFREPFailure(.invalidContext, "the body must be a JSON object such as {\"context\": {…}}")
        }
        var context = root["context"]
        if context?.isNull == true { context = nil }
        guard context == nil || context?.kind == .object else {
            throw OFREPFailure(.invalidContext, "context must be an object")
        }
        self.context = context
        guard let tenant = context?["tenantId"] else {
            tenantId = nil
            return
        }
        guard let bytes = tenant.stringBytes else {
            throw OFREPFailure(
                .invalidContext, "context.tenantId must be a string; leave it out where there is no tenant")
        }
        tenantId = bytes.isEmpty ? nil : bytes
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
