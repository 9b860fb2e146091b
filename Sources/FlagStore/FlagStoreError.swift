import DynamoModel
import FlagCore

/// What is stored under a name of its own.
package enum StoredThing: Sendable, Equatable, CustomStringConvertible {
    case flag(String)
    case segment(String)
    case override(flagKey: String, tenant: String)
    /// The kill switch of a flag; of all flags where there is no key.
    case killSwitch(flagKey: String?)

    /// What it is, and its name: `flag new-checkout`.
    package var description: String {
        switch self {
        case .flag(let key): "flag \(key)"
        case .segment(let name): "segment \(name)"
        case .override(let flagKey, let tenant): "override of the flag \(flagKey) for the tenant \(tenant)"
        case .killSwitch(let flagKey?): "kill switch of the flag \(flagKey)"
        case .killSwitch(nil): "global kill switch"
        }
    }
}

/// Why a read or write of flags did not happen. Nothing of a failed write is stored.
package enum FlagStoreError: Error, Sendable {
    /// There is no such flag, override, segment or kill switch.
    case notFound(StoredThing)
    /// No flag has the key that a kill switch was to be set for.
    case noFlagToKill(flagKey: String)
    /// A flag of this key exists in the environment.
    case alreadyExists(flagKey: String)
    /// A segment of this name exists in the environment.
    case segmentExists(name: String)
    /// The flag or segment is not at the version that the writer expected.
    case versionMismatch(of: StoredThing, expected: Int64, current: Int64)
    /// The content is not valid: everything that is wrong with it, at once.
    case invalid([DefinitionIssue])
    /// The flag was put away: it is not changed before it is taken out again, or not put away twice.
    case flagArchived(flagKey: String)
    /// The flag was not put away, and cannot be taken out.
    case flagNotArchived(flagKey: String)
    /// No flag of this key was deleted that could be brought back.
    case nothingToRestore(flagKey: String)
    /// There is no flag of this key in the environment that it is to be taken from, or it was put away there.
    case nothingToPromote(flagKey: String, from: Environment)
    /// Other flags require the flag: these.
    case required(flagKey: String, by: [String])
    /// Flags, or the conditions of other segments, name the segment: these.
    case segmentUsed(name: String, by: SegmentUses)
    /// It never had this version, or its history does not have this entry.
    case versionNotFound(of: StoredThing, VersionName)
    /// It had this version, and what it said then is not known any more.
    case versionNotKept(of: StoredThing, VersionName)
    /// The cursor is not one that this list handed out.
    case invalidCursor
    /// Others kept changing the same flag or segment between every read and write of this one; trying again may help.
    case conflict(name: String)
    /// What was to be done together with the change has changed meanwhile (`FlagRepository.accompanied`).
    case overtaken
    /// Work was stopped before it was done: why, and how much of it is durable. Doing the same again does the rest.
    case stopped(WorkStopped)
    /// The store could not read or write: why, and what the operator should do.
    case unavailable(reason: String, hint: String)
}

extension FlagStoreError {
    /// Translates what the table says. Conditions are the business of whoever set them.
    init(_ error: TableError) {
        if error == .overtaken {
            self = .overtaken
            return
        }
        switch error {
        case .storage(let failure):
            self = .unavailable(reason: failure.reason, hint: failure.hint)
        case .tooManyWaiting, .closed:
            self = .unavailable(reason: error.description, hint: "Try again")
        case .indexNotFound:
            self = .unavailable(
                reason: error.description, hint: "Whoever made the table left it out; config/flag-table.json has it")
        case .tableNotFound:
            self = .unavailable(
                reason: error.description,
                hint: "Make the table again from a backup: flag-server backup list, flag-server restore BACKUP"
            )
        case .validation, .tableExists, .conditionFailed, .transactionCanceled, .backup:
            self = .unavailable(reason: error.description, hint: "This is a defect of the server: please report it")
        }
    }
}

extension FlagStoreError: CustomStringConvertible {
    /// One sentence for people.
    package var description: String {
        switch self {
        case .notFound(let what): "There is no \(what)"
        case .noFlagToKill(let flagKey): "There is no flag \(flagKey) to kill"
        case .alreadyExists(let flagKey): "There is a flag \(flagKey) already"
        case .segmentExists(let name): "There is a segment \(name) already"
        // An override has no version that would say anything.
        case .versionMismatch(.override(let flagKey, let tenant), _, _):
            "The \(StoredThing.override(flagKey: flagKey, tenant: tenant)) was changed since it was read"
        case .versionMismatch(let thing, let expected, let current):
            "The \(thing) is at version \(current), not \(expected): somebody changed it since it was read"
        case .invalid(let issues):
            issues.map { "\($0.pointer.isEmpty ? "/" : $0.pointer): \($0.message)" }.joined(separator: "; ")
        case .flagArchived(let flagKey): "The flag \(flagKey) is archived"
        case .flagNotArchived(let flagKey): "The flag \(flagKey) is not archived"
        case .nothingToRestore(let flagKey): "No flag \(flagKey) was deleted that could be brought back"
        case .nothingToPromote(let flagKey, let source):
            "There is no flag \(flagKey) in \(source.rawValue), or it is archived there"
        case .required(let flagKey, let dependents):
            "The flag \(flagKey) is required by \(dependents.joined(separator: ", "))"
        case .segmentUsed(let name, let uses): "The segment \(name) is used by \(uses.inWords)"
        case .versionNotFound(let thing, let name): "The \(thing) never had a version \(name)"
        case .versionNotKept(let thing, let name): "What the \(thing) said in version \(name) is not kept"
        case .invalidCursor: "The cursor is not one that this list handed out"
        case .conflict(let name): "Others keep changing \(name); try again"
        case .overtaken: "What goes with the change was changed at the same time"
        case .stopped(let stopped): "\(stopped)"
        case .unavailable(let reason, let hint): "\(reason). \(hint)"
        }
    }
}

/// Runs a read of the table and translates its error.
package func reading<Value>(_ body: () throws(TableError) -> Value) throws(FlagStoreError) -> Value {
    do { return try body() } catch { throw FlagStoreError(error) }
}
