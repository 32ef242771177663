// Creates a session and prints its token, and what a route says.
//
//   ZELF_HTTPS, ZELF_CA: another server than the public API, and its certificates.
import Foundation
import Zelf

let environment = ProcessInfo.processInfo.environment
var configuration = Client.Configuration(baseURL: environment["ZELF_HTTPS"])
configuration.caFile = environment["ZELF_CA"]

let client = try Client(configuration)
let provider = try SessionProvider(client, session: .init(identifier: "5f0c6a3e8d2b4c71"))
let session = try await provider.get()
print(session.authorization)
let response = try await provider.send(Request("GET", "/api/tags/search?tagName=a.zelf"))
print(response.httpStatus, String(decoding: response.body, as: UTF8.self))
