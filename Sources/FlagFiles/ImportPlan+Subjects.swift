import FlagStore

extension ImportPlan {
    /// What the import would change, but for kill switches, which never wait: one after the other, some several times.
    package var subjects: some Sequence<StoredThing> {
        let segments = [segments?.created ?? [], (segments?.changed ?? []).map(\.new), segments?.removed ?? []]
        let flags = [self.flags.created, self.flags.changed.map(\.new), self.flags.removed]
        let overrides = [self.overrides.created, self.overrides.changed.map(\.new), self.overrides.removed]
        let all: [StoredThing] =
            segments.flatMap { $0.map { .segment($0.record.name) } } + flags.flatMap { $0.map { .flag($0.key) } }
            + overrides.flatMap { $0.map { .override(flagKey: $0.flagKey, tenant: $0.tenant) } }
        return all
    }
}
