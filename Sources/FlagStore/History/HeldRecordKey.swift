import Bytes
import DynamoModel
import FlagCache
import FlagCore

/// Something that may be stored in a form that is not valid, and of which the last valid form is then kept.
enum HeldRecordKey: Hashable, Sendable {
    /// A flag of an environment.
    case flag(Environment, ExactText)
    /// A tenant's override of it.
    case override(Environment, tenant: ExactText, ExactText)
    /// A segment.
    case segment(Environment, ExactText)

    /// What an item of a key is; nil when nothing is kept of such.
    init?(_ key: ItemKey) {
        switch key {
        case .flag(let environment, let key): self = .flag(environment, ExactText(key))
        case .override(let environment, let tenant, let key):
            self = .override(environment, tenant: ExactText(tenant), ExactText(key))
        case .segment(let environment, let name): self = .segment(environment, ExactText(name))
        default: return nil
        }
    }

    /// The key of its item.
    var itemKey: ItemKey {
        switch self {
        case .flag(let environment, let key): .flag(environment, key: key.text)
        case .override(let environment, let tenant, let key):
            .override(environment, tenant: tenant.text, flagKey: key.text)
        case .segment(let environment, let name): .segment(environment, name: name.text)
        }
    }

    /// Where its last valid form is kept.
    var heldKey: TableKey {
        switch self {
        case .flag(let environment, let key): FlagHistoryTable.heldKey(environment, key.text)
        case .override(let environment, let tenant, let key):
            FlagHistoryTable.heldKey(environment, tenant: tenant.text, key.text)
        case .segment(let environment, let name): FlagHistoryTable.heldKey(environment, segment: name.text)
        }
    }

    /// What is kept of its item; nil when that is not valid.
    func validForm(of item: Item) -> HeldForm? {
        let form: Item?
        switch self {
        case .flag(let environment, let key):
            guard case .valid(let flag) = FlagReadingOfItem(item, environment: environment, key: key.text) else {
                return nil
            }
            form =
                HeldFlag(
                    environment: environment, key: key.text, rule: flag.rule, isClientSide: flag.isClientSide
                ).item
        case .override(let environment, let tenant, let key):
            form =
                (try? TenantOverrideRecord(
                    item: item, environment: environment, tenant: tenant.text, flagKey: key.text)).map {
                    FlagHistoryTable.heldItem($0)
                }
        case .segment(let environment, let name):
            form =
                (try? SegmentRecord.head(of: item, environment: environment, name: name.text)).map {
                    FlagHistoryTable.heldItem($0, ofSegment: name.text, in: environment)
                }
        }
        return form.map { HeldForm(item: $0, kind: .lastValid) }
    }

    /// What is kept of its item; nil when that is not valid, or a flag that was put away: then nothing is to be served
    /// in the place of what comes after it.
    func servedForm(of item: Item) -> HeldForm? {
        if case .flag = self, FlagRecord.isArchived(item) { return nil }
        return validForm(of: item)
    }

    /// What is kept when no valid form is known.
    var note: HeldForm {
        var item: Item = [FlagHistoryTable.Name.wasNeverValid: true]
        item[Attribute.partition] = heldKey.partition
        item[Attribute.sort] = heldKey.sort
        if case .override(_, let tenant, let key) = self {
            item[FlagHistoryTable.Name.tenant] = .string(tenant.text)
            item[Attribute.flagKey] = .string(key.text)
        }
        return HeldForm(item: item, kind: .neverValid)
    }
}

/// What is kept of something whose item is not valid, as an item of the internal table.
struct HeldForm: Sendable, Equatable {
    /// What is known of it.
    enum Kind: Sendable {
        /// The form that was valid last, which is served.
        case lastValid
        /// No valid form, as far as anybody knows: only that there is something, so that lists can name it.
        case neverValid
    }

    let item: Item
    let kind: Kind

    init(item: Item, kind: Kind) {
        self.item = item
        self.kind = kind
    }

    /// Reads what is stored.
    init(stored item: Item) {
        self.init(item: item, kind: item[FlagHistoryTable.Name.wasNeverValid] == true ? .neverValid : .lastValid)
    }
}
