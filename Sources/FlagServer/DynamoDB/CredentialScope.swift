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

    /// The scope in the value of `Authorization`; nil when there is none. It allocates nothing: all
    /// requests of clients are signed.
    init?(_ authorization: UnsafeRawBufferPointer) {
        guard let end = authorization.firstIndex(of: UInt8(ascii: ",")) else { return nil }
        var rest = authorization[..<end]
        // From the end on: the identifier of the key may have slashes of its own.
        guard Self.takeLast(&rest)?.elementsEqual("aws4_request".utf8) ?? false,
            let service = Self.takeLast(&rest).flatMap(Self.name), let region = Self.takeLast(&rest).flatMap(Self.name),
            let date = Self.takeLast(&rest), Self.isDate(date)
        else { return nil }
        self.region = region
        self.service = service
    }

    /// Takes what is behind the last slash off, and the slash; nil when there is none.
    private static func takeLast(_ parts: inout Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>? {
        guard let slash = parts.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        defer { parts = parts[..<slash] }
        return parts[(slash + 1)...]
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
