/// What the API document says of a route, as far as requests are held to it: what is not described is refused.
package struct OpenAPIOperation: Sendable {
    /// The names of its query parameters.
    package let queryNames: [String]
    /// The request's content; nil where there is none.
    package let body: Body?

    /// A request's content.
    package struct Body: Sendable {
        /// The media types that are named; JSON is read whatever the type says on routes that only evaluate.
        package let mediaTypes: [String]
        /// An example, as JSON text.
        package let example: String?
    }

    /// The media types of a change, of every PATCH.
    package static let changeTypes = ["application/json", "application/merge-patch+json"]
}
