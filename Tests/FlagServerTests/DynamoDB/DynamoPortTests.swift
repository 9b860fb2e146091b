import Access
import Testing

@testable import FlagServer

@Suite("Who may ask on the DynamoDB port, and for what")
struct DynamoPortTests {
    /// As long as the name of a service may be.
    private static let longest = String(repeating: "s", count: 40)

    @Test("Only who calls the server by a name of its own")
    func host() throws {
        let server = try DynamoServer()
        for name in ["localhost", "tables.internal:8000", "127.0.0.1"] {
            #expect(try server.put("a", [("Host", name)]).status == 200, "\(name)")
        }
        let answer = try server.put("b", [("Host", "evil.example")])
        #expect(answer.status == 421)
        #expect(answer.errorType == "AccessDeniedException")
        #expect(try server.get("b").body == "{}")
    }

    @Test("No page of another site, unless it is named")
    func pages() throws {
        let server = try DynamoServer(pages: ["http://Console.example:5173"])
        for field in [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example")] {
            let answer = try server.put("a", [field])
            #expect(answer.status == 403, "\(field)")
            #expect(answer.fields["access-control-allow-origin"] == nil)
        }
        #expect(try server.get("a").body == "{}")
        // A browser writes an origin in small letters, and says that it is of another site.
        let origin = "http://console.example:5173"
        let page = [("Origin", origin), ("Sec-Fetch-Site", "cross-site")]
        for answer in [try server.put("a", page), try server.get("a", page)] {
            #expect(answer.status == 200)
            #expect(answer.fields["access-control-allow-origin"] == origin)
            #expect(answer.fields["vary"] == "Origin")
        }
        #expect(try server.get("a", [("Origin", "HTTP://CONSOLE.example:5173")]).status == 200)
    }

    @Test("A browser that asks beforehand is answered for named pages alone")
    func preflight() throws {
        let server = try DynamoServer(pages: ["http://console.example"])
        let named = try server.connect().send("OPTIONS", "/", nil, [("Origin", "http://console.example")])
        #expect(named.status == 200)
        #expect(named.fields["access-control-allow-methods"] == "POST")
        #expect(named.fields["access-control-allow-headers"]?.contains("x-amz-target") == true)
        let unnamed = try server.connect().send("OPTIONS", "/", nil, [("Origin", "http://localhost")])
        #expect(unnamed.status == 404)
        #expect(unnamed.fields["access-control-allow-methods"] == nil)
    }

    @Test("Health is at the root, and nowhere else")
    func health() throws {
        let server = try DynamoServer()
        let root = try server.connect().send("GET", "/")
        #expect((root.status, root.fields["content-type"]) == (200, "text/plain"))
        #expect(root.body.hasPrefix("healthy"))
        #expect(try server.connect().send("HEAD", "/").status == 200)
        for (method, path) in [("GET", "/health"), ("HEAD", "/things"), ("PUT", "/"), ("POST", "/things")] {
            #expect(try server.connect().send(method, path).status == 404, "\(method) \(path)")
        }
    }

    @Test(
        "What is signed for another service is refused in the words of that service",
        arguments: [
            ("s3", "application/json", "application/xml", "<Error><Code>UnknownOperationException"),
            ("sqs", "application/x-amz-json-1.0", "application/x-amz-json-1.0", #"{"__type":"#),
            ("sts", "application/x-www-form-urlencoded", "text/xml", "<ErrorResponse><Error><Code>"),
        ])
    func otherService(_ service: String, type: String, answered: String, beginning: String) throws {
        let server = try DynamoServer()
        let credential = "AKID/20260101/eu-west-1/\(service)/aws4_request"
        let signature = "AWS4-HMAC-SHA256 Credential=\(credential), SignedHeaders=host"
        let answer = try server.put("a", [("Authorization", signature), ("Content-Type", type)])
        #expect(answer.status == 400)
        #expect(answer.fields["content-type"] == answered)
        #expect(answer.body.hasPrefix(beginning))
        #expect(answer.body.contains("answers for DynamoDB and not for \(service)"))
        #expect(try server.get("a").body == "{}")
    }

    @Test(
        "A signature is of the service that its last parts name, and of nothing where these are no such parts",
        arguments: [
            ("AKID/20260101/eu-west-1/s3/aws4_request", "s3"),
            ("AKID/20260101/eu-west-1/dynamodb/aws4_request", "dynamodb"),
            ("AKID/today/eu-west-1/s3/aws4_request", nil), ("AKID/2026010/eu-west-1/s3/aws4_request", nil),
            ("AKID/20260101/eu-west-1/\(longest)/aws4_request", longest),
            ("AKID/20260101/eu-west-1/\(longest)s/aws4_request", nil),
            ("AKID/20260101/eu-west-1/s3/aws4", nil),
        ])
    func scope(_ credential: String, service: String?) {
        let field = "AWS4-HMAC-SHA256 Credential=\(credential), SignedHeaders=host"
        #expect(Array(field.utf8).withUnsafeBytes { CredentialScope($0) }?.service == service)
    }

    @Test(
        "An operation is asked for with JSON, or with nothing that says otherwise",
        arguments: [
            ("application/x-amz-json-1.0", 200, "application/x-amz-json-1.0"),
            ("application/x-amz-json-1.0; charset=utf-8", 200, "application/x-amz-json-1.0"),
            ("Application/JSON", 200, "application/json"), ("application/json;charset=utf-8", 200, "application/json"),
            ("application/x-www-form-urlencoded", 404, "text/xml"), ("text/plain", 404, "application/json"),
        ])
    func contentType(_ type: String, status: Int, answered: String) throws {
        let server = try DynamoServer()
        let answer = try server.put("a", [("Content-Type", type)])
        #expect(answer.status == status)
        #expect(answer.fields["content-type"] == answered)
        #expect(try server.get("a").body.contains("Item") == (status == 200))
    }

    @Test("What no operation is, is refused in DynamoDB's words, and counted")
    func noOperation() throws {
        let server = try DynamoServer()
        let type = ("Content-Type", "application/x-amz-json-1.0")
        let unknown = try server.call("\(String(repeating: "x", count: 200))", "{}")
        #expect(unknown.status == 400)
        #expect(unknown.errorType == "UnknownOperationException")
        #expect(unknown.errorMessage.hasPrefix("DynamoDB_20120810.xxx"))
        #expect(unknown.errorMessage.count < 200)
        let missing = try server.connect().send("POST", "/", "{}", [type])
        #expect(missing.errorMessage.contains("X-Amz-Target is missing"))
        let nothing = try server.connect().send("POST", "/")
        #expect(nothing.errorMessage.contains("X-Amz-Target is missing"))
        // What cannot be read at all is told before what it may have asked for.
        let broken = try server.call("Nothing", "{")
        #expect(broken.errorType == "SerializationException")
        #expect(
            server.metrics().contains(
                #"flag_server_dynamodb_requests_total{operation="unknown",outcome="refused"} 4"#))
    }

    // MARK: With authentication on

    private static let unknown =
        "AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20260102/us-east-1/dynamodb/aws4_request, "
        + "SignedHeaders=host;x-amz-date;x-amz-target, Signature=0"

    @Test("What nobody has signed is refused by its head, and of each address only so often with the reason")
    func strangers() throws {
        let server = try DynamoServer(strangers: RequestRate(requests: 3, seconds: 3600))
        let signed = [("Authorization", Self.unknown), ("X-Amz-Date", "20260102T030405Z")]
        let cases: [([(String, String)], String)] = [
            ([], "MissingAuthenticationTokenException"), (signed, "UnrecognizedClientException"),
            (Array(signed.prefix(1)), "IncompleteSignatureException"), ([], "ThrottlingException"),
            (signed, "ThrottlingException"),
        ]
        for (fields, type) in cases {
            let response = try server.put("a", fields)
            #expect(response.status == 400 && response.errorType == type, "\(response.body)")
        }
        #expect(try server.connect().send("GET", "/").status == 200)
        #expect(server.metrics().contains("outcome=\"refused\"} 3"))
        #expect(server.metrics().contains("outcome=\"throttled\"} 2"))
    }

    @Test("The content of a stranger is not waited for, whatever it asks for")
    func unreadContent() throws {
        let server = try DynamoServer(strangers: RequestRate(requests: 100, seconds: 60))
        for (path, type, status) in [
            ("/", "application/x-amz-json-1.0", 400), ("/other", "application/x-amz-json-1.0", 404),
            ("/", "text/plain", 404),
        ] {
            let connection = try server.connect()
            let head =
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\nContent-Length: 9000000\r\n"
                + "X-Amz-Target: DynamoDB_20120810.PutItem\r\n\r\n"
            try connection.write(Array(head.utf8))
            #expect(try connection.readResponse().status == status, "\(path) \(type)")
        }
    }
}
