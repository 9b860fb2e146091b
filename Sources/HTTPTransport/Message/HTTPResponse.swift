/// A whole response as a value: what work on other queues hands back, and what rare answers are made of.
///
/// The hot path writes through `Exchange.respond` instead, which allocates nothing.
package struct HTTPResponse: Sendable {
    /// The status.
    package var status: HTTPStatus
    /// Header fields beyond those that the transport writes itself: `Date`, `Content-Length`, `Connection`, and
    /// `Content-Type` from `contentType`. Control characters in a value are sent as spaces.
    package var fields: [(name: String, value: String)]
    /// The content's media type; nil writes no such field.
    package var contentType: String?
    /// The content. Not sent in a response to HEAD or with 204 and 304.
    package var body: [UInt8]

    /// An answer with content.
    package init(
        status: HTTPStatus, fields: [(name: String, value: String)] = [], contentType: String? = nil, body: [UInt8] = []
    ) {
        self.status = status
        self.fields = fields
        self.contentType = contentType
        self.body = body
    }
}
