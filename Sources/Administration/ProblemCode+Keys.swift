import HTTPRouting

extension ProblemCode {
    /// There is no such key.
    static let keyNotFound = ProblemCode("key_not_found", 404, "There is no such key")
    /// There are too many keys.
    static let tooManyKeys = ProblemCode("too_many_keys", 409, "There are too many keys")
    /// The key has ended.
    static let keyEnded = ProblemCode("key_ended", 409, "The key has ended")
}
