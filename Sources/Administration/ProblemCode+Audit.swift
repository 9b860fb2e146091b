import HTTPRouting

extension ProblemCode {
    /// There is no such record in the audit log.
    static let auditRecordNotFound = ProblemCode(
        "audit_record_not_found", 404, "There is no such record in the audit log")
    /// A change needs a reason.
    static let reasonRequired = ProblemCode("reason_required", 400, "A change needs a reason")
}

extension Problem {
    /// A change that nobody has said why of, where that has to be said.
    static let reasonRequired = Problem(
        .reasonRequired,
        "nothing is changed here without a reason (audit.require-reason): send it in the field X-Change-Reason, or as "
            + "\"reason\" in a body that has one; commands take --reason")
}
