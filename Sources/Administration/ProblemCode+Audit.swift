import HTTPRouting

extension ProblemCode {
    /// There is no such record in the audit log.
    static let auditRecordNotFound = ProblemCode(
        "audit_record_not_found", 404, "There is no such record in the audit log")
    /// A change needs a reason.
    static let reasonRequired = ProblemCode("reason_required", 400, "A change needs a reason")
}
