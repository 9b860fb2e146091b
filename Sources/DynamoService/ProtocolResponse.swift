import DynamoModel
import JSON

/// What is answered to one request of the protocol.
package struct ProtocolResponse: Sendable, Equatable {
    /// The HTTP status.
    package let status: UInt16
    /// JSON, or nothing.
    package let body: [UInt8]

    /// Whether it tells the client to come again later, with fewer requests.
    package let isThrottled: Bool

    /// A response of these bytes.
    package init(status: UInt16 = 200, body: [UInt8], isThrottled: Bool = false) {
        self.status = status
        self.body = body
        self.isThrottled = isThrottled
    }

    /// A response whose members are written by `write`.
    package init(_ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        self.init(body: writer.bytes)
    }

    /// An answer without members: `{}`.
    package static let empty = ProtocolResponse(body: Array("{}".utf8))

    /// The response to a request that failed.
    package init(_ error: ProtocolError) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("__type")
        writer.string(error.code.type)
        if let message = error.message {
            // The general parser and cancelled transactions spell it with a capital.
            let isCapital = error.code == .serialization || error.code == .transactionCanceled
            writer.key(isCapital ? "Message" as StaticString : "message")
            writer.string(message)
        }
        if let item = error.item {
            writer.key("Item")
            writer.attributes(item)
        }
        if let reasons = error.reasons {
            writer.key("CancellationReasons")
            writer.array(reasons) { writer, reason in
                writer.beginObject()
                writer.key("Code")
                writer.string(reason?.code ?? "None")
                if let reason {
                    writer.key("Message")
                    writer.string(reason.message)
                }
                if let item = reason?.item {
                    writer.key("Item")
                    writer.attributes(item)
                }
                writer.endObject()
            }
        }
        writer.endObject()
        self.init(
            status: error.code.status, body: writer.bytes,
            isThrottled: error.code == .throttling)
    }
}
