import Bytes

extension Exchange {
    /// Says which route takes the request, and for the access log from where it comes.
    @inline(__always)
    package func note(route: Int, of request: borrowing HTTPRequest) {
        connection.pointee.route = Int32(truncatingIfNeeded: route)
        if connection.pointee.isVouchedFor, let log = loop.pointee.accessLog, !log.isOff {
            connection.pointee.vouchedClient = client(of: request)
        }
    }

    /// Gathers what the access log has of a response that is about to be written.
    @inline(never)
    func beginRecord(_ status: HTTPStatus) {
        let isRead = connection.pointee.isHeadRead
        loop.pointee.accessRecord = AccessRecord(
            method: isRead ? connection.pointee.machine.head.method : nil,
            route: connection.pointee.route < 0 ? nil : Int(connection.pointee.route), status: status.code,
            bytes: connection.pointee.output.count, microseconds: isRead ? elapsedMicroseconds : 0,
            client: connection.pointee.vouchedClient ?? connection.pointee.peer, requestID: requestID)
        loop.pointee.hasRecord = true
    }

    /// Tells of the response that was written.
    @inline(never)
    func endRecord() {
        loop.pointee.hasRecord = false
        guard var record = loop.pointee.accessRecord.take() else { return }
        record.bytes = max(0, connection.pointee.output.count - record.bytes)
        loop.pointee.accessLog?.note(record)
    }
}
