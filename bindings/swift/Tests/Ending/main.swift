// Ends while calls are under way: by exit if its argument says so, otherwise by return.
import Foundation
import Zelf

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

let environment = ProcessInfo.processInfo.environment
let id = CommandLine.arguments[1]
var configuration = Client.Configuration(baseURL: environment["ZELF_HTTPS"])
configuration.caFile = environment["ZELF_CA"]
let client = try Client(configuration)
let provider = try SessionProvider(client, session: .init(identifier: "\(id)-provider"))

for number in 0..<10 {
    Task { try await client.createSession(.init(identifier: "\(id)-\(number)")) }
}
Task { try await provider.get() }
Task { try await provider.send(Request("GET", "/api/x")) }
Thread.detachNewThread { _ = try? client.createSessionBlocking(.init(identifier: "\(id)-thread")) }

// Until the server has all of them: the two of the provider wait for one.
let requests = URL(string: environment["ZELF_CONTROL"]! + "/sandbox/requests")!
while true {
    let (data, _) = try await URLSession.shared.data(from: requests)
    if String(decoding: data, as: UTF8.self).components(separatedBy: id).count > 12 { break }
}
print("ending")
fflush(nil)
if CommandLine.arguments.contains("exit") { exit(0) }
