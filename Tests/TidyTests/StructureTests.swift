import Foundation
import Testing

/// Rules on which part may know which.
@Suite("Structure")
struct StructureTests {
    /// What each target may import, beside the standard library.
    static let imports: [String: Set<String>] = [
        "Bytes": ["CLinux", "CZlib", "Glibc"],
        "JSON": ["Bytes"],
        "FlagCore": ["JSON", "Bytes"],
        "Platform": ["CLinux", "Glibc"],
        "SQLite": ["CSQLite", "Platform", "Glibc"],
        "DynamoModel": ["Bytes", "JSON", "Platform", "Dispatch", "Glibc"],
        "TableEngine": [
            "DynamoModel", "SQLite", "JSON", "Bytes", "Platform", "Dispatch", "Glibc", "Synchronization", "Crypto",
        ],
        "DynamoService": [
            "DynamoModel", "TableEngine", "JSON", "Bytes", "Platform", "Dispatch",
        ],
        "FlagCache": ["FlagCore", "JSON", "Bytes", "Platform", "Glibc", "Synchronization"],
        "FlagStore": [
            "Access", "DynamoModel", "FlagCache", "FlagCore", "JSON", "Bytes", "Platform", "Dispatch", "Glibc",
        ],
        "FlagFiles": ["FlagStore", "Access", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform", "Dispatch"],
        "HTTPTransport": ["CLinux", "COpenSSL", "CZlib", "Bytes", "Platform", "Dispatch", "Glibc", "Synchronization"],
        "HTTPClient": ["CCurl", "Platform", "Dispatch"],
        "Telemetry": ["Synchronization"],
        "SigV4": ["COpenSSL", "Bytes"],
        // No clock and no I/O: who may do what is decided by values alone.
        "Access": ["DynamoModel", "FlagCore", "JSON", "Bytes", "Synchronization"],
        "Tokens": [
            "Access", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform", "Dispatch", "Crypto", "JWTKit",
        ],
        "AccessStore": [
            "COpenSSL", "CCommonPasswords", "Tokens", "Access", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform",
            "Dispatch", "Synchronization", "Crypto", "CryptoExtras",
        ],
        "Audit": ["DynamoModel", "FlagCore", "JSON", "Bytes", "Crypto"],
        "AuditStore": [
            "Audit", "AccessStore", "FlagStore", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform", "Dispatch",
        ],
        "HTTPRouting": [
            "HTTPTransport", "Telemetry", "Access", "FlagCore", "JSON", "Bytes", "Platform", "Dispatch",
            "Synchronization",
        ],
        // What answers evaluations can neither reach the store nor wait. Without an import nothing of a module can be
        // called, not even on a value that somebody else hands over (MemberImportVisibility).
        "Evaluation": [
            "HTTPRouting", "HTTPTransport", "Telemetry", "Access", "FlagCache", "FlagCore", "JSON", "Bytes",
        ],
        "ChangeControl": ["Access", "FlagStore", "FlagCore", "DynamoModel", "JSON", "Bytes", "Platform", "Dispatch"],
        "Administration": [
            "HTTPRouting", "HTTPTransport", "Audit", "AuditStore", "Access", "AccessStore", "ChangeControl",
            "FlagFiles",
            "FlagStore",
            "FlagCache", "FlagCore",
            "DynamoModel",
            "JSON", "Bytes", "Platform", "Dispatch",
        ],
        "FlagServer": [
            "Evaluation", "Administration", "HTTPRouting", "Telemetry", "Access", "AccessStore", "Tokens", "SigV4",
            "ChangeControl", "Audit", "AuditStore",
            "CAPIDocument", "FlagStore",
            "FlagFiles", "FlagCache", "FlagCore", "DynamoModel", "TableEngine", "DynamoService", "HTTPTransport",
            "HTTPClient", "JSON", "Bytes", "Platform", "Dispatch", "Glibc", "Synchronization", "FoundationEssentials",
            "ArgumentParser", "Logging", "Configuration", "Yams",
        ],
        "HTTPEcho": ["HTTPTransport", "Platform", "Glibc"],
    ]

    /// Words that would show that a part knows what it must not.
    static let foreignWords: [String: [String]] = [
        "Bytes": ["tenant", "targeting", "killswitch", "http", "sqlite", "dynamo"],
        "Platform": ["tenant", "targeting", "killswitch", "http", "sqlite", "dynamo", "json"],
        "JSON": ["tenant", "targeting", "killswitch", "http", "sqlite", "dynamo"],
        "SQLite": ["tenant", "targeting", "killswitch", "http", "dynamo", "featureflag"],
        "DynamoModel": ["tenant", "targeting", "killswitch", "featureflag", "flagstore", "flagcore", "sqlite"],
        "TableEngine": ["tenant", "targeting", "killswitch", "featureflag", "flagstore", "flagcore", "exception"],
        "DynamoService": ["tenant", "targeting", "killswitch", "featureflag", "flagstore", "flagcore"],
        "HTTPTransport": ["tenant", "targeting", "killswitch", "featureflag", "flagstore", "flagcore", "sqlite"],
        "HTTPClient": ["tenant", "targeting", "killswitch", "featureflag", "flagstore", "flagcore", "sqlite"],
        "Telemetry": ["tenant", "targeting", "killswitch", "flagstore", "flagcore", "http", "sqlite", "dynamo"],
        "SigV4": ["tenant", "targeting", "killswitch", "flagstore", "sqlite", "dynamo"],
        "Access": ["targeting", "http", "sqlite", "date()", "clock"],
        "Tokens": ["targeting", "killswitch", "http", "sqlite", "flagstore"],
        "AccessStore": ["targeting", "killswitch", "flagstore", "http", "sqlite"],
        "Audit": ["http", "sqlite", "engine"],
        "AuditStore": ["http", "sqlite"],
        "HTTPRouting": ["tenant", "targeting", "killswitch", "flagstore", "flagkey", "sqlite", "dynamo"],
        "Evaluation": ["sqlite", "dynamo", "repository", "dispatch", "flagstore"],
        "Administration": ["sqlite"],
        "FlagStore": ["http", "sqlite3", "httptransport"],
        "FlagFiles": ["http", "sqlite"],
        "FlagCache": ["http", "sqlite", "dynamo", "flagstore", "repository", "dispatch"],
        "FlagCore": ["http", "sqlite", "dynamo", "date()"],
    ]

    @Test("Every target imports only what it may know")
    func importsAreAllowed() throws {
        for file in SourceTree.sources {
            let target = try #require(file.target)
            let allowed = try #require(Self.imports[target], "No rule says what \(target) may import")
            let pattern = try Regex("^\\s*(?:@\\w+ |package |public |internal |private )*import (?:\\w+ )?(\\w+)")
            for line in file.code.lines where line.contains("import ") {
                guard let module = line.firstMatch(of: pattern)?.output[1].substring else { continue }
                #expect(allowed.contains(String(module)), "\(file.path) imports \(module)")
            }
        }
    }

    @Test("No part speaks of what it must not know")
    func vocabulary() {
        for file in SourceTree.sources {
            guard let words = file.target.flatMap({ Self.foreignWords[$0] }) else { continue }
            for (index, line) in file.code.lines.enumerated() {
                let names = line.lowercased()
                for word in words where names.contains(word) {
                    Issue.record("\(file.path):\(index + 1) speaks of \(word): \(line)")
                }
            }
        }
    }

    @Test("No SwiftNIO among the packages, neither directly nor through another")
    func noNIO() throws {
        // What SwiftPM resolved for this very build: every package, with those that others bring along.
        let path = SourceTree.root + "/Package.resolved"
        guard FileManager.default.fileExists(atPath: path) else {
            let manifest = try String(contentsOfFile: SourceTree.root + "/Package.swift", encoding: .utf8)
            #expect(!manifest.contains(".package(url"), "Package.resolved is missing: run swift package resolve")
            return
        }
        let resolved = try JSONDecoder().decode(Resolved.self, from: Data(contentsOf: URL(filePath: path)))
        #expect(!resolved.pins.isEmpty)
        for pin in resolved.pins {
            #expect(!pin.identity.contains("nio"), "\(pin.identity) is among the packages")
        }
    }

    private struct Resolved: Decodable {
        struct Pin: Decodable { let identity: String }
        let pins: [Pin]
    }

    @Test("Packages are pinned to one version each")
    func packagesArePinned() throws {
        let manifest = try String(contentsOfFile: SourceTree.root + "/Package.swift", encoding: .utf8)
        for line in manifest.split(separator: "\n") where line.contains(".package(") && line.contains("url:") {
            #expect(line.contains("exact: \""), "\(line)")
        }
    }

    @Test("What the documents name is there")
    func documentedPathsExist() throws {
        for file in SourceTree.markdown {
            let folders = "(?:Sources|Tests|Benchmarks|scripts|config|docs|\\.ci)"
            let code = try Regex("`(?:\\./)?(\(folders)/[^`\\s*{}<>…]*)")
            let link = try Regex("\\]\\((?!https?:|#)([^)#\\s]+)")
            let home = URL(filePath: SourceTree.root + "/" + file.path).deletingLastPathComponent().path
            for (index, line) in file.lines.enumerated() {
                let named =
                    line.matches(of: code).compactMap { $0.output[1].substring.map { SourceTree.root + "/" + $0 } }
                    + line.matches(of: link).compactMap { $0.output[1].substring.map { home + "/" + $0 } }
                for path in named where !FileManager.default.fileExists(atPath: path) {
                    Issue.record("\(file.path):\(index + 1) names \(path), which is not there")
                }
            }
        }
    }
}
