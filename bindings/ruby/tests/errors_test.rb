# frozen_string_literal: true

require_relative "helper"

class ErrorsTest < SandboxTest
  def fails(error_class, client = new_client(max_attempts: 1), **options)
    error = assert_raises(Zelf::Error) { client.create(identifier: @identifier, **options) }
    assert_instance_of error_class, error
    refute_empty error.message
    error
  end

  promise "a rejected origin is RejectedOriginError, with what the server said" do
    fault(kind: "answer", status: 403, error: "rejected", path: "/api/sessions")
    error = fails(Zelf::RejectedOriginError)
    assert_equal [30, "ZELF_ERROR_REJECTED_ORIGIN", 403, "rejected", false, nil],
                 [error.status, error.status_name, error.http_status, error.server_message,
                  error.retryable?, error.retry_after]
  end

  promise "a time limit that passes is TimeoutError" do
    fault(kind: "stall", stage: "headers", path: "/api/sessions")
    error = fails(Zelf::TimeoutError, new_client(timeout_ms: 200))
    assert_nil error.http_status
    assert_predicate error, :retryable?
  end

  promise "a certificate that is not trusted is TLSError" do
    fails(Zelf::TLSError, new_client(ca_file: ENV.fetch("ZELF_OTHER_CA")))
  end

  promise "a key that is not pinned is PinMismatchError, a TLSError" do
    error = fails(Zelf::PinMismatchError, new_client(pins: ["#{'A' * 43}="]))
    assert_kind_of Zelf::TLSError, error
  end

  promise "an argument that is unusable is InvalidArgumentError" do
    assert_raises(Zelf::InvalidArgumentError) { client.create(identifier: "") }
    assert_raises(Zelf::InvalidArgumentError) { client.create(identifier: "a\xff") }
    assert_raises(Zelf::InvalidArgumentError) { client.session_provider }
  end

  promise "a setting that is unusable is InvalidConfigError" do
    assert_raises(Zelf::InvalidConfigError) { new_client(base_url: "http://example.com") }
    assert_raises(Zelf::InvalidConfigError) { new_client(proxy: "ftp://example.com") }
    assert_raises(RangeError) { new_client(timeout_ms: -1) }
  end

  promise "a number that is no Integer is TypeError" do
    [0.9, 2.0, "5", true].each do |value|
      %i[timeout_ms connect_timeout_ms max_attempts].each do |name|
        assert_raises(TypeError) { new_client(name => value) }
      end
      %i[timeout_ms max_response_bytes].each do |name|
        assert_raises(TypeError) { Zelf::Request.new("GET", "/", name => value) }
      end
      assert_raises(TypeError) { client.session_provider(identifier: @identifier, min_valid_s: value) }
      assert_raises(TypeError) { client.shutdown(value) }
    end
    session = client.create(identifier: @identifier)
    provider = client.session_provider(identifier: @identifier)
    assert_raises(TypeError) { provider.invalidate_if_refused(session, 401.9, "") }
  end

  promise "a flag that is not true or false is TypeError" do
    token = client.session_provider(identifier: @identifier).get.token
    ["false", 0, 1, []].each do |value|
      %i[web_extension kill_session confirm].each do |name|
        error = assert_raises(TypeError) { client.create(identifier: @identifier, name => value) }
        assert_includes error.message, name.to_s
      end
      assert_raises(TypeError) { client.session_provider(identifier: @identifier, background: value) }
      assert_raises(TypeError) { Zelf::Request.new("POST", "/", repeatable: value) }
      assert_raises(TypeError) { new_client(proxy_from_env: value) }
    end
    assert_equal token, client.create(identifier: @identifier).token
  end

  promise "a logger that has no method add is TypeError" do
    ["log", 5, $stderr].each { |logger| assert_raises(TypeError) { new_client(logger: logger) } }
  end

  promise "too many requests are RateLimitedError, with the delay in seconds" do
    fault(kind: "answer", status: 429, error: "slow down", headers: { "Retry-After": "7" },
          path: "/api/sessions")
    error = fails(Zelf::RateLimitedError)
    assert_equal [7.0, 429, true], [error.retry_after, error.http_status, error.retryable?]
  end

  promise "a server that fails is ServerError" do
    fault(kind: "answer", status: 500, error: "no database", path: "/api/sessions")
    assert_equal "no database", fails(Zelf::ServerError).server_message
  end

  promise "a port that refuses is ConnectError, a ConnectionError" do
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    error = fails(Zelf::ConnectError, new_client(base_url: "https://127.0.0.1:#{port}", max_attempts: 1))
    assert_kind_of Zelf::ConnectionError, error
  end

  promise "a connection that breaks is ConnectionLostError, a ConnectionError" do
    fault(kind: "reset", stage: "request", path: "/api/sessions")
    assert_kind_of Zelf::ConnectionError, fails(Zelf::ConnectionLostError)
  end

  promise "an answer that is no session is BadResponseError" do
    fault(kind: "answer", status: 200, html: "<title>Sign in</title>", path: "/api/sessions")
    fails(Zelf::BadResponseError)
  end

  promise "each status of the header has its own class" do
    names = Zelf::ABI.constants.grep(/\AZELF_ERROR_/)
    classes = names.map { |name| Zelf::Error.of_status(Zelf::ABI.const_get(name)).class }
    assert_operator names.size, :>=, 30
    assert_equal names.size, classes.uniq.size
    refute_includes classes, Zelf::Error
  end

  promise "an unknown status is Zelf::Error" do
    error = Zelf::Error.of_status(9999)
    assert_instance_of Zelf::Error, error
    assert_equal [9999, "ZELF_ERROR_UNKNOWN", "unknown status"], [error.status, error.status_name, error.message]
  end
end
