import Bytes

/// Gives the requests of one loop names that no other request has: 16 hexadecimal digits that the loop drew when it
/// began, and 16 that count. As long as an identifier of a trace (https://www.w3.org/TR/trace-context/), and without a
/// draw for each request.
struct RequestNames {
    /// What all names of the loop begin with.
    let series = UInt64.random(in: 1 ... .max)
    private var count: UInt64 = 0

    /// The number of the next request; never 0.
    @inline(__always)
    mutating func next() -> UInt64 {
        count &+= 1
        return count
    }
}

/// What a request is called, in every response, in logs and in what is kept of it.
enum RequestName {
    /// The field that tells it, and in which a trusted proxy gives one.
    static let field: StaticString = "X-Request-Id"

    /// Begins with a request, which has no name since the last response: takes the one that a trusted proxy gives it.
    @inline(__always)
    static func begin(_ request: borrowing HTTPRequest, on connection: UnsafeMutablePointer<HTTPConnection>) {
        if connection.pointee.isVouchedFor { take(request, on: connection) }
    }

    @inline(never)
    private static func take(_ request: borrowing HTTPRequest, on connection: UnsafeMutablePointer<HTTPConnection>) {
        guard let given = request.field(field), RequestID.isName(given) else { return }
        connection.pointee.givenName.append(contentsOf: given)
    }

    /// Writes the name; makes one where there is none.
    @inline(__always)
    static func write(
        _ connection: UnsafeMutablePointer<HTTPConnection>, _ loop: UnsafeMutablePointer<LoopState>
    ) {
        connection.pointee.output.append("X-Request-Id: ")
        if connection.pointee.givenName.isEmpty {
            number(connection, loop)
            connection.pointee.output.append(hexadecimal: loop.pointee.names.series)
            connection.pointee.output.append(hexadecimal: connection.pointee.requestNumber)
        } else {
            connection.pointee.output.append(connection.pointee.givenName)
        }
        connection.pointee.output.append("\r\n")
    }

    /// The request has its response: what is said next on the connection is about another.
    @inline(__always)
    static func end(_ connection: UnsafeMutablePointer<HTTPConnection>) {
        connection.pointee.requestNumber = 0
        (connection.pointee.isHeadRead, connection.pointee.route) = (false, -1)
        if connection.pointee.isVouchedFor { connection.pointee.vouchedClient = nil }
        if !connection.pointee.givenName.isEmpty { connection.pointee.givenName.removeAll(keepingCapacity: true) }
    }

    /// The name, for whoever tells of it.
    static func id(_ connection: UnsafeMutablePointer<HTTPConnection>, _ loop: UnsafeMutablePointer<LoopState>)
        -> RequestID
    {
        guard connection.pointee.givenName.isEmpty else { return RequestID(name: connection.pointee.givenName) }
        number(connection, loop)
        return RequestID(loop.pointee.names.series, connection.pointee.requestNumber)
    }

    @inline(__always)
    private static func number(
        _ connection: UnsafeMutablePointer<HTTPConnection>, _ loop: UnsafeMutablePointer<LoopState>
    ) {
        if connection.pointee.requestNumber == 0 { connection.pointee.requestNumber = loop.pointee.names.next() }
    }
}
