import HTTPRouting

extension ProblemCode {
    /// There is no such user.
    static let userNotFound = ProblemCode("user_not_found", 404, "There is no such user")
    /// There is a user of this name already.
    static let userExists = ProblemCode("user_exists", 409, "There is a user of this name already")
    /// There are too many users.
    static let tooManyUsers = ProblemCode("too_many_users", 409, "There are too many users")
    /// Whoever asks has no account.
    static let noAccount = ProblemCode("no_account", 403, "Whoever asks has no account")
    /// Name, password or code is wrong.
    static let signInRefused = ProblemCode("sign_in_refused", 403, "Name, password or code is wrong")
    /// Too many tries failed.
    static let signInDelayed = ProblemCode("sign_in_delayed", 429, "Too many tries failed")
    /// The new password does not do.
    static let unsuitablePassword = ProblemCode("unsuitable_password", 400, "The new password does not do")
    /// The second factor is not there, or not that one.
    static let secondFactor = ProblemCode("second_factor", 409, "The second factor is not in the state for this")
}
