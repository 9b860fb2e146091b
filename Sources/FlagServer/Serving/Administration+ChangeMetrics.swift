import Administration
import ChangeControl
import FlagCore
import Telemetry

extension Administration {
    /// Writes what there is to say of changes that wait, were held up, or were made at once all the same.
    func writeChangeMetrics(to text: inout MetricsText) {
        let waiting = proposals.openCounts
        let counts = gate.counts
        let instant = now()
        text.family("flag_server_proposals_open", .gauge, "Changes that wait for others to agree to them.")
        for environment in Environment.allCases {
            text.sample(UInt64(waiting[environment] ?? 0), ["environment": environment.rawValue])
        }
        text.family("flag_server_frozen", .gauge, "Whether the environment does not change for now.")
        for environment in Environment.allCases {
            let isFrozen = gate.freezes.active(in: environment, at: instant) != nil
            text.sample(isFrozen ? 1 : 0 as UInt64, ["environment": environment.rawValue])
        }
        text.family(
            "flag_server_frozen_changes_total", .counter, "Changes that were refused since nothing was to change.")
        for environment in Environment.allCases {
            text.sample(UInt64(counts.frozen[environment] ?? 0), ["environment": environment.rawValue])
        }
        text.family(
            "flag_server_emergency_changes_total", .counter,
            "Changes that were made at once, past a freeze or others' approval.")
        for environment in Environment.allCases {
            text.sample(UInt64(counts.emergencies[environment] ?? 0), ["environment": environment.rawValue])
        }
    }
}
