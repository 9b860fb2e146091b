import HTTPRouting

extension ProblemCode {
    /// There is no such flag.
    package static let flagNotFound = ProblemCode("flag_not_found", 404, "There is no such flag")
    /// There is no such segment.
    package static let segmentNotFound = ProblemCode("segment_not_found", 404, "There is no such segment")
    /// There is no such tenant override.
    package static let overrideNotFound = ProblemCode("override_not_found", 404, "There is no such tenant override")
    /// There is no such kill switch.
    package static let killSwitchNotFound = ProblemCode("kill_switch_not_found", 404, "There is no such kill switch")
    /// There is no such work under way.
    package static let workNotFound = ProblemCode("work_not_found", 404, "There is no such work under way")
    /// The flag exists already.
    package static let flagExists = ProblemCode("flag_exists", 409, "The flag exists already")
    /// Other flags require this one.
    package static let flagRequired = ProblemCode("flag_required", 409, "Other flags require this one")
    /// The segment exists already.
    package static let segmentExists = ProblemCode("segment_exists", 409, "The segment exists already")
    /// Flags or other segments use this one.
    package static let segmentUsed = ProblemCode("segment_used", 409, "Flags or other segments use this one")
    /// There never was such a version.
    package static let versionNotFound = ProblemCode("version_not_found", 404, "There never was such a version")
    /// What a version said is not kept.
    package static let versionNotKept = ProblemCode("version_not_kept", 410, "What that version said is not kept")
    /// The flag is archived.
    package static let flagArchived = ProblemCode("flag_archived", 409, "The flag is archived")
    /// The flag is not archived.
    package static let flagNotArchived = ProblemCode("flag_not_archived", 409, "The flag is not archived")
    /// The work was stopped before its end.
    package static let workStopped = ProblemCode("work_stopped", 503, "The work was stopped before its end")
    /// What is stored is not valid.
    package static let invalidItem = ProblemCode("invalid_item", 409, "What is stored is not valid")
}
