import Bytes
import DynamoModel
import JSON

/// The operations of DynamoDB's API that this engine answers, by the names that `X-Amz-Target` carries.
package enum DynamoOperation: String, Sendable, CaseIterable {
    case batchGetItem = "BatchGetItem"
    case batchWriteItem = "BatchWriteItem"
    case createBackup = "CreateBackup"
    case createTable = "CreateTable"
    case deleteBackup = "DeleteBackup"
    case deleteItem = "DeleteItem"
    case deleteTable = "DeleteTable"
    case describeBackup = "DescribeBackup"
    case describeContinuousBackups = "DescribeContinuousBackups"
    case describeEndpoints = "DescribeEndpoints"
    case describeLimits = "DescribeLimits"
    case describeTable = "DescribeTable"
    case getItem = "GetItem"
    case listBackups = "ListBackups"
    case listTables = "ListTables"
    case putItem = "PutItem"
    case query = "Query"
    case restoreTableFromBackup = "RestoreTableFromBackup"
    case restoreTableToPointInTime = "RestoreTableToPointInTime"
    case scan = "Scan"
    case transactGetItems = "TransactGetItems"
    case transactWriteItems = "TransactWriteItems"
    case updateContinuousBackups = "UpdateContinuousBackups"
    case updateItem = "UpdateItem"
    case updateTable = "UpdateTable"

    /// How an operation is carried out.
    package enum Manner: Sendable {
        /// Reads one item: quick, as long as nobody holds up the readers.
        case pointRead
        /// Is handed to the writer, and answered when it is durable.
        case write
        /// Blocks for a while: reads pages, changes tables.
        case blocking
    }

    /// How the operation is carried out.
    package var manner: Manner {
        switch self {
        case .getItem: .pointRead
        case .putItem, .updateItem, .deleteItem, .batchWriteItem, .transactWriteItems: .write
        default: .blocking
        }
    }

    /// The operation that the value of `X-Amz-Target` names, `DynamoDB_20120810.GetItem`; nil for any other.
    package init?(target: UnsafeRawBufferPointer) {
        let prefix: StaticString = "DynamoDB_20120810."
        let count = prefix.utf8CodeUnitCount
        guard target.count > count,
            UnsafeRawBufferPointer(rebasing: target[..<count]).hasSameBytes(as: prefix)
        else { return nil }
        self.init(rawValue: String(decoding: target[count...], as: UTF8.self))
    }
}
