import Access
import AccessStore
import FlagCore
import HTTPRouting
import JSON

extension Administration {
    /// Works on keys of either kind; what goes wrong becomes a problem.
    ///
    /// - Parameter kind: what such a key is called.
    func onKeys<Result>(_ kind: String, _ work: () throws(KeyStoreError) -> Result) throws(Problem) -> Result {
        do throws(KeyStoreError) { return try work() } catch {
            switch error {
            case .notFound(let name): throw Problem(.keyNotFound, "there is no \(kind) \(name)")
            case .exists(let name): throw Problem(.conflict, "there is a \(kind) \(name)")
            case .ended(let name, let state):
                throw Problem(.keyEnded, "the \(kind) \(name) is \(state.rawValue): make another (keys create)")
            case .tooMany(let count):
                throw Problem(
                    .tooManyKeys, "there are \(count) \(kind)s, and that is how many there may be: more cannot be made")
            case .store(let error): throw Problem(error)
            case .secretKey(let reason), .passwordDigest(let reason): throw Problem(.storeUnavailable, reason)
            }
        }
    }
}

extension KeyRecord.Revocation {
    /// Adds what is shown of it to a key.
    func add(to object: inout JSONObject) {
        object["revokedAt"] = .string(at.rfc3339)
        object["revokedBy"] = .string(by)
        object["reason"] = reason.map { .string($0) } ?? .null
    }
}
