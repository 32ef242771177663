# frozen_string_literal: true

require_relative "helper"

class ProviderTest < SandboxTest
  V2 = "/api/zelf-name-service/v2/search?zelfName=a.zelf"

  def provider(**options, &renewed)
    @provider ||= client.session_provider(identifier: @identifier, **options, &renewed)
  end

  # A Net::HTTP for the sandbox.
  def http
    uri = URI(ENV.fetch("ZELF_HTTPS"))
    http = Net::HTTP.new(uri.host, uri.port, nil)
    http.use_ssl = true
    http.ca_file = ENV.fetch("ZELF_CA")
    http
  end

  promise "a provider returns the same session while it is valid" do
    assert_equal provider.get.token, provider.get.token
    assert_equal provider.get.token, provider.get_async.value.token
  end

  promise "an asynchronous get with a valid session is done at once, without a callback" do
    provider.get
    until_true { Thread.list.none? { |thread| thread.name == "zelf" } }
    call = provider.get_async
    assert_predicate call, :done?
    assert_empty Thread.list.select { |thread| thread.name == "zelf" }
    assert_equal @identifier, call.value.identifier
  end

  promise "a provider replaces a session when it has less than min_valid_s left" do
    old = client.create(identifier: @identifier)
    age(593)
    first = provider(min_valid_s: 5).get
    assert_equal old.id, first.id
    second = first
    until_true { (second = provider.get).id != first.id }
    assert_includes 590..600, second.seconds_left
  end

  promise "sessions that are shorter than min_valid_s are SessionExpiredError" do
    assert_raises(Zelf::SessionExpiredError) { provider(min_valid_s: 86_400).get }
  end

  promise "a provider renews a session that was invalidated" do
    first = provider.get
    use_up
    assert provider.invalidate(first)
    refute provider.invalidate(first)
    refute_equal first.token, provider.get.token
  end

  promise "only an answer that refuses the session invalidates it" do
    session = provider.get
    refute provider.invalidate_if_refused(session, 403, '{"validationError":"Search limit exceeded"}')
    refute provider.invalidate_if_refused(session, 200, "")
    refute provider.invalidate_if_refused(session, 403, nil)
    assert_equal session.token, provider.get.token
    use_up
    assert provider.invalidate_if_refused(session, 403, '{"validationError":"Session is not active"}')
    refute_equal session.token, provider.get.token
  end

  promise "last_error says why a renewal failed" do
    assert_nil provider.last_error
    fault(kind: "answer", status: 403, error: "rejected", path: "/api/sessions")
    assert_raises(Zelf::RejectedOriginError) { provider.get }
    assert_instance_of Zelf::RejectedOriginError, provider.last_error
  end

  promise "the renewed block gets each new session, inside the block" do
    renewed = []
    inside = nil
    provider do |session|
      inside = session
      renewed << session.token
    end
    first = provider.get
    use_up
    provider.invalidate(first)
    assert_equal [first.token, provider.get.token], renewed
    assert_raises(Zelf::ClosedError) { inside.token }
  end

  promise "a call that waits is InvalidArgumentError in the renewed block, and the get goes on" do
    refused = Queue.new
    provider do
      client.create(identifier: @identifier)
    rescue Zelf::Error => e
      refused << e
    end
    getting = Thread.new { provider.get }
    assert getting.join(LIMIT)
    assert_instance_of Zelf::InvalidArgumentError, refused.pop
    refute_empty client.create(identifier: @identifier).token
  end

  promise "a provider is freed although its renewed block refers to it" do
    alive = -> { ObjectSpace.each_object(Zelf::SessionProvider).count }
    before = alive.call
    make = lambda do |is_closed|
      100.times do
        renewed = client.session_provider(identifier: @identifier) { |_session| renewed.last_error }
        renewed.close if is_closed
      end
    end
    [true, false].each(&make)
    until_true do
      GC.start
      alive.call < before + 20
    end
  end

  promise "the session of the renewed block lives until another thread has left its call" do
    order = Queue.new
    provider do |session|
      inside = Queue.new
      Thread.new do
        session.use do
          inside << true
          sleep 0.2
          order << "call left"
        end
      end
      inside.pop
    end
    provider.get
    order << "get returned"
    assert_equal ["call left", "get returned"], [order.pop, order.pop]
  end

  promise "a provider with background has a session without a get" do
    renewed = Queue.new
    provider(background: true) { |session| renewed << session.identifier }
    assert_equal @identifier, Timeout.timeout(LIMIT) { renewed.pop }
  end

  promise "a provider of a closed client serves until its session ends" do
    first = provider.get
    client.close
    assert_equal first.token, provider.get.token
    provider.invalidate(first)
    assert_raises(Zelf::ShutDownError) { provider.get }
  end

  promise "a closed provider raises ClosedError" do
    provider.close
    provider.close
    assert_raises(Zelf::ClosedError) { provider.get }
    assert_raises(Zelf::ClosedError) { provider.get_async }
    assert_raises(Zelf::ClosedError) { provider.last_error }
  end

  promise "a stored session serves the next provider" do
    Dir.mktmpdir do |directory|
      first = provider(directory: directory).get
      made = requests("/api/sessions").size
      assert_equal first.token, new_client.session_provider(identifier: @identifier, directory: directory).get.token
      assert_equal made, requests("/api/sessions").size
    end
  end

  promise "a request returns JSON with the session" do
    response = provider.request("GET", "/api/tags/search?tagName=a.zelf")
    assert_equal [200, true], [response.http_status, response.success?]
    assert_equal "GET /api/tags/search?tagName=a.zelf", response.json["data"]["request"]
    assert_match(/json/, response["content-TYPE"])
    assert_nil response["X-None"]
  end

  promise "a request sends its body, type and headers" do
    body = "\0\xff bytes".b
    response = provider.request("POST", "/sandbox/echo?id=#{@identifier}", body: body, content_type: "a/b",
                                                                         headers: { "X-One" => "1" })
    assert_equal body, response.body
    assert_equal "a/b", response["Content-Type"]
    assert_includes requests("/sandbox/echo?id=#{@identifier}").last["headers"].to_s.downcase, "x-one"
  end

  promise "a request whose session was refused is sent again with a new one" do
    first = provider.get
    use_up
    assert_equal 200, provider.request("GET", V2).http_status
    refute_equal first.token, provider.get.token
  end

  promise "an answer of any status is a response" do
    response = provider.request("GET", "/sandbox/echo?status=418")
    assert_equal [418, false], [response.http_status, response.success?]
  end

  promise "a request has its own limits" do
    error = assert_raises(Zelf::ResponseTooLargeError) do
      provider.request("GET", "/sandbox/bytes/5000", max_response_bytes: 1000)
    end
    assert_kind_of Zelf::BadResponseError, error
    fault(kind: "stall", stage: "headers", path: "/sandbox/echo")
    assert_raises(Zelf::TimeoutError) { provider.request("GET", "/sandbox/echo", timeout_ms: 200) }
  end

  promise "a limit of a request that is out of range is RangeError" do
    [-1, 2**64 + 5].each do |limit|
      assert_raises(RangeError) { Zelf::Request.new("GET", "/sandbox/echo", max_response_bytes: limit) }
    end
  end

  promise "a POST is repeated only if it is repeatable" do
    fault(kind: "refusal", as: "unavailable", path: "/sandbox/echo", times: 1)
    assert_equal 503, provider.request("POST", "/sandbox/echo", body: "1").http_status
    control(Net::HTTP::Delete, "faults")
    fault(kind: "refusal", as: "unavailable", path: "/sandbox/echo", times: 1)
    assert_equal 200, provider.request("POST", "/sandbox/echo", body: "1", repeatable: true).http_status
  end

  promise "asynchronous requests return their responses, and can be cancelled" do
    request = Zelf::Request.new("GET", "/api/tags/search?tagName=b.zelf")
    calls = Array.new(20) { provider.send_request_async(request) }
    assert_equal [200], calls.map { |call| call.value.http_status }.uniq
    fault(kind: "stall", stage: "headers", path: "/api/tags/search")
    call = provider.send_request_async(request)
    assert_nil call.join(0.05)
    assert_operator(seconds { assert_raises(Zelf::CancelledError) { call.cancel.value } }, :<, 2)
  end

  promise "a client sends a request with a session, and without one" do
    session = client.create(identifier: @identifier)
    request = Zelf::Request.new("GET", "/sandbox/echo?check=token")
    assert_equal 200, client.send_request(request, session).http_status
    response = client.send_request(request)
    assert_equal 401, response.http_status
    assert_match(/Protected resource/, response.server_message)
  end

  promise "an asynchronous request with a session sends its token, and renews nothing" do
    session = client.create(identifier: @identifier)
    request = Zelf::Request.new("GET", "/sandbox/echo?check=session&id=#{@identifier}")
    assert_equal 200, client.send_request_async(request, session).value.http_status
    use_up
    response = client.send_request_async(request, session).value
    assert_equal 403, response.http_status
    assert_match(/not active/, response.server_message)
    assert_equal 1, requests("/api/sessions").size
  end

  promise "a request with a session can be cancelled, and interrupted" do
    session = client.create(identifier: @identifier)
    request = Zelf::Request.new("GET", "/sandbox/echo")
    fault(kind: "stall", stage: "headers", path: "/sandbox/echo")
    call = client.send_request_async(request, session)
    assert_nil call.join(0.05)
    assert_operator(seconds { assert_raises(Zelf::CancelledError) { call.cancel.value } }, :<, 2)
    took = seconds do
      assert_raises(Timeout::Error) { Timeout.timeout(0.1) { client.send_request(request, session) } }
    end
    assert_operator took, :<, 2
  end

  promise "net_http sends a request of Net::HTTP with the token and the origin" do
    request = Net::HTTP::Get.new("/api/tags/search?tagName=#{@identifier}")
    answer = provider.net_http(http, request)
    assert_equal "200", answer.code
    assert_match(/tagName=#{@identifier}/, JSON.parse(answer.body)["data"]["request"])
    assert_nil request["Authorization"]
    headers = requests("/api/tags/search?tagName=#{@identifier}").last["headers"].to_s
    assert_includes headers, ENV.fetch("ZELF_HTTPS")
  end

  promise "net_http renews a session that is refused, and sends the request once more" do
    first = provider.get
    use_up
    http.start do |http|
      request = Net::HTTP::Post.new("/sandbox/echo?check=session&id=#{@identifier}")
      request.body = "again"
      request.content_type = "text/plain"
      answer = provider.net_http(http, request)
      assert_equal %w[200 again], [answer.code, answer.body]
    end
    refute_equal first.token, provider.get.token
    assert_equal 2, requests("/sandbox/echo?check=session&id=#{@identifier}").size
  end

  promise "net_http returns another refusal as it is, and sends nothing again" do
    first = provider.get
    fault(kind: "refusal", as: "search_limit", path: "/api/tags/search", times: 1)
    answer = provider.net_http(http, Net::HTTP::Get.new("/api/tags/search?tagName=a"))
    assert_equal "403", answer.code
    assert_match(/limit exceeded/, answer.body)
    assert_equal first.token, provider.get.token
  end

  promise "net_http sends a refused request no third time" do
    fault(kind: "refusal", as: "not_active", path: "/sandbox/echo")
    answer = provider.net_http(http, Net::HTTP::Get.new("/sandbox/echo?id=#{@identifier}"))
    assert_equal "403", answer.code
    assert_match(/not active/, answer.body)
    assert_equal 2, requests("/sandbox/echo?id=#{@identifier}").size
  end

  promise "net_http accepts the address of an IPv6 base URL" do
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    provider = new_client(base_url: "http://[::1]:#{port}", max_attempts: 1)
               .session_provider(identifier: @identifier)
    # The port refuses the get of net_http, which comes after the check.
    %w[::1 [::1]].each do |address|
      http = Net::HTTP.new(address, port, nil)
      assert_raises(Zelf::ConnectError) { provider.net_http(http, Net::HTTP::Get.new("/")) }
    end
    http = Net::HTTP.new("::2", port, nil)
    assert_raises(ArgumentError) { provider.net_http(http, Net::HTTP::Get.new("/")) }
  end

  promise "net_http gives the token to the base URL only" do
    uri = URI(ENV.fetch("ZELF_HTTP"))
    other = Net::HTTP.new(uri.host, uri.port, nil)
    assert_raises(ArgumentError) { provider.net_http(other, Net::HTTP::Get.new("/sandbox/echo")) }
    assert_empty requests("/sandbox/echo")
  end
end
