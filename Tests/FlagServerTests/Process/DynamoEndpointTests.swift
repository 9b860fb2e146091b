import HTTPTransport
import Testing

@testable import FlagServer

@Suite("The DynamoDB port of a server")
struct DynamoEndpointTests {
    @Test(
        "is on the addresses of the server, and on this machine alone where these are paths",
        arguments: [
            ("127.0.0.1", ["127.0.0.1:8000"]), ("127.0.0.1,::1", ["127.0.0.1:8000", "[::1]:8000"]),
            ("unix:/run/flags.sock, 10.0.0.1", ["10.0.0.1:8000"]), ("unix:/run/flags.sock", ["127.0.0.1:8000"]),
        ])
    func addresses(_ host: String, _ places: [String]) {
        #expect(DynamoEndpoint.addresses(host, port: 8000).map(\.description) == places)
    }

    @Test(
        "reads the region and the service that a request was signed for, and nothing else as such",
        arguments: [
            ("Credential=AKID/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host", "eu-west-1"),
            ("Credential=a/b/c/20260101/us-gov-east-1/dynamodb/aws4_request,SignedHeaders=host", "us-gov-east-1"),
            ("Credential=AKID/20260101/eu\"west/dynamodb/aws4_request, SignedHeaders=host", nil),
            ("Credential=AKID/20260101//dynamodb/aws4_request, SignedHeaders=host", nil),
            ("Credential=AKID, SignedHeaders=host", nil), ("Bearer abc", nil), ("", nil), (",", nil),
        ])
    func scope(_ credential: String, _ region: String?) {
        let scope = Array("AWS4-HMAC-SHA256 \(credential)".utf8).withUnsafeBytes { CredentialScope($0) }
        #expect(scope?.region == region)
        #expect(scope?.isOfDynamoDB ?? true)
    }
}
