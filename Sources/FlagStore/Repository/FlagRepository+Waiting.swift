import Dispatch
import Platform

extension FlagRepository {
    /// Waits for what a write answers. Blocks until it is durable: not on the writer's queue.
    ///
    /// - Parameter write: begins the write, and hands over what receives its answer.
    /// - Throws: what the write answers; `unavailable` when it answers nothing.
    package static func waiting<Value: Sendable>(
        _ write: (@escaping Completion<Value>) -> Void
    ) throws(FlagStoreError) -> Value {
        let done = DispatchSemaphore(value: 0)
        let answer = Locked<Result<Value, FlagStoreError>?>(nil)
        write { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let answer = answer.withLock({ $0 }) else {
            throw .unavailable(
                reason: "A write was not answered", hint: "This is a defect of the server: please report it")
        }
        return try answer.get()
    }
}
