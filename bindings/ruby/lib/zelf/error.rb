# frozen_string_literal: true

module Zelf
  # Says why a call failed. It never contains a token. docs/errors.md lists the causes.
  class Error < StandardError
    # The number of the status, one of ABI::ZELF_ERROR_. A newer library may have others.
    attr_reader :status
    # Its name, such as "ZELF_ERROR_TIMEOUT"; "ZELF_ERROR_UNKNOWN" for an unknown number.
    attr_reader :status_name
    # The HTTP status of the answer, or nil if no answer came.
    attr_reader :http_status
    # The words of the server or proxy, or nil. Anyone on the way may have written them.
    attr_reader :server_message
    # How many seconds to wait before the next attempt, or nil if nobody asks to wait.
    attr_reader :retry_after

    def initialize(message, status:, http_status: nil, server_message: nil, retryable: false,
                   retry_after: nil)
      super(message)
      @status = status
      @status_name = Native.zelf_status_name(status)
      @http_status = http_status
      @server_message = server_message
      @retryable = retryable
      @retry_after = retry_after
    end

    # Tells whether the same call may succeed later, unchanged.
    def retryable?
      @retryable
    end

    # Makes the exception of a zelf_error, and frees that.
    def self.take(pointer)
      status = Native.zelf_error_status(pointer)
      http_status = Native.zelf_error_http_status(pointer)
      wait_ms = Native.zelf_error_retry_after_ms(pointer)
      of_class(status).new(
        Native.utf8(Native.zelf_error_message(pointer)),
        status: status,
        http_status: http_status.zero? ? nil : http_status,
        server_message: Native.utf8(Native.zelf_error_server_message(pointer)),
        retryable: Native.zelf_error_is_retryable(pointer),
        retry_after: wait_ms.zero? ? nil : wait_ms / 1000.0
      )
    ensure
      Native.zelf_error_free(pointer)
    end

    # Makes the exception of a function that returns only a status.
    def self.of_status(status)
      of_class(status).new(Native.utf8(Native.zelf_status_message(status)), status: status)
    end

    # Error itself serves an unknown status.
    def self.of_class(status)
      CLASSES.fetch(status, Error)
    end
    private_class_method :of_class
  end

  # An argument is unusable.
  class InvalidArgumentError < Error; end
  # A setting of the client is unusable.
  class InvalidConfigError < InvalidArgumentError; end
  # The library has a bug.
  class PanicError < Error; end
  # The operating system refused something.
  class SystemError < Error; end
  # The call was cancelled.
  class CancelledError < Error; end
  # The client has been shut down.
  class ShutDownError < Error; end
  # The object has been closed.
  class ClosedError < ShutDownError; end
  # The client belongs to the parent process.
  class ForkedError < Error; end

  # The server or proxy was not reached, or the connection broke.
  class ConnectionError < Error; end
  # A name could not be resolved.
  class DNSError < ConnectionError; end
  # No connection could be made.
  class ConnectError < ConnectionError; end
  # The connection broke before the whole answer arrived.
  class ConnectionLostError < ConnectionError; end
  # The proxy refused.
  class ProxyError < ConnectionError; end
  # No secure connection could be made.
  class TLSError < ConnectionError; end
  # The key of the server's certificate is not pinned.
  class PinMismatchError < TLSError; end
  # A time limit has passed.
  class TimeoutError < Error; end

  # The answer is not one of the session API.
  class BadResponseError < Error; end
  # The answer is too large.
  class ResponseTooLargeError < BadResponseError; end
  # The server redirects.
  class RedirectedError < BadResponseError; end
  # The API does not have this HTTP status.
  class UnexpectedHTTPStatusError < BadResponseError; end

  # The server refused the request.
  class RefusedError < Error; end
  # The server does not accept the origin.
  class RejectedOriginError < RefusedError; end
  # The server wants a token.
  class UnauthorizedError < RefusedError; end
  # Another 403, for example of a firewall.
  class ForbiddenError < RefusedError; end
  # The server cannot read the request.
  class BadRequestError < RefusedError; end
  # The server refuses a value.
  class ValidationError < RefusedError; end
  # There is no session API at this address.
  class NotFoundError < RefusedError; end
  # The session's quota is used up.
  class LimitExceededError < RefusedError; end
  # The session has ended on the server.
  class SessionNotActiveError < RefusedError; end
  # Too many requests: see retry_after.
  class RateLimitedError < RefusedError; end

  # The server, or a proxy in front of it, failed.
  class ServerError < Error; end
  # The server is starting, or the path does not exist.
  class StartingUpError < ServerError; end

  # The server returned a session that does not serve.
  class UnusableSessionError < Error; end
  # The session has expired.
  class SessionExpiredError < UnusableSessionError; end
  # The session belongs to another identifier.
  class ForeignSessionError < UnusableSessionError; end
  # The session does not exist.
  class GhostSessionError < UnusableSessionError; end
  # The session has another tag name, domain or Ethereum address.
  class OtherOptionsError < UnusableSessionError; end

  class Error
    CLASSES = {
      ABI::ZELF_ERROR_INVALID_ARGUMENT => InvalidArgumentError,
      ABI::ZELF_ERROR_INVALID_CONFIG => InvalidConfigError,
      ABI::ZELF_ERROR_PANIC => PanicError,
      ABI::ZELF_ERROR_SYSTEM => SystemError,
      ABI::ZELF_ERROR_CANCELLED => CancelledError,
      ABI::ZELF_ERROR_SHUT_DOWN => ShutDownError,
      ABI::ZELF_ERROR_FORKED => ForkedError,
      ABI::ZELF_ERROR_DNS => DNSError,
      ABI::ZELF_ERROR_CONNECT => ConnectError,
      ABI::ZELF_ERROR_TLS => TLSError,
      ABI::ZELF_ERROR_TIMEOUT => TimeoutError,
      ABI::ZELF_ERROR_CONNECTION_LOST => ConnectionLostError,
      ABI::ZELF_ERROR_PIN_MISMATCH => PinMismatchError,
      ABI::ZELF_ERROR_PROXY => ProxyError,
      ABI::ZELF_ERROR_BAD_RESPONSE => BadResponseError,
      ABI::ZELF_ERROR_RESPONSE_TOO_LARGE => ResponseTooLargeError,
      ABI::ZELF_ERROR_REDIRECTED => RedirectedError,
      ABI::ZELF_ERROR_REJECTED_ORIGIN => RejectedOriginError,
      ABI::ZELF_ERROR_UNAUTHORIZED => UnauthorizedError,
      ABI::ZELF_ERROR_FORBIDDEN => ForbiddenError,
      ABI::ZELF_ERROR_BAD_REQUEST => BadRequestError,
      ABI::ZELF_ERROR_VALIDATION => ValidationError,
      ABI::ZELF_ERROR_NOT_FOUND => NotFoundError,
      ABI::ZELF_ERROR_STARTING_UP => StartingUpError,
      ABI::ZELF_ERROR_LIMIT_EXCEEDED => LimitExceededError,
      ABI::ZELF_ERROR_SESSION_NOT_ACTIVE => SessionNotActiveError,
      ABI::ZELF_ERROR_RATE_LIMITED => RateLimitedError,
      ABI::ZELF_ERROR_SERVER => ServerError,
      ABI::ZELF_ERROR_UNEXPECTED_HTTP_STATUS => UnexpectedHTTPStatusError,
      ABI::ZELF_ERROR_SESSION_EXPIRED => SessionExpiredError,
      ABI::ZELF_ERROR_FOREIGN_SESSION => ForeignSessionError,
      ABI::ZELF_ERROR_GHOST_SESSION => GhostSessionError,
      ABI::ZELF_ERROR_OTHER_OPTIONS => OtherOptionsError
    }.freeze
    private_constant :CLASSES
  end
end
