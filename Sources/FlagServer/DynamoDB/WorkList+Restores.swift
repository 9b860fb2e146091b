import Administration
import DynamoModel
import DynamoService
import FlagStore

extension WorkList {
    /// Lists a restore that somebody asked for on the DynamoDB port, and that goes on behind the response.
    func watchRestore(into table: String) -> RestoreWatch {
        let entry = begin("restore of \(table)", for: .dynamoDBPort)
        return RestoreWatch(isCancelled: { entry.progress.stopReason != nil }) { [self] result in
            switch result {
            case .success: end(entry, .done)
            case .failure(let error):
                do throws(FlagStoreError) {
                    if case .closed = error { try entry.progress.check() }
                    end(entry, .failed(error.description))
                } catch {
                    if case .stopped(let stopped) = error { return end(entry, .stopped(stopped)) }
                    end(entry, .failed(error.description))
                }
            }
        }
    }
}

extension WorkClient {
    /// Whoever asked on the DynamoDB port, and does not wait.
    fileprivate static let dynamoDBPort = WorkClient(name: "DynamoDB port") { false }
}
