// Creates a session with URLSession in Swift, as on the public page, and uses its token.
import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

struct Created: Decodable {
    struct Session: Decodable {
        let token: String
        let activatedAt: Int
        let expiresAt: Int
    }
    let data: Session
}

func promise(_ kept: Bool, _ name: String) {
    print(kept ? "ok -" : "not ok -", name)
    if !kept { exit(1) }
}

/// Waits for an answer, because the program has no run loop.
func send(_ request: URLRequest) -> (status: Int, body: Data) {
    let done = DispatchSemaphore(value: 0)
    var answer = (status: 0, body: Data())
    URLSession.shared.dataTask(with: request) { body, response, _ in
        answer = ((response as? HTTPURLResponse)?.statusCode ?? 0, body ?? Data())
        done.signal()
    }.resume()
    done.wait()
    return answer
}

let base = ProcessInfo.processInfo.environment["ZELF_HTTP"]!

var request = URLRequest(url: URL(string: "\(base)/api/sessions")!)
request.httpMethod = "POST"
request.setValue("https://app.example.com", forHTTPHeaderField: "Origin")
request.setValue("application/json", forHTTPHeaderField: "Content-Type")
request.httpBody = Data("{}".utf8)
let created = send(request)
let session = try JSONDecoder().decode(Created.self, from: created.body).data
promise(created.status == 200 && session.token.hasPrefix("ey")
        && session.token.split(separator: ".").count == 3,
        "Swift with URLSession gets a token")
promise(session.expiresAt - session.activatedAt == 600, "of a session of 600 s")

var search = URLRequest(url: URL(string: "\(base)/api/zelf-name-service/v2/search?zelfName=abc.zelf")!)
search.setValue("Bearer \(session.token)", forHTTPHeaderField: "Authorization")
promise(send(search).status == 200, "which a route that looks for the session accepts")
