// swift-tools-version: 6.0
import PackageDescription

// A package that uses Zelf as any other does: the tests see its public names only.
let zelf = Target.Dependency.product(name: "Zelf", package: "swift")
let package = Package(
    name: "Tests",
    platforms: [.macOS(.v13)],
    products: [.library(name: "OldLibrary", type: .dynamic, targets: ["OldLibrary"])],
    dependencies: [.package(path: "..")],
    targets: [
        .executableTarget(name: "Ending", dependencies: [zelf], path: "Ending"),
        .executableTarget(name: "Version", dependencies: [zelf], path: "Version"),
        .target(name: "OldLibrary", path: "OldLibrary"),
        .testTarget(
            name: "ZelfTests", dependencies: [zelf, "Ending", "Version"], path: "ZelfTests"),
    ]
)
