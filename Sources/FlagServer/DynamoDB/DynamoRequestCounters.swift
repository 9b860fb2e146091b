import DynamoModel
import DynamoService
import Synchronization
import Telemetry

/// Counts requests of DynamoDB's protocol by operation and by how they ended.
final class DynamoRequestCounters: Sendable {
    private enum Outcome: Int, CaseIterable {
        case success, refused, failed, throttled

        init(status: UInt16, isThrottled: Bool) {
            self = isThrottled ? .throttled : status < 400 ? .success : status < 500 ? .refused : .failed
        }

        var name: String {
            switch self {
            case .success: "success"
            case .refused: "refused"
            case .failed: "failed"
            case .throttled: "throttled"
            }
        }
    }

    private final class Counter: Sendable {
        let value = Atomic<UInt64>(0)
    }

    private static let operations = DynamoOperation.allCases
    private static let positions = Dictionary(
        uniqueKeysWithValues: operations.enumerated().map { ($0.element, $0.offset) })

    /// One for each operation and outcome; the last operation is none that there is.
    private let counters = (0..<(operations.count + 1) * Outcome.allCases.count).map { _ in Counter() }

    /// Counts a request by its response; nil is an operation that there is not.
    func count(_ operation: DynamoOperation?, _ response: ProtocolResponse) {
        count(operation, status: response.status, isThrottled: response.isThrottled)
    }

    /// The same by the status of the response.
    func count(_ operation: DynamoOperation?, status: UInt16, isThrottled: Bool = false) {
        let position = operation.flatMap { Self.positions[$0] } ?? Self.operations.count
        let outcome = Outcome(status: status, isThrottled: isThrottled)
        counters[position * Outcome.allCases.count + outcome.rawValue].value.wrappingAdd(1, ordering: .relaxed)
    }

    /// Writes what was counted.
    func write(to text: inout MetricsText) {
        text.family("flag_server_dynamodb_requests_total", .counter, "Requests on the DynamoDB port.")
        for (position, counter) in counters.enumerated() {
            let count = counter.value.load(ordering: .relaxed)
            guard count > 0 else { continue }
            let operation = position / Outcome.allCases.count
            let name = operation < Self.operations.count ? Self.operations[operation].rawValue : "unknown"
            let outcome = Outcome(rawValue: position % Outcome.allCases.count) ?? .failed
            text.sample(count, ["operation": name, "outcome": outcome.name])
        }
    }
}
