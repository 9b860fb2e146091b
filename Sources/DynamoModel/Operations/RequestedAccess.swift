/// Something that a request wants to do to a resource, for whoever decides whether it may.
package struct RequestedAccess: Sendable, Equatable {
    /// What, by the name of DynamoDB's operation: `PutItem`.
    package let action: String
    /// To what: an ARN, or `*` where it is to nothing in particular.
    package let resource: String
    /// The partition keys that it is about.
    package let leadingKeys: Names
    /// The attributes that it names or is answered.
    package let attributes: Names

    /// Names that a request is about.
    package enum Names: Sendable, Equatable {
        /// It is about none of the kind.
        case none
        /// It can be about any.
        case any
        /// It is about these; at least one.
        case these([String])
    }

    /// An access of these parts.
    package init(
        _ action: String, to resource: String, leadingKeys: Names = .none, attributes: Names = .none
    ) {
        self.action = action
        self.resource = resource
        self.leadingKeys = leadingKeys
        self.attributes = attributes
    }
}
