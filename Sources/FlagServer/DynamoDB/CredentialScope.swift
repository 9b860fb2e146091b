import HTTPTransport

/// Which service of which region a request was signed for, as it says itself: nothing is checked.
///
/// Source: AWS Signature Version 4, where `Credential=ID/DATE/REGION/SERVICE/aws4_request` stands in `Authorization`.
struct CredentialScope: Equatable {
    /// The region, `eu-west-1`.
    let region: String
    /// The service, `dynamodb`.
    let service: String

    /// Characters of a name at most.
    private static let nameMaximum = 40

    /// The scope of a request; nil when it is not signed, or not so.
    init?(_ request: borrowing HTTPRequest) {
        guard let authorization = request.field("authorization") else { return nil }
        self.init(authorization)
    }

    /// The scope in the value of `Authorization`; nil when there is none.
    init?(_ authorization: UnsafeRawBufferPointer) {
        guard let end = authorization.firstIndex(of: UInt8(ascii: ",")) else { return nil }
        let parts = authorization[..<end].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // The identifier of the key may have slashes of its own.
        guard parts.count >= 5, parts[parts.count - 1].elementsEqual("aws4_request".utf8),
            Self.isDate(parts[parts.count - 4]), let region = Self.name(parts[parts.count - 3]),
            let service = Self.name(parts[parts.count - 2])
        else { return nil }
        self.region = region
        self.service = service
    }

    /// Whether it is a day as `20260102`.
    private static func isDate(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.count == 8 && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// A name of small letters, digits and hyphens, as all regions and services have; nil for what is none.
    private static func name(_ bytes: Slice<UnsafeRawBufferPointer>) -> String? {
        guard (1...nameMaximum).contains(bytes.count) else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether it is DynamoDB that was meant.
    var isOfDynamoDB: Bool { service == "dynamodb" }
}
