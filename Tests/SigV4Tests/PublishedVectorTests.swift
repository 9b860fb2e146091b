import Testing

@testable import SigV4

/// The example of the IAM user guide, and requests of AWS's own suite of test vectors: all are of the same key and the
/// same time.
@Suite("Published signatures")
struct PublishedVectorTests {
    struct Vector: Sendable, CustomStringConvertible {
        let name: String
        var method = "GET"
        var path = "/"
        var query = ""
        var fields: [(String, String)] = []
        var signed = "host;x-amz-date"
        var content = ""
        var signature: String

        var description: String { name }
    }

    private static let date = "20150830T123600Z"
    /// 2015-08-30T12:36:00Z
    static let now: Int64 = 1_440_938_160
    static let secret = Array("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)

    static let vectors = [
        Vector(
            name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            name: "get-vanilla-query-order-key-case", query: "Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            name: "get-vanilla-utf8-query", query: "%E1%88%B4=bar",
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        Vector(
            name: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            name: "get-header-value-trim", fields: [("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            signed: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            name: "post-x-www-form-urlencoded", method: "POST",
            fields: [("content-type", "application/x-www-form-urlencoded")], signed: "content-type;host;x-amz-date",
            content: "Param1=value1",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    private func check(_ vector: Vector, service: String, host: String) throws {
        let authorization =
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/\(service)/aws4_request, "
            + "SignedHeaders=\(vector.signed), Signature=\(vector.signature)"
        let fields = [("host", host), ("x-amz-date", Self.date), ("authorization", authorization)] + vector.fields
        let request = SignedRequest(
            method: Array(vector.method.utf8), path: Array(vector.path.utf8), query: Array(vector.query.utf8),
            fields: fields.map { ($0.0, Array($0.1.utf8)) })
        let claim = try SignatureClaim(request)
        let key = SigningKey(secret: Self.secret, date: "20150830", region: "us-east-1", service: service)
        let pending = try PendingSignature(request, claim, key, for: service, now: Self.now)
        try Array(vector.content.utf8).withUnsafeBytes { try pending.check(content: $0) }
    }

    @Test("A request of the suite has the signature that the suite says", arguments: vectors)
    func vector(_ vector: Vector) throws {
        try check(vector, service: "service", host: "example.amazonaws.com")
    }

    @Test("A request that was changed, whichever part, has another signature", arguments: vectors)
    func changed(_ vector: Vector) {
        var changes: [Vector] = (1...7).map { _ in vector }
        changes[0].method = "PUT"
        changes[1].path = "/a"
        changes[2].query += "&a=b"
        changes[3].content += " "
        changes[4].signed = "host"
        changes[5].fields.append(("x-amz-date", "20150830T123601Z"))
        changes[6].signature = String(vector.signature.dropLast()) + (vector.signature.hasSuffix("0") ? "1" : "0")
        for (number, change) in changes.enumerated() {
            #expect(throws: SignatureError.self, "\(number)") {
                try check(change, service: "service", host: "example.amazonaws.com")
            }
        }
        #expect(throws: SignatureError.mismatch) {
            try check(vector, service: "service", host: "example.amazonaws.org")
        }
    }

    @Test("The user guide's request has the signature that the guide says")
    func guide() throws {
        let vector = Vector(
            name: "ListUsers", query: "Action=ListUsers&Version=2010-05-08",
            fields: [("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            signed: "content-type;host;x-amz-date",
            signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
        try check(vector, service: "iam", host: "iam.amazonaws.com")
    }

    @Test("The signing key of the user guide's example is derived step by step")
    func derived() {
        let key = SigningKey(secret: Self.secret, date: "20150830", region: "us-east-1", service: "iam")
        #expect(
            String(decoding: Digests.hexadecimal(key.bytes), as: UTF8.self)
                == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9")
    }
}
