import JSON

/// Whom a flag is evaluated for. Borrows everything: valid during the call it is passed to.
package struct EvaluationContext {
    /// The attributes as they came with the request; anything but an object counts as no attributes.
    let attributes: JSONView?
    /// Beats the attribute `targetingKey`.
    let targetingKey: UnsafeRawBufferPointer?
    /// Beats the attribute `tenantId`.
    let tenantId: UnsafeRawBufferPointer?

    /// A context.
    ///
    /// - Parameters:
    ///   - attributes: an object, or nil for none.
    ///   - targetingKey: UTF-8 that takes the place of the attribute `targetingKey`.
    ///   - tenantId: UTF-8 that takes the place of the attribute `tenantId`.
    package init(
        attributes: JSONView?, targetingKey: UnsafeRawBufferPointer? = nil, tenantId: UnsafeRawBufferPointer? = nil
    ) {
        self.attributes = attributes
        self.targetingKey = targetingKey
        self.tenantId = tenantId
    }
}
