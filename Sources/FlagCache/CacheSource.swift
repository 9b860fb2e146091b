/// Where the caches of the loops get what they miss, and who tells them what changed: the store, as far as a loop may
/// see it. Nothing here blocks.
package protocol CacheSource: AnyObject, Sendable {
    /// How many loops are told of changes.
    var loops: Int { get }
    /// The tenants with overrides, as far as they are known.
    var tenants: TenantTable { get }
    /// Has something loaded; it is delivered to the loop as a `CacheUpdate`. Returns at once.
    ///
    /// - Parameter loop: the loop's number, 0 up to `loops`.
    func load(_ keys: [CacheKey], forLoop loop: Int)
}
