import HTTPRouting

extension ProblemCode {
    /// Authentication is off.
    package static let authenticationOff = ProblemCode("authentication_off", 409, "Authentication is off")
}
