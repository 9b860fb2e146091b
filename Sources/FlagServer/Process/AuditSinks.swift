import AuditStore
import Glibc
import HTTPClient
import JSON

/// A file that records of the audit log are appended to.
struct AuditFileSink: AuditSink {
    let path: String

    /// How much of the file's end is looked at for the last record: more than one can have.
    private static let tailBytes = 1 << 20

    func lastSequence() throws(AuditSinkFailure) -> Int64? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return 0 }
            throw failure("read")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        let count = min(Int(status.st_size), Self.tailBytes)
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, status.st_size - off_t(count))
        guard read == count else { throw failure("read") }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        for line in lines.reversed() {
            guard let json = try? JSONValue(parsing: Array(line)) else { continue }
            if let sequence = (json["sequence"] ?? json["head"])?.numberValue?.int64 { return sequence }
        }
        return 0
    }

    func append(_ lines: [UInt8]) throws(AuditSinkFailure) {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        var content = lines
        if status.st_size > 0 {
            // A line that was cut off stays as it is, and the next one begins behind it.
            var last: UInt8 = 0
            guard pread(descriptor, &last, 1, status.st_size - 1) == 1 else { throw failure("read") }
            if last != UInt8(ascii: "\n") { content.insert(UInt8(ascii: "\n"), at: 0) }
        }
        do { try FileBytes.write(content, to: descriptor, path: path) } catch {
            throw AuditSinkFailure(reason: "\(error)")
        }
        guard fsync(descriptor) == 0 else { throw failure("written") }
    }

    private func failure(_ operation: String) -> AuditSinkFailure {
        AuditSinkFailure(reason: "\(path) cannot be \(operation): \(String(cString: strerror(errno)))")
    }
}

/// A server that records of the audit log are posted to, as lines of JSON.
struct AuditWebhookSink: AuditSink {
    let url: String
    let client: HTTPClient

    func lastSequence() throws(AuditSinkFailure) -> Int64? { nil }

    func append(_ lines: [UInt8]) throws(AuditSinkFailure) {
        let request = HTTPClientRequest(
            "POST", url, fields: [("Content-Type", "application/jsonl")], body: lines)
        let status: Int
        do throws(HTTPClientError) { status = try client.send(request).status } catch {
            throw AuditSinkFailure(reason: "\(error)")
        }
        guard (200..<300).contains(status) else {
            throw AuditSinkFailure(reason: "\(request.server) answers \(status)")
        }
    }
}
