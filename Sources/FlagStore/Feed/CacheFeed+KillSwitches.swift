import FlagCache
import FlagCore
import Platform

extension CacheFeed {
    /// The kill switches that are on, by environment: what the loops have been told, whether the store answers or not.
    package var killSwitches: [Environment: DecodedKillSwitches] { state.withLock { $0.killSwitches } }
}

extension FeedState {
    /// What there is to tell of a load of kill switches, which happens at the start and when the table is another one.
    func killSwitchesFound(by load: CacheLoad) -> CacheEvent? {
        guard case .killSwitches(let environment) = load.key, case .killSwitches(let text) = load.value,
            text != killSwitches[environment] ?? DecodedKillSwitches()
        else { return nil }
        return .killSwitchesFound(environment, text)
    }
}
