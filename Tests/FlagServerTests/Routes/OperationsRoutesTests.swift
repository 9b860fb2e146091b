import FlagCache
import FlagStore
import Glibc
import JSON
import Testing

@testable import Evaluation
@testable import FlagServer
@testable import HTTPRouting

@Suite("Operations")
struct OperationsRoutesTests {
    @Test("Health answers what it consists of, and HEAD the same without it")
    func health() throws {
        let server = try RouteServer()
        #expect(try server.send("GET", "/health/live").body == #"{"status":"ok"}"#)
        for path in ["/health", "/health/ready"] {
            let answer = try server.send("GET", path)
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{"status":"ok","version":"1.2.3","startedAt":"2026-01-02T03:04:05.678Z","#
                    + #""checks":{"cache":"ok","draining":"ok","store":"ok","writes":"ok","reserve":"ok","#
                    + #""backups":"ok","killSwitches":"ok"}}"#)
            let head = try server.send("HEAD", path)
            #expect(head.status == 200)
            #expect(head.fields["content-length"] == answer.fields["content-length"])
        }
    }

    @Test("A server that drains is alive and not ready")
    func draining() throws {
        let server = try RouteServer()
        server.composition.health.readiness.markDraining()
        let answer = try server.send("GET", "/health/ready")
        #expect(answer.status == 503)
        #expect(answer.json["checks"]?["draining"] != "ok")
        #expect(answer.json["status"] == "unavailable")
        #expect(try server.send("GET", "/health/live").status == 200)
    }

    @Test("A server that cannot write serves evaluations: it stays ready, degraded, and the metrics say so")
    func writesFail() throws {
        let server = try RouteServer()
        server.composition.health.readiness.mark(writable: false)
        let answer = try server.send("GET", "/health/ready")
        #expect(answer.status == 200)
        #expect(answer.json["status"] == "degraded")
        #expect(answer.json["checks"]?["writes"] == "fail, evaluations go on; the log says why")
        #expect(try server.send("GET", "/metrics").body.contains("\nflag_server_store_writable 0\n"))
        server.composition.health.readiness.mark(writable: true)
        #expect(try server.send("GET", "/health/ready").json["status"] == "ok")
    }

    @Test("While the store fails, what is known is served, what is not is the safe default, and readiness is red")
    func failingStore() throws {
        let server = try RouteServer {
            $0.evaluation.cacheLimits = CacheLimits(capacity: 100, timeToLiveMilliseconds: 1)
        }
        try server.create("f")
        #expect(try server.ofrep("f").status == 200)
        while !server.composition.feed.statistics.tenantsAreComplete { sched_yield() }
        server.table.isFailing = true
        // What is in the cache goes on being served, and is called stale as soon as its time is over.
        var sources: Set<String> = []
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(10)
        while !sources.contains("stale"), clock.now < deadline {
            let known = try server.send("POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"f"}"#)
            #expect(known.json["enabled"] == true)
            sources.insert(known.json["source"]?.stringValue ?? "")
        }
        #expect(sources.isSubset(of: ["cache", "stale"]))
        #expect(sources.contains("stale"))
        #expect(try server.bulk().status == 200)
        let unknown = try server.ofrep("g")
        #expect(unknown.status == 503)
        #expect(unknown.json["errorCode"] == "GENERAL")
        #expect(unknown.json["key"] == "g")
        let safe = try server.send("POST", "/api/evaluate", #"{"tenantId":"t","flagKey":"g"}"#)
        #expect(safe.status == 200)
        #expect(safe.json["enabled"] == false)
        #expect(safe.json["reason"] == "error")
        #expect(safe.json["source"] == "default")
        #expect(safe.json["errorDetails"]?.stringValue?.isEmpty == false)
        let write = try server.send("PATCH", "/api/flags/f", #"{"defaultEnabled":false}"#)
        #expect(write.status == 503)
        #expect(write.code == "store_unavailable")
        #expect(write.fields["retry-after"] == "1")
        #expect(write.json["detail"]?.stringValue?.contains("Replace the disk") == true)
        #expect(try server.send("GET", "/health/ready").status == 503)
        #expect(try server.send("GET", "/health/live").status == 200)
        #expect(try server.send("GET", "/metrics").body.contains("\nflag_server_ready 0\n"))
        server.table.isFailing = false
        #expect(try server.send("PATCH", "/api/flags/f", #"{"defaultEnabled":false}"#).status == 200)
    }

    @Test("Metrics count requests, evaluations and cache look-ups, and are in Prometheus' text format")
    func metrics() throws {
        let server = try RouteServer(loops: 2)
        try server.create("f")
        let connections = try (0..<4).map { _ in try server.connect() }
        for connection in connections {
            _ = try connection.send("POST", "/ofrep/v1/evaluate/flags/f", "{}")
            _ = try connection.send("POST", "/ofrep/v1/evaluate/flags/none", "{}")
            _ = try connection.send("GET", "/nothing")
        }
        let answer = try server.send("GET", "/metrics")
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let lines = answer.body.split(separator: "\n").map(String.init)
        for line in [
            #"flag_server_http_requests_total{route="flags",status="201"} 1"#,
            #"flag_server_http_requests_total{route="ofrep_flag",status="200"} 4"#,
            #"flag_server_http_requests_total{route="ofrep_flag",status="404"} 4"#,
            #"flag_server_http_requests_total{route="none",status="404"} 4"#,
            #"flag_server_evaluations_total{interface="ofrep",reason="default"} 4"#,
            #"flag_server_evaluations_total{interface="ofrep",reason="flag_not_found"} 4"#,
            #"flag_server_cache_hits_total{kind="flags"} 4"#,
            #"flag_server_build_info{version="1.2.3",profile="local"} 1"#, "flag_server_ready 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(lines.contains { $0.hasPrefix("process_resident_memory_bytes ") })
        // The flag and the revision in one commit; then, some time later, the flag's history.
        let counts = ["flag_server_store_batches_total ", "flag_server_store_writes_total "].map { name in
            lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.utf8.count)) } ?? 0
        }
        #expect(counts[0] >= 1)
        #expect(counts[1] >= 2)
        let families = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(families).count == families.count)
        for line in lines where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" && $0 != " " }
            let ofHistogram = ["_bucket", "_sum", "_count"].contains { suffix in
                name.hasSuffix(suffix) && lines.contains("# TYPE \(name.dropLast(suffix.utf8.count)) histogram")
            }
            #expect(families.contains(name) || ofHistogram, "\(line) belongs to no family")
            #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line) has no value")
        }
    }

    @Test("With authentication on, everything but health is refused, and the answer says what to do")
    func authentication() throws {
        let server = try RouteServer(requiresAuthentication: true)
        for (method, path) in [
            ("POST", "/ofrep/v1/evaluate/flags/f"), ("POST", "/ofrep/v1/evaluate/flags"), ("POST", "/api/evaluate"),
            ("GET", "/api/flags"), ("PUT", "/api/tenants/t/flags/f"), ("POST", "/api/emergency/kill-switch"),
            ("GET", "/metrics"), ("GET", "/openapi.json"), ("GET", "/nothing"), ("DELETE", "/api/flags"),
            ("POST", "/health"),
        ] {
            let answer = try server.send(method, path, "{}", [("Authorization", "Bearer secret")])
            #expect(answer.status == 401)
            #expect(answer.code == "unauthorized")
            #expect(answer.fields["content-type"] == "application/problem+json")
            #expect(answer.fields["www-authenticate"] == #"Bearer realm="flag-server""#)
            #expect(answer.json["detail"]?.stringValue?.contains("flag-server keys create") == true)
        }
        for path in ["/health", "/health/live", "/health/ready"] {
            #expect(try server.send("GET", path).status == 200)
        }
    }

    @Test("Metrics count the flags past their dates, by environment; not while the store does not answer")
    func staleFlags() throws {
        let server = try RouteServer()
        try server.create("now", #""defaultEnabled":true,"expiresAt":"2026-01-02T03:04:05.678Z""#)
        try server.create("later", #""defaultEnabled":true,"expiresAt":"2026-01-02T03:04:06.678Z""#)
        try server.create("never", environment: "prod")
        func counts() throws -> [String] {
            try server.send("GET", "/metrics").body.split(separator: "\n")
                .filter { $0.hasPrefix("flag_server_flags_stale{") }.map { String($0.dropFirst(24)) }
        }
        #expect(
            try counts() == [
                #"environment="development"} 1"#, #"environment="staging"} 0"#, #"environment="production"} 0"#,
            ])
        server.advance(byMilliseconds: 1_000)
        #expect(try counts().first == #"environment="development"} 2"#)
        server.table.isFailing = true
        #expect(try counts().isEmpty)
    }

    @Test("A path without a route is 404, a route's other methods are 405 with Allow, OPTIONS lists them")
    func routing() throws {
        let server = try RouteServer()
        for path in ["/", "/api", "/api/flags/", "/api/flags/a/b", "/ofrep/v1/evaluate", "/API/flags"] {
            let answer = try server.send("GET", path)
            #expect(answer.status == 404)
            #expect(answer.code == "route_not_found")
        }
        for (method, path, allow) in [
            ("DELETE", "/api/flags", "GET, HEAD, OPTIONS, POST"),
            ("POST", "/api/flags/f", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
            ("TRACE", "/api/flags/f/tenants", "GET, HEAD, OPTIONS"),
            ("GET", "/ofrep/v1/evaluate/flags/a/b", "OPTIONS, POST"), ("GET", "/api/evaluate", "OPTIONS, POST"),
            ("POST", "/health/ready", "GET, HEAD, OPTIONS"),
        ] {
            let refused = try server.send(method, path)
            #expect(refused.status == 405)
            #expect(refused.code == "method_not_allowed")
            #expect(refused.fields["allow"] == allow)
            let options = try server.send("OPTIONS", path)
            #expect(options.status == 204)
            #expect(options.fields["allow"] == allow)
        }
        #expect(try server.send("OPTIONS", "*").fields["allow"] == Router.methods)
    }

    @Test("Who waits to be asked for content is told at once where there is no route (RFC 9110 §10.1.1)")
    func expectations() throws {
        for requiresAuthentication in [false, true] {
            let server = try RouteServer(requiresAuthentication: requiresAuthentication)
            for (line, status) in [
                ("POST /nothing", 404), ("DELETE /api/flags", 405), ("BREW /", 501), ("POST /api/flags", 100),
            ] {
                let head = "\(line) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                let connection = try server.connect()
                try connection.write(Array(head.utf8))
                let expected = requiresAuthentication && status != 501 ? 401 : status
                #expect(try connection.readResponse().status == expected, "\(line)")
            }
        }
    }

    @Test("A stranger's upload is refused before it is sent, and keeps none of the places for uploads")
    func uploadsOfStrangers() throws {
        let server = try RouteServer(requiresAuthentication: true)
        // More than there are places.
        let connections = try (0..<6).map { _ in try server.connect() }
        let begin = "POST /api/import HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n{"
        for connection in connections {
            try connection.write(Array(begin.utf8))
            #expect(try connection.readResponse().status == 401)
        }
    }

    @Test("A method that nobody knows is 501 wherever it is sent (RFC 9110 §9.1)")
    func unknownMethods() throws {
        let server = try RouteServer()
        for (method, path) in [("BREW", "/api/flags"), ("get", "/health"), ("BREW", "/nothing")] {
            let refused = try server.send(method, path)
            #expect(refused.status == 501)
            #expect(refused.code == "not_implemented")
        }
    }

    @Test("A server that is about to stop says so to whoever asks whether it is ready")
    func stopping() throws {
        let server = try RouteServer()
        let readiness = server.composition.health.readiness
        #expect(readiness.isWarm && !readiness.isDraining)
        #expect(try server.send("GET", "/health/ready").status == 200)
        server.composition.drain(within: .seconds(5)) {}
        #expect(readiness.isDraining)
    }
}
