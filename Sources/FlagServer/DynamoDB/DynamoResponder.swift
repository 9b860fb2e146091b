import Bytes
import DynamoService
import HTTPTransport

/// What the response to one request has beside its content.
struct DynamoResponder: Sendable {
    /// `x-amzn-RequestId`
    let id: [UInt8]
    /// Whether the request's content, and so the response's, is said to be JSON and no more.
    let isPlainJSON: Bool
    /// The origin of the page that had a browser send the request, when that may read the response.
    let pageOrigin: [UInt8]?

    /// The fields that such a page may read, beside those that it always may.
    static let exposedFields: StaticString = "x-amzn-RequestId, x-amz-crc32"

    /// Writes an answer at once.
    func write(_ response: ProtocolResponse, to exchange: inout Exchange) {
        write(response, contentType: contentType, to: &exchange)
    }

    /// Writes an answer at once, with a status that no operation has.
    func write(_ response: ProtocolResponse, status: HTTPStatus, to exchange: inout Exchange) {
        exchange.respond(status, contentType: contentType, body: response.body) { fields in
            fields.add("x-amzn-RequestId", id)
        }
    }

    private var contentType: StaticString { isPlainJSON ? "application/json" : "application/x-amz-json-1.0" }

    /// Refuses what was meant for another service.
    func write(_ refusal: OtherService.Refusal, to exchange: inout Exchange) {
        let type = refusal.contentType ?? contentType
        write(ProtocolResponse(status: refusal.status, body: refusal.body), contentType: type, to: &exchange)
    }

    /// Writes a response of another type at once.
    func write(_ response: ProtocolResponse, contentType: StaticString?, to exchange: inout Exchange) {
        exchange.respond(HTTPStatus(response.status), contentType: contentType, body: response.body) { fields in
            fields.add("x-amzn-RequestId", id)
            fields.add("x-amz-crc32", decimal: Int(Checksum.crc32(response.body)))
            addPageFields(to: fields)
        }
    }

    /// Tells a browser that the page may read the response.
    func addPageFields(to fields: borrowing FieldWriter) {
        guard let pageOrigin else { return }
        fields.add("Access-Control-Allow-Origin", pageOrigin)
        fields.add("Vary", "Origin")
        fields.add("Access-Control-Expose-Headers", Self.exposedFields)
    }

    /// A response for later.
    func response(_ response: ProtocolResponse) -> HTTPResponse {
        var fields = [
            (name: "x-amzn-RequestId", value: String(decoding: id, as: UTF8.self)),
            (name: "x-amz-crc32", value: String(Checksum.crc32(response.body))),
        ]
        if let pageOrigin {
            fields.append((name: "Access-Control-Allow-Origin", value: String(decoding: pageOrigin, as: UTF8.self)))
            fields.append((name: "Vary", value: "Origin"))
            fields.append((name: "Access-Control-Expose-Headers", value: "\(Self.exposedFields)"))
        }
        return HTTPResponse(
            status: HTTPStatus(response.status), fields: fields,
            contentType: isPlainJSON ? "application/json" : "application/x-amz-json-1.0", body: response.body)
    }
}

/// Makes identifiers of requests as DynamoDB has them: 52 capital letters and digits.
struct RequestIDSource {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    // SplitMix64 (Steele, Lea, Flood 2014), seeded by the system: identifiers must differ, not be secret.
    private var state = UInt64.random(in: 0...UInt64.max)

    /// The next identifier.
    mutating func next() -> [UInt8] {
        var id: [UInt8] = []
        id.reserveCapacity(52)
        while id.count < 52 {
            var word = nextWord()
            // Twelve characters of base 36 fit 64 bits.
            for _ in 0..<min(12, 52 - id.count) {
                id.append(Self.alphabet[Int(word % 36)])
                word /= 36
            }
        }
        return id
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
