// swift-tools-version: 6.2

// Servers that others would use in this project's place, for ./scripts/bench alone. They are a package of their own:
// what they are made of, SwiftNIO among it, is no part of this project.

import PackageDescription

let package = Package(
    name: "benchmark-peers",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        .executableTarget(
            name: "HummingbirdPeer",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
            ],
            path: "HummingbirdPeer"),
        .executableTarget(
            name: "FlyingFoxPeer", dependencies: [.product(name: "FlyingFox", package: "FlyingFox")],
            path: "FlyingFoxPeer"),
    ],
    swiftLanguageModes: [.v6]
)
