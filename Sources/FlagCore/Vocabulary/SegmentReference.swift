/// A place in a rule that names a segment.
package struct SegmentReference: Sendable, Equatable {
    /// The segment.
    package let name: String
    /// Where the operation stands.
    package let pointer: String

    /// How deep segments may refer to each other: what is deeper fails, and with it what makes a circle.
    package static let depthMaximum = 8
}
