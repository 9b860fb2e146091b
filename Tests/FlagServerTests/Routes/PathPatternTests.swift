import Testing

@testable import FlagServer
@testable import HTTPRouting

/// What each pattern makes of each path: nil when it is another path, else the parameters.
private let pathCases: [(pattern: StaticString, path: String, parameters: [String]?)] = [
    ("/api/flags", "/api/flags", []),
    ("/api/flags", "/api/flags/", nil),
    ("/api/flags", "/api/flag", nil),
    ("/api/flags", "/api/flagsx", nil),
    ("/api/flags", "", nil),
    ("/api/flags/{flagKey}", "/api/flags/a", ["a"]),
    ("/api/flags/{flagKey}", "/api/flags/a%2Fb", ["a%2Fb"]),
    ("/api/flags/{flagKey}", "/api/flags/", nil),
    ("/api/flags/{flagKey}", "/api/flags/a/b", nil),
    ("/api/flags/{flagKey}", "/api/flags/a/", nil),
    ("/api/flags/{flagKey}/tenants", "/api/flags/a/tenants", ["a"]),
    ("/api/flags/{flagKey}/tenants", "/api/flags//tenants", nil),
    ("/api/flags/{flagKey}/tenants", "/api/flags/a/tenant", nil),
    ("/api/tenants/{tenantId}/flags/{flagKey}", "/api/tenants/t/flags/f", ["t", "f"]),
    ("/api/tenants/{tenantId}/flags/{flagKey}", "/api/tenants/t/flags/", nil),
    ("/api/tenants/{tenantId}/flags/{flagKey}", "/api/tenants/t/f/f", nil),
    ("/flags/{key...}", "/flags/a/b%20c/", ["a/b%20c/"]),
    ("/flags/{key...}", "/flags/", [""]),
    ("/flags/{key...}", "/flags", nil),
]

@Suite("Path patterns")
struct PathPatternTests {
    @Test("A pattern takes exactly the paths it describes", arguments: pathCases.indices)
    func matches(index: Int) {
        let (pattern, path, parameters) = pathCases[index]
        let found = Array(path.utf8).withUnsafeBytes { bytes -> [String]? in
            PathPattern(pattern).match(bytes).map { match in
                [match.first, match.second].compactMap { $0.map { String(decoding: $0, as: UTF8.self) } }
            }
        }
        #expect(found == parameters)
    }

    @Test("A pattern knows its parameters' names and OpenAPI's spelling")
    func names() {
        let override = PathPattern("/api/tenants/{tenantId}/flags/{flagKey}")
        #expect(override.parameterNames == ["tenantId", "flagKey"])
        #expect(override.openAPIPath == "/api/tenants/{tenantId}/flags/{flagKey}")
        let rest = PathPattern("/ofrep/v1/evaluate/flags/{key...}")
        #expect(rest.parameterNames == ["key"])
        #expect(rest.takesRest)
        #expect(rest.openAPIPath == "/ofrep/v1/evaluate/flags/{key}")
    }
}
