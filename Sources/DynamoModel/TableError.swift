/// Why an operation on a table did not happen. Nothing of a failed operation is stored.
package enum TableError: Error, Sendable, Equatable {
    /// The request is not one that DynamoDB accepts; the text is DynamoDB's.
    case validation(String)
    /// There is no table of this name.
    case tableNotFound(String)
    /// There is no index of this name on the table.
    case indexNotFound(table: String, index: String)
    /// There is a table of this name already.
    case tableExists(String)
    /// The condition of the only operation of a transaction does not hold for the item, given as it is.
    case conditionFailed(operation: Int, existing: Item?)
    /// A transaction of several operations did not happen: why, by operation; nil for those that were in order.
    case transactionCanceled([CancellationReason?])
    /// More transactions wait than the store's limit; try again later.
    case tooManyWaiting(limit: Int)
    /// A backup or a restore did not happen.
    case backup(BackupError)
    /// The store could not read or write.
    case storage(StorageFailure)
    /// The store is closed.
    case closed
}

/// Why one operation kept a transaction from happening.
package enum CancellationReason: Sendable, Equatable {
    /// Its condition does not hold for the item, given as it is.
    case conditionFailed(existing: Item?)
    /// It cannot be done to the item; the text is DynamoDB's.
    case validation(String)
}

/// A failure of what is under the tables: the disk, the file, the network.
package struct StorageFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Kind: Sendable, Equatable {
        case full, readOnly, locked, cannotOpen, corrupt, notADatabase, inputOutput, other
        /// It is encrypted, and the key for it is not at hand.
        case encrypted
    }

    /// What kind of failure it is.
    package let kind: Kind
    /// What failed and why, in one sentence.
    package let reason: String
    /// What the operator should do.
    package let hint: String
    /// What of the file has to be verified before it is written again.
    package var doubt = Doubt.nothing

    /// Takes the parts as they are.
    package init(kind: Kind, reason: String, hint: String, doubt: Doubt = Doubt.nothing) {
        self.kind = kind
        self.reason = reason
        self.hint = hint
        self.doubt = doubt
    }

    /// What of a file is in doubt.
    package enum Doubt: Sendable, Equatable {
        /// Nothing: it holds what it held before.
        case nothing
        /// What was to be made durable last.
        case log
        /// Everything.
        case file
    }

    /// Reason and hint.
    package var description: String { "\(reason). \(hint)" }
}

extension TableError {
    /// The first operation whose condition does not hold, with the item as it is; nil for other errors.
    package var failedCondition: (operation: Int, existing: Item?)? {
        switch self {
        case .conditionFailed(let operation, let existing):
            return (operation, existing)
        case .transactionCanceled(let reasons):
            for (operation, reason) in reasons.enumerated() {
                if case .conditionFailed(let existing) = reason { return (operation, existing) }
            }
            return nil
        default:
            return nil
        }
    }
}

extension TableError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .validation(let message): message
        case .tableNotFound(let table): "There is no table \(table). See how its name is spelled, or create it"
        case .indexNotFound(let table, let index): "The table \(table) has no index \(index)"
        case .tableExists(let table): "There is a table \(table) already"
        case .conditionFailed: "The conditional request failed"
        case .transactionCanceled(let reasons):
            "Transaction cancelled, please refer cancellation reasons for specific reasons ["
                + reasons.map { $0?.code ?? "None" }.joined(separator: ", ") + "]"
        case .tooManyWaiting(let limit):
            "More than \(limit) writes wait for the disk. Try again later; if it lasts, the disk is too slow or failing"
        case .backup(let error): error.description
        case .storage(let failure): failure.description
        case .closed: "The store is closed; the server is stopping"
        }
    }
}

extension CancellationReason {
    /// DynamoDB's code for the reason.
    package var code: String {
        switch self {
        case .conditionFailed: "ConditionalCheckFailed"
        case .validation: "ValidationError"
        }
    }
}
