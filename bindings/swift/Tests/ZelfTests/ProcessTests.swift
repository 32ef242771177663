#if os(Linux)
    import Foundation
    import Testing
    import Zelf

    extension Promises {
        /// A program of this package, with its output in the pipe.
        private func program(
            _ name: String, _ arguments: [String] = [], _ change: [String: String] = [:]
        ) throws -> (Process, Pipe) {
            let process = Process()
            process.executableURL = built(name)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(change) { $1 }
            let pipe = Pipe()
            process.standardOutput = pipe
            return (process, pipe)
        }

        private func built(_ name: String) -> URL {
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
                .appendingPathComponent(name)
        }

        @Test("a program ends at once with calls under way", arguments: ["exit", "return"])
        func ending(how: String) async throws {
            try await Sandbox.with(
                faults: #"{"kind":"stall","stage":"headers","path":"/api/sessions"}"#
            ) {
                let (process, pipe) = try program("Ending", [someone(), how])
                try process.run()
                let took = try await onThread {
                    let line = pipe.fileHandleForReading.availableData
                    #expect(String(decoding: line, as: UTF8.self) == "ending\n")
                    let start = ContinuousClock.now
                    process.waitUntilExit()
                    return ContinuousClock.now - start
                }
                #expect(process.terminationReason == .exit && process.terminationStatus == 0)
                #expect(took < .seconds(2))
            }
        }

        @Test("a library that is older than the header is refused")
        func oldLibrary() async throws {
            let (process, pipe) = try program(
                "Version", [], ["LD_PRELOAD": built("libOldLibrary.so").path])
            try process.run()
            let output = try await onThread { try pipe.fileHandleForReading.readToEnd() ?? Data() }
            process.waitUntilExit()
            #expect(String(decoding: output, as: UTF8.self) == "oldLibrary\noldLibrary\n")
        }
    }
#endif
