import Administration
import Dispatch
import DynamoModel
import FlagStore
import Logging

extension WorkList {
    /// Encrypts anew what is stored, where that was begun and not ended: at the start of a server, beside its requests.
    struct Resealing {
        private let tables: any TableEncryption
        private let work: WorkList
        private let logger: Logger

        /// The work on a store.
        init(_ tables: any TableEncryption, _ work: WorkList, _ logger: Logger) {
            (self.tables, self.work, self.logger) = (tables, work, logger)
        }

        /// Goes on where it was. Returns at once.
        func goOn() {
            guard let left = try? tables.encryption().left else { return }
            logger.notice(
                "what is stored is being encrypted anew: flag-server at-rest status says how far it is",
                metadata: ["left": .stringConvertible(left)])
            DispatchQueue(label: "server.resealing").async { [self] in
                // How it ends is told by the list; what fails goes on at the next start.
                _ = try? work.run(Administration.encryptingAnew, for: .server) { progress in
                    let unread = try tables.encryptAnew(watch: progress.watch)
                    try progress.check()
                    guard unread > 0 else { return }
                    logger.error(
                        "items and changes could not be read, and are as they were: flag-server verify names them",
                        metadata: ["count": .stringConvertible(unread)])
                }
            }
        }
    }
}

extension WorkClient {
    /// The server itself, which does not wait.
    fileprivate static let server = WorkClient(name: "server") { false }
}
