import CZelf
import Foundation

/// A session: a token, and what it says.
///
/// Texts from the token are not verified: only the server has the key. A session shows its token
/// in no description, dump or mirror.
public final class Session: Sendable {
    let handle: Handle

    init(_ handle: Handle) { self.handle = handle }

    /// The token, a secret.
    public var token: String { handle.text(zelf_session_token) ?? "" }

    /// The value of the Authorization header, a secret: "Bearer " and the token.
    public var authorization: String { handle.text(zelf_session_authorization) ?? "" }

    /// The session's id on the server, from the token.
    public var id: String? { handle.text(zelf_session_id) }

    /// The identifier in the token, which says whose session it is.
    ///
    /// If you set none, the server writes your public IP address here, or it returned the session
    /// of somebody else's identifier.
    public var identifier: String? { handle.text(zelf_session_identifier) }

    /// The domain that the session was made with, from the token.
    public var domain: String? { handle.text(zelf_session_domain) }

    /// The tag name that the session was made with, from the token.
    public var tagName: String? { handle.text(zelf_session_tag_name) }

    /// The Ethereum address that the session was made with, from the token.
    public var ethAddress: String? { handle.text(zelf_session_eth_address) }

    /// When the session began, by the server's clock. It may lie before your call.
    public var activatedAt: Date? {
        let seconds = handle.use { zelf_session_activated_at($0) }
        return seconds == 0 ? nil : Date(timeIntervalSince1970: TimeInterval(seconds))
    }

    /// When the session ends, by the server's clock.
    ///
    /// Do not compare it with the device's clock: use ``secondsLeft``.
    public var expiresAt: Date {
        Date(timeIntervalSince1970: TimeInterval(handle.use { zelf_session_expires_at($0) }))
    }

    /// How many whole seconds the session has left. It does not depend on the device's date.
    public var secondsLeft: Int { Int(clamping: handle.use { zelf_session_seconds_left($0) }) }
}

extension Session: CustomStringConvertible, CustomReflectable {
    /// Without the token.
    public var description: String {
        "Session(identifier: \(identifier ?? "none"), secondsLeft: \(secondsLeft))"
    }

    /// Without the token.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "id": id as Any, "identifier": identifier as Any, "expiresAt": expiresAt,
                "secondsLeft": secondsLeft,
            ])
    }
}

extension Session {
    /// What to ask of a new session. Only what is set is sent.
    public struct Options: Sendable {
        /// The unique identifier of the device, at most 1024 bytes.
        ///
        /// Always set one: without it the server returns any session of your public IP address,
        /// possibly somebody else's. Use one per installation, and keep it: see ``Identifier``.
        /// The server misreads identifiers that look like a date or a database key.
        public var identifier: String?

        /// The purpose of the session. The server assumes ``SessionType/general``.
        public var type: SessionType?

        /// Whether the session belongs to a browser extension.
        public var webExtension: Bool?

        /// The name service domain, at most 512 bytes. The server assumes "zelf".
        public var domain: String?

        /// A tag name, such as "alice.zelf"; at most 512 bytes.
        ///
        /// The server then also looks for a session with this name, and may return that of
        /// another identifier.
        public var tagName: String?

        /// An Ethereum address, which the server copies into the token; at most 512 bytes.
        public var ethAddress: String?

        /// Whether to end the server's session for the identifier and make a new one.
        ///
        /// The old token stops working. An identifier is required.
        public var killSession = false

        /// Whether to confirm that a new session exists, by one more request.
        public var confirm = false

        public init(identifier: String? = nil) { self.identifier = identifier }

        func handle() throws(ZelfError) -> Handle {
            let values = Values(status: .invalidArgument)
            let identifier = try values.text(identifier, "identifier")
            let domain = try values.text(domain, "domain")
            let tagName = try values.text(tagName, "tagName")
            let ethAddress = try values.text(ethAddress, "ethAddress")
            let handle = try Handle(
                zelf_session_options_free, setters: zelf_session_options_new())
            handle.use { options in
                zelf_session_options_set_identifier(options, identifier)
                if let type { zelf_session_options_set_type(options, type.rawValue) }
                if let webExtension {
                    zelf_session_options_set_web_extension(options, webExtension)
                }
                zelf_session_options_set_domain(options, domain)
                zelf_session_options_set_tag_name(options, tagName)
                zelf_session_options_set_eth_address(options, ethAddress)
                zelf_session_options_set_kill_session(options, killSession)
                zelf_session_options_set_confirm(options, confirm)
            }
            return handle
        }
    }
}

/// Makes identifiers that the server does not misread: 32 lower-case hex digits.
public enum Identifier {
    /// Derives an identifier from a device id, such as a serial number, UUID or MAC address.
    ///
    /// The same input gives the same identifier on every device. It takes a few milliseconds:
    /// keep the result. Someone with a list of possible inputs can try them all.
    public static func derive(from deviceID: String) throws(ZelfError) -> String {
        let id = try Values(status: .invalidArgument).text(deviceID, "deviceID")
        return try make { zelf_identifier_derive(id, $0, $1) }
    }

    /// Makes a random identifier. Keep it: to the server, another identifier is another device.
    public static func random() throws(ZelfError) -> String {
        try make { zelf_identifier_random($0, $1) }
    }

    private static func make(
        _ write: (UnsafeMutablePointer<CChar>, Int) -> Int32
    ) throws(ZelfError) -> String {
        try Library.check()
        let size = Int(ZELF_IDENTIFIER_SIZE)
        var status = ZELF_OK
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            status = write(buffer.baseAddress!, size)
            return status == ZELF_OK ? String(cString: buffer.baseAddress!) : ""
        }
        try ZelfError.check(status)
        return text
    }
}
