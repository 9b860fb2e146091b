// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target with the settings that every target shares.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A test target for `subject`, beside whatever else its tests need.
func tests(of subject: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(subject)Tests", dependencies: [.target(name: subject), "TestSupport"] + dependencies,
        swiftSettings: settings)
}

let package = Package(
    name: "flag-server",
    products: [
        .executable(name: "flag-server", targets: ["FlagServer"]),
        .executable(name: "http-echo", targets: ["HTTPEcho"]),
        .executable(name: "wire-server", targets: ["WireServer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: [.defaults, "YAML"]),
        // What the YAML trait of swift-configuration reads files with: it does not read lists of objects.
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        // What Swift's Glibc module does not show, and the system's libraries.
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Without pkgConfig, which would have it linked: it is loaded when it is needed.
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        library("Platform", ["CLinux"]),
        library("Bytes", ["CLinux", "CZlib"]),
        library("JSON", ["Bytes"]),
        library("FlagCore", ["JSON", "Bytes"]),
        library("SQLite", ["CSQLite", "Platform"]),
        library("DynamoModel", ["JSON", "Bytes", "Platform"]),
        library(
            "TableEngine",
            [
                "DynamoModel", "SQLite", "JSON", "Bytes", "Platform",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        library("DynamoService", ["DynamoModel", "TableEngine", "JSON", "Bytes", "Platform"]),
        library("FlagCache", ["FlagCore", "JSON", "Bytes", "Platform"]),
        library("FlagStore", ["Access", "DynamoModel", "FlagCore", "FlagCache", "JSON", "Bytes", "Platform"]),
        library("FlagFiles", ["FlagStore", "Access", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform"]),
        library("HTTPTransport", ["CLinux", "COpenSSL", "CZlib", "Bytes", "Platform"]),
        library("HTTPClient", ["CCurl", "Platform"]),
        library("Telemetry"),
        library("SigV4", ["COpenSSL", "Bytes"]),
        library("Access", ["DynamoModel", "FlagCore", "JSON", "Bytes"]),
        library(
            "Tokens",
            [
                "Access", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform",
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        // The passwords that are most used, compiled in.
        .target(name: "CCommonPasswords", exclude: ["common-passwords.bin"]),
        library(
            "AccessStore",
            [
                "COpenSSL", "CCommonPasswords", "Tokens", "Access", "DynamoModel", "FlagCore", "JSON", "Bytes",
                "Platform",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        // The audit log: what a record is and how records are chained; then where they are and what they are made of.
        library(
            "Audit",
            ["DynamoModel", "FlagCore", "JSON", "Bytes", .product(name: "Crypto", package: "swift-crypto")]),
        library(
            "AuditStore",
            ["Audit", "AccessStore", "FlagStore", "DynamoModel", "FlagCore", "JSON", "Bytes", "Platform"]),
        library("HTTPRouting", ["HTTPTransport", "Telemetry", "Access", "FlagCore", "JSON", "Bytes", "Platform"]),
        library(
            "Evaluation",
            ["HTTPRouting", "HTTPTransport", "Telemetry", "Access", "FlagCache", "FlagCore", "JSON", "Bytes"]),
        // What is to happen to flags later or with others' leave, and what holds changes up.
        library("ChangeControl", ["Access", "FlagStore", "FlagCore", "DynamoModel", "JSON", "Bytes", "Platform"]),
        library(
            "Administration",
            [
                "HTTPRouting", "HTTPTransport", "Audit", "AuditStore", "Access", "AccessStore", "ChangeControl",
                "FlagFiles",
                "FlagStore", "FlagCache", "FlagCore", "DynamoModel", "JSON", "Bytes", "Platform",
            ]),
        // The API document, compiled in.
        .target(name: "CAPIDocument", exclude: ["openapi.json"]),

        .executableTarget(
            name: "FlagServer",
            dependencies: [
                "Evaluation", "Administration", "HTTPRouting", "Telemetry", "Access", "AccessStore", "Tokens", "SigV4",
                "ChangeControl", "Audit", "AuditStore", "CAPIDocument", "FlagStore", "FlagFiles", "FlagCache",
                "FlagCore",
                "DynamoModel", "TableEngine",
                "DynamoService", "HTTPTransport", "HTTPClient", "JSON", "Bytes", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),
        .executableTarget(name: "HTTPEcho", dependencies: ["HTTPTransport", "Platform"], swiftSettings: settings),
        // What tests from outside, drills and measurements ask: the transport with all its settings as options.
        .executableTarget(
            name: "WireServer",
            dependencies: [
                "HTTPTransport", "Bytes", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/WireServer", swiftSettings: settings),

        // What `./scripts/bench table` measures without a socket.
        .executableTarget(
            name: "TableBench",
            dependencies: [
                "DynamoModel", "TableEngine", "SQLite", "FlagStore", "FlagCore", "Audit", "AuditStore", "Platform",
            ],
            path: "Benchmarks/TableBench",
            swiftSettings: settings),

        // What ./scripts/fuzz does to the flag store, and in a short form its tests.
        .target(
            name: "ForeignItems",
            dependencies: [
                "Access", "FlagStore", "FlagFiles", "FlagCache", "FlagCore", "DynamoModel", "TableEngine", "JSON",
                "Platform",
            ],
            path: "Fuzzing/ForeignItems", swiftSettings: settings),

        // What tests of all targets share.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests(of: "Bytes"),
        tests(of: "JSON", ["Bytes"]),
        tests(of: "FlagCore", ["JSON"]),
        tests(of: "SQLite"),
        tests(of: "SigV4"),
        tests(of: "Access", ["Bytes", "DynamoModel", "FlagCore", "JSON"]),
        tests(
            of: "AccessStore",
            ["Access", "Bytes", "DynamoModel", "TableEngine", "FlagCore", "Platform"]),
        tests(
            of: "AuditStore",
            [
                "Audit", "Access", "AccessStore", "FlagStore", "Bytes", "DynamoModel", "TableEngine", "FlagCore",
                "JSON", "Platform",
            ]),
        tests(of: "Telemetry"),
        tests(of: "Tokens", ["Access", "Bytes", "DynamoModel", "FlagCore", "JSON"]),
        .testTarget(
            name: "DynamoTests",
            dependencies: [
                "DynamoModel", "TableEngine", "DynamoService", "TestSupport", "Bytes", "SQLite", "JSON", "Platform",
            ],
            swiftSettings: settings),
        tests(
            of: "FlagStore",
            [
                "Access",
                "Bytes", "DynamoModel", "TableEngine", "FlagCore", "FlagCache", "FlagFiles", "JSON", "ForeignItems",
                "Platform",
            ]),
        tests(
            of: "ChangeControl",
            [
                "Access", "Bytes", "DynamoModel", "TableEngine", "FlagStore", "FlagCache", "FlagCore", "JSON",
                "Platform",
            ]),
        tests(of: "HTTPTransport", ["Bytes", "CLinux", "COpenSSL", "CZlib", "Platform"]),
        tests(of: "HTTPClient", ["HTTPTransport", "Platform"]),
        tests(
            of: "FlagServer",
            [
                "Evaluation", "Administration", "HTTPRouting", "Telemetry", "Access", "AccessStore", "Tokens",
                "ChangeControl", "Audit", "AuditStore", "SigV4", "Bytes", "HTTPTransport", "FlagStore", "FlagFiles",
                "FlagCache",
                "FlagCore", "DynamoModel",
                "DynamoService",
                "TableEngine",
                "JSON",
                "Platform",
            ]),
        .testTarget(name: "TidyTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

// ./scripts/fuzz builds these, with a sanitizer that other programs cannot be linked with.
if Context.environment["FLAG_SERVER_FUZZ"] != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Fuzzing/CFuzzer"),
        .executableTarget(
            name: "FuzzJSON", dependencies: ["CFuzzer", "JSON"], path: "Fuzzing/FuzzJSON", swiftSettings: settings),
        .executableTarget(
            name: "FuzzRules", dependencies: ["CFuzzer", "FlagCore", "JSON"], path: "Fuzzing/FuzzRules",
            swiftSettings: settings),
        .executableTarget(
            name: "FuzzHTTP", dependencies: ["CFuzzer", "HTTPTransport", "Bytes"], path: "Fuzzing/FuzzHTTP",
            swiftSettings: settings),
        .executableTarget(
            name: "FuzzStore", dependencies: ["CFuzzer", "ForeignItems"], path: "Fuzzing/FuzzStore",
            swiftSettings: settings),
    ]
    package.products += [
        .executable(name: "fuzz-http", targets: ["FuzzHTTP"]),
        .executable(name: "fuzz-json", targets: ["FuzzJSON"]),
        .executable(name: "fuzz-rules", targets: ["FuzzRules"]),
        .executable(name: "fuzz-store", targets: ["FuzzStore"]),
    ]
}

// ./scripts/bench evaluation builds this; it counts allocations by standing in front of malloc.
if Context.environment["FLAG_SERVER_BENCH"] != nil {
    package.targets += [
        .target(name: "CAllocations", path: "Benchmarks/Evaluation/CAllocations"),
        .executableTarget(
            name: "EvaluationBench", dependencies: ["CAllocations", "FlagCore", "FlagStore", "JSON"],
            path: "Benchmarks/Evaluation/EvaluationBench", swiftSettings: settings),
    ]
    package.products += [.executable(name: "evaluation-bench", targets: ["EvaluationBench"])]
}
