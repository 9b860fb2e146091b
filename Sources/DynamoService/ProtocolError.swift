import DynamoModel

/// An error as DynamoDB's protocol answers it: a name that clients switch on, and a text that some of them match.
package struct ProtocolError: Error, Sendable, Equatable {
    /// What went wrong, by DynamoDB's name for it.
    package enum Code: String, Sendable, CaseIterable {
        case validation = "ValidationException"
        case serialization = "SerializationException"
        case unknownOperation = "UnknownOperationException"
        case missingAuthentication = "MissingAuthenticationTokenException"
        case incompleteSignature = "IncompleteSignatureException"
        case invalidSignature = "InvalidSignatureException"
        case unrecognizedClient = "UnrecognizedClientException"
        case accessDenied = "AccessDeniedException"
        case conditionalCheckFailed = "ConditionalCheckFailedException"
        case transactionCanceled = "TransactionCanceledException"
        case transactionInProgress = "TransactionInProgressException"
        case idempotentParameterMismatch = "IdempotentParameterMismatchException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceInUse = "ResourceInUseException"
        case tableNotFound = "TableNotFoundException"
        case tableInUse = "TableInUseException"
        case tableAlreadyExists = "TableAlreadyExistsException"
        case backupNotFound = "BackupNotFoundException"
        case invalidRestoreTime = "InvalidRestoreTimeException"
        case pointInTimeRecoveryUnavailable = "PointInTimeRecoveryUnavailableException"
        case limitExceeded = "LimitExceededException"
        case throttling = "ThrottlingException"
        case internalServerError = "InternalServerError"
        case serviceUnavailable = "ServiceUnavailable"
    }

    /// What went wrong.
    package let code: Code
    /// Why, in DynamoDB's words; nil answers none, as DynamoDB does to a body that is not JSON.
    package let message: String?
    /// The item that a condition did not hold for, where the request asked to be shown it.
    package var item: Item?
    /// Why a transaction was cancelled, by operation; nil for those that were in order.
    package var reasons: [Reason?]?

    /// Why one operation of a transaction kept it from happening.
    package struct Reason: Sendable, Equatable {
        /// DynamoDB's code, `ConditionalCheckFailed` for example.
        package let code: String
        /// Why, in DynamoDB's words.
        package let message: String
        /// The item that a condition did not hold for, where the operation asked to be shown it.
        package let item: Item?
    }

    /// An error with a message.
    package init(_ code: Code, _ message: String?) {
        self.code = code
        self.message = message
    }

    /// A request that DynamoDB does not accept.
    package static func validation(_ message: String) -> ProtocolError { ProtocolError(.validation, message) }

    /// An operation that there is none of here, by its name as the client gave it.
    package static func unknown(_ operation: String) -> ProtocolError {
        ProtocolError(.unknownOperation, "\(operation) is no operation that this server has")
    }

    /// A body that is not what the operation is made of.
    package static func serialization(_ message: String?) -> ProtocolError { ProtocolError(.serialization, message) }
}

extension ProtocolError.Code {
    /// The HTTP status of the response.
    package var status: UInt16 {
        switch self {
        case .internalServerError: 500
        case .serviceUnavailable: 503
        default: 400
        }
    }

    /// The name with the package that DynamoDB puts before it, as `__type` carries it.
    package var type: String {
        switch self {
        case .validation: "com.amazon.coral.validate#ValidationException"
        case .serialization, .unknownOperation, .missingAuthentication, .incompleteSignature, .invalidSignature,
            .unrecognizedClient, .accessDenied, .serviceUnavailable:
            "com.amazon.coral.service#\(rawValue)"
        default: "com.amazonaws.dynamodb.v20120810#\(rawValue)"
        }
    }
}

extension ProtocolError {
    /// What a failure of the engine is in the protocol.
    ///
    /// - Parameter returnsItem: whether the request asked to be shown the item that its condition did not hold for.
    package init(_ error: TableError, returnsItem: Bool = false) {
        switch error {
        case .validation(let message): self.init(.validation, message)
        case .tableNotFound: self.init(.resourceNotFound, "Requested resource not found")
        case .indexNotFound(_, let index):
            self.init(.validation, "The table does not have the specified index: \(index)")
        case .tableExists(let table): self.init(.resourceInUse, "Table already exists: \(table)")
        case .conditionFailed(_, let existing):
            self.init(.conditionalCheckFailed, "The conditional request failed")
            if returnsItem { item = existing }
        case .transactionCanceled: self.init(.transactionCanceled, error.description)
        case .tooManyWaiting: self.init(.throttling, error.description)
        case .storage(let failure): self.init(.internalServerError, failure.description)
        default: self.init(.serviceUnavailable, error.description)
        }
    }
}

/// Runs what throws a table's errors, and tells them in the protocol's way.
func converting<Value>(_ body: () throws(TableError) -> Value) throws(ProtocolError) -> Value {
    do throws(TableError) { return try body() } catch { throw ProtocolError(error) }
}
