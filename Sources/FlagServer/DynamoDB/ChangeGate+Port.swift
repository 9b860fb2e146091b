import ChangeControl
import DynamoModel
import DynamoService
import FlagCore
import FlagStore

extension ChangeGate {
    /// Why the table of the flags is not deleted; nil where nothing keeps it. No I/O.
    func refusal(ofDeleting table: String) -> ProtocolError? {
        guard table == flagTable else { return nil }
        switch verdictOnEverything(at: .systemClock) {
        case .apply: return nil
        case .frozen(let freeze):
            return ProtocolError(
                .accessDenied, "\(freeze.environment.rawValue) is frozen until \(freeze.endsAt): \(freeze.reason)")
        case .propose:
            return ProtocolError(
                .accessDenied, "Changes of flags in this table need others' approval, which cannot be asked for here")
        }
    }

    /// Why a write of the DynamoDB port is not done, since what it changes does not change for now, or not without
    /// others' leave; nil where nothing keeps it. No I/O.
    func refusal(of write: WriteOperation) -> ProtocolError? {
        let (verdict, environment) = verdict(on: write, at: .systemClock)
        let name = environment?.rawValue ?? ""
        switch verdict {
        case .apply: return nil
        case .frozen(let freeze):
            noteFrozen(freeze.environment)
            return ProtocolError(
                .accessDenied,
                "\(name) is frozen until \(freeze.endsAt): \(freeze.reason). Items of kill switches are taken")
        case .propose(let count):
            return ProtocolError(
                .accessDenied,
                "Changes of this item in \(name) need the approval of \(count) other\(count == 1 ? "" : "s"), which "
                    + "cannot be asked for here: propose the change by PUT, PATCH or DELETE of its route under "
                    + "/api. Items of kill switches are taken")
        }
    }
}
