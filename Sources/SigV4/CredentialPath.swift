import Bytes

/// The day, the region and the service that a signature is good for: `20260102/eu-west-1/dynamodb/aws4_request`.
package struct CredentialPath: Sendable, Hashable {
    /// The day as `20260102`.
    package let date: String
    /// The region.
    package let region: String
    /// The service.
    package let service: String

    static let end = "aws4_request"
    /// Characters of a region or a service at most.
    private static let nameMaximum = 40

    /// A path of these parts.
    package init(date: String, region: String, service: String) {
        self.date = date
        self.region = region
        self.service = service
    }

    /// The path as it is signed.
    var text: String { "\(date)/\(region)/\(service)/\(Self.end)" }

    /// Reads `ID/DATE/REGION/SERVICE/aws4_request`; nil for what is none.
    static func read(_ credential: String) -> (accessKeyID: String, path: CredentialPath)? {
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[4] == end, (1...SignatureClaim.accessKeyIDMaximum).contains(parts[0].utf8.count),
            parts[1].utf8.count == 8, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            isName(parts[2]), isName(parts[3])
        else { return nil }
        return (parts[0], CredentialPath(date: parts[1], region: parts[2], service: parts[3]))
    }

    /// Whether it is of small letters, digits and hyphens, as all regions and services are.
    private static func isName(_ text: String) -> Bool {
        (1...nameMaximum).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }
}

/// When a request was signed, by the second: `20260102T030405Z`.
package struct SigningTime: Sendable, Equatable {
    /// As it was written.
    let text: String
    /// Seconds since 1970.
    package let seconds: Int64

    /// The day as `20260102`.
    var date: String { String(text.prefix(8)) }

    /// Reads a time; nil for what is none.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(Optional(0)) { number, byte in
                guard let number, (48...57).contains(byte) else { return nil }
                return number * 10 + Int(byte - 48)
            }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), hour < 24, minute < 60, second < 60
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isInCalendar else { return nil }
        self.text = text
        seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// A time of seconds since 1970.
    package init(seconds: Int64) {
        // As in 2026-01-02T03:04:05.678Z.
        let utc = RFC3339.utc(min(max(seconds, -62_167_219_200), 253_402_300_799) * 1000)
        text = String(utc.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
        self.seconds = seconds
    }
}
