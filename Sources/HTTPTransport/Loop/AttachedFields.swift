/// Header fields that belong to the response of one request, whoever gives it: the handler at once or later, or the
/// transport in its place. A handler attaches them when it decides on the request's head (`Exchange.attach`).
///
/// Their text is made once and written with one copy. Each loop had better make its own: what all loops share is
/// counted by all cores.
package final class AttachedFields: Sendable {
    /// The fields as lines.
    let lines: [UInt8]

    /// Fields for responses; not those of which the transport writes one by itself, but for `Vary`.
    ///
    /// - Parameter fields: Names and values, without control characters.
    package init(_ fields: [(name: StaticString, value: String)]) {
        lines = fields.flatMap { name, value in
            precondition(value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a value begins no other field")
            return Array("\(name): \(value)\r\n".utf8)
        }
    }

    private init(lines: [UInt8]) { self.lines = lines }

    /// These and others behind them.
    fileprivate func with(_ others: AttachedFields) -> AttachedFields { AttachedFields(lines: lines + others.lines) }
}

extension Exchange {
    /// Has the response to this request begin with these fields, whoever gives it, behind those that are attached
    /// already. To be called by `HTTPHandler.admit`. Without an allocation for the first.
    @inline(__always)
    package func attach(_ fields: AttachedFields) {
        connection.pointee.attachedFields = connection.pointee.attachedFields.map { $0.with(fields) } ?? fields
    }
}
