// swift-tools-version: 6.0
import PackageDescription

// The installed library, which pkg-config finds. On Apple's platforms ZELF_XCFRAMEWORK can name the
// XCFramework of make xcframework, with a path from here. No test uses that.
let library: Target = Context.environment["ZELF_XCFRAMEWORK"].map {
    Target.binaryTarget(name: "CZelf", path: $0)
} ?? .systemLibrary(name: "CZelf", pkgConfig: "zelf")

let package = Package(
    name: "Zelf",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9)],
    products: [.library(name: "Zelf", targets: ["Zelf"])],
    targets: [
        library,
        .target(name: "Zelf", dependencies: ["CZelf"]),
    ]
)
