import Testing

@testable import SigV4

@Suite("What a request says of its signature")
struct SignatureClaimTests {
    /// 2026-01-02T03:04:05Z
    private static let now: Int64 = 1_767_323_045
    private static let secret = Array("secret".utf8)
    private static let credential = "Credential=AKIA/20260102/eu-west-1/dynamodb/aws4_request"

    private func request(_ fields: [(String, String)], query: String = "") -> SignedRequest {
        SignedRequest(
            method: Array("POST".utf8), path: Array("/".utf8), query: Array(query.utf8),
            fields: fields.map { ($0.0, Array($0.1.utf8)) })
    }

    private func request(
        _ authorization: String, date: String = "20260102T030405Z", _ more: [(String, String)] = []
    ) -> SignedRequest {
        request([("host", "localhost"), ("x-amz-date", date), ("authorization", authorization)] + more)
    }

    private func authorization(
        _ credential: String = credential, signed: String = "host;x-amz-date", algorithm: String = "AWS4-HMAC-SHA256"
    ) -> String {
        "\(algorithm) \(credential), SignedHeaders=\(signed), Signature=\(String(repeating: "0", count: 64))"
    }

    /// The kind of an error.
    private func kind(_ error: SignatureError?) -> String {
        switch error {
        case nil: "none"
        case .missing: "missing"
        case .incomplete: "incomplete"
        case .unrecognized: "unrecognized"
        case .invalid: "invalid"
        }
    }

    @Test("A signature is read whole")
    func whole() throws {
        for separator in [", ", ",", ",  "] {
            let text = authorization().replacing(", ", with: separator)
            let claim = try SignatureClaim(request(text))
            #expect(claim.accessKeyID == "AKIA")
            #expect(claim.credential == CredentialPath(date: "20260102", region: "eu-west-1", service: "dynamodb"))
            #expect(claim.signedFields == ["host", "x-amz-date"])
            #expect(claim.time.seconds == Self.now && !claim.isInURL)
        }
    }

    @Test(
        "A credential that is none is refused",
        arguments: [
            "", "AKIA", "AKIA/20260102/eu-west-1/dynamodb", "AKIA/2026010/eu-west-1/dynamodb/aws4_request",
            "AKIA/20260102/EU/dynamodb/aws4_request", "AKIA/20260102//dynamodb/aws4_request",
            "/20260102/eu/dynamodb/aws4_request", "A/K/20260102/eu/dynamodb/aws4_request",
            "AKIA/20260102/eu/dynamodb/aws4_requests", "AKIA/20260102/eu/dyna modb/aws4_request",
            "AKIA/20260102/\(String(repeating: "e", count: 41))/dynamodb/aws4_request",
            "\(String(repeating: "A", count: 129))/20260102/eu/dynamodb/aws4_request",
        ])
    func credential(text: String) {
        let error = #expect(throws: SignatureError.self) {
            try SignatureClaim(request(authorization("Credential=\(text)")))
        }
        #expect(kind(error) == "incomplete")
    }

    @Test(
        "A time that is none is refused",
        arguments: [
            "", "2026-01-02T03:04:05Z", "20260102T030405", "20260102 030405Z", "20261302T030405Z", "20260230T030405Z",
            "20260102T240405Z", "20260102T036005Z", "20260102T030460Z", "2026010２T03040Z", "+2260102T030405Z",
        ])
    func time(text: String) {
        let error = #expect(throws: SignatureError.self) { try SignatureClaim(request(authorization(), date: text)) }
        #expect(kind(error) == "incomplete")
    }

    @Test("What is not signed at all, or in another way, is told apart from what is not whole")
    func kinds() {
        let cases: [(SignedRequest, String)] = [
            (request([("host", "localhost")]), "missing"), (request("Bearer x"), "missing"), (request(""), "missing"),
            (request(authorization(algorithm: "AWS4-HMAC-SHA512")), "incomplete"),
            (request(authorization(), date: "x"), "incomplete"),
            (request(authorization(), [("authorization", "x")]), "incomplete"),
            (request(authorization(), [("x-amz-date", "20260102T030405Z")]), "incomplete"),
            (request(authorization(), [("x-amz-security-token", "x")]), "unrecognized"),
            (request(authorization(signed: "host")), "invalid"),
            (request(authorization(signed: "x-amz-date")), "invalid"),
            (request(authorization(), [("x-amz-target", "x")]), "invalid"),
            (request(authorization(), [("x-amz-content-sha256", "x")]), "invalid"),
            (request(authorization(signed: "")), "incomplete"),
            (request([("host", "x")], query: "X-Amz-Signature=x"), "incomplete"),
            (request([("host", "x")], query: String(repeating: "a", count: 4097)), "incomplete"),
        ]
        for (number, (request, expected)) in cases.enumerated() {
            let error = #expect(throws: SignatureError.self) { try SignatureClaim(request) }
            #expect(kind(error) == expected, "case \(number)")
        }
    }

    @Test(
        "A signature is good within five minutes, and on its day",
        arguments: [
            (0, "none"), (300, "none"), (-300, "none"), (301, "invalid"), (-301, "invalid"), (86_400, "invalid"),
        ])
    func skew(seconds: Int64, expected: String) throws {
        let request = request(authorization())
        let claim = try SignatureClaim(request)
        let key = SigningKey(secret: Self.secret, date: "20260102", region: "eu-west-1", service: "dynamodb")
        var error: SignatureError?
        do throws(SignatureError) {
            _ = try PendingSignature(request, claim, key, for: "dynamodb", now: Self.now + seconds)
        } catch let failure { error = failure }
        #expect(kind(error) == expected)
    }

    @Test("A signature of another day than it was made on, or for another service, is refused")
    func scope() throws {
        let key = SigningKey(secret: Self.secret, date: "20260102", region: "eu-west-1", service: "dynamodb")
        for (old, new) in [("20260102", "20260103"), ("/dynamodb/", "/dax/")] {
            let request = request(authorization(Self.credential.replacing(old, with: new)))
            let claim = try SignatureClaim(request)
            #expect(throws: SignatureError.self) {
                try PendingSignature(request, claim, key, for: "dynamodb", now: Self.now)
            }
        }
    }

    @Test("A key that was derived is found again, and another secret's is not taken for it")
    func cached() throws {
        var cache = SigningKeyCache()
        let claim = try SignatureClaim(request(authorization()))
        let first = cache.key(for: claim, secret: Self.secret)
        let expected = SigningKey(secret: Self.secret, date: "20260102", region: "eu-west-1", service: "dynamodb")
        #expect(first == expected && cache.key(for: claim, secret: Self.secret) == expected)
        #expect(cache.key(for: claim, secret: Array("other".utf8)) != expected)
        for number in 0..<5000 {
            let other = Self.credential.replacing("eu-west-1", with: "r\(number)")
            _ = cache.key(for: try SignatureClaim(request(authorization(other))), secret: Self.secret)
        }
        #expect(cache.count <= 1024)
    }
}
