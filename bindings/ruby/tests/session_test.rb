# frozen_string_literal: true

require_relative "helper"
require "pp"
require "yaml"

class SessionTest < SandboxTest
  promise "a session has a token, and its value for the Authorization header" do
    session = client.create(identifier: @identifier)
    assert_match(/\AeyJ[\w-]+\.[\w-]+\.[\w-]+\z/, session.token)
    assert_equal "Bearer #{session.token}", session.authorization
    assert_equal Encoding::UTF_8, session.token.encoding
  end

  promise "a session has the times of the server" do
    session = client.create(identifier: @identifier)
    assert_in_delta Time.now, session.activated_at, LIMIT
    assert_equal 600, session.expires_at - session.activated_at
    assert_includes 590..600, session.seconds_left
  end

  promise "a session has the options that it was made with" do
    session = client.create(identifier: @identifier, type: :create_wallet, web_extension: true,
                            domain: "avax", tag_name: "#{@identifier}.avax", eth_address: "0xabc")
    assert_equal [@identifier, "avax", "#{@identifier}.avax", "0xabc"],
                 [session.identifier, session.domain, session.tag_name, session.eth_address]
    refute_empty session.id
    body = requests("/api/sessions").map { |request| JSON.parse(request["body"]) }.last
    assert_equal ["createWallet", true], body.values_at("type", "isWebExtension")
  end

  promise "a session without a tag name has nil for it" do
    assert_nil client.create(identifier: @identifier).tag_name
  end

  promise "kill_session replaces a session" do
    first = client.create(identifier: @identifier)
    assert_equal first.id, client.create(identifier: @identifier).id
    refute_equal first.id, client.create(identifier: @identifier, kill_session: true, confirm: true).id
  end

  promise "an unknown option is an ArgumentError" do
    assert_raises(ArgumentError) { client.create(identifer: @identifier) }
    assert_raises(ArgumentError) { client.create(type: :wallet) }
  end

  promise "a token is in no text of a session, a provider, a client or a call" do
    provider = client.session_provider(identifier: @identifier)
    session = provider.get
    call = provider.get_async
    call.value
    [session, provider, client, call].each do |object|
      texts = [object.inspect, object.to_s, PP.pp(object, +""), object.to_json, "#{object}",
               object.instance_variables.map { |name| object.instance_variable_get(name).inspect }.join]
      texts.each { |text| refute_includes text, session.token[0, 20] }
    end
    refute_includes session.to_yaml, session.token[0, 20]
    assert_raises(TypeError) { Marshal.dump(session) }
  end

  promise "a response and a request show no body" do
    request = Zelf::Request.new("POST", "/sandbox/echo", body: "secret", headers: { "X-Key" => "secret" })
    response = client.send_request(request)
    assert_equal "secret", response.body
    refute_includes response.inspect + request.inspect + response.to_s + request.to_s, "secret"
  end

  promise "a copy is a TypeError: of a client, a provider, a session, a request, a response and a call" do
    provider = client.session_provider(identifier: @identifier)
    request = Zelf::Request.new("GET", "/sandbox/echo")
    call = provider.send_request_async(request)
    [client, provider, provider.get, request, call.value, call].each do |object|
      assert_raises(TypeError) { object.dup }
      assert_raises(TypeError) { object.clone }
    end
  end

  promise "a session does not go to another Ractor, and stays usable" do
    session = client.create(identifier: @identifier)
    token = session.token
    assert_raises(TypeError) { Ractor.new(session) { |copy| copy } }
    GC.start
    assert_equal token, session.token
  end

  promise "a closed session raises ClosedError" do
    session = client.create(identifier: @identifier)
    session.close
    session.close
    assert_raises(Zelf::ClosedError) { session.token }
    assert_equal "#<Zelf::Session closed>", session.inspect
  end

  promise "a closed client raises ClosedError" do
    client.close
    client.close
    assert_raises(Zelf::ClosedError) { client.create(identifier: @identifier) }
    assert_raises(Zelf::ClosedError) { client.create_async(identifier: @identifier) }
    assert_raises(Zelf::ClosedError) { client.shutdown }
    assert_raises(Zelf::ClosedError) { client.session_provider(identifier: @identifier) }
  end

  promise "a client, a provider and a session may be closed while threads are inside their calls" do
    20.times do
      client = new_client
      provider = client.session_provider(identifier: @identifier)
      session = provider.get
      rounds = Queue.new
      threads = Array.new(6) do |number|
        Thread.new do
          loop do
            number.even? ? client.create(identifier: @identifier) : provider.get
            session.token
            rounds << number
          end
        rescue Zelf::ShutDownError, Zelf::CancelledError => e
          e
        end
      end
      12.times { rounds.pop }
      [client, provider, session].shuffle.each(&:close)
      threads.each { |thread| assert_kind_of Zelf::Error, thread.join(LIMIT).value }
    end
  end

  promise "open closes its client" do
    inside = Zelf::Client.open(**settings) do |client|
      refute_empty client.create(identifier: @identifier).token
      client
    end
    assert_predicate inside, :closed?
  end

  promise "identifiers are random, or derived from a device id" do
    assert_match(/\A[0-9a-f]{32}\z/, Zelf.random_identifier)
    refute_equal Zelf.random_identifier, Zelf.random_identifier
    assert_equal Zelf.derive_identifier("serial 1"), Zelf.derive_identifier("serial 1")
    refute_equal Zelf.derive_identifier("serial 1"), Zelf.derive_identifier("serial 2")
    assert_raises(Zelf::InvalidArgumentError) { Zelf.derive_identifier("") }
  end

  promise "a certificate may be given as text, with a pin" do
    client = Zelf::Client.new(base_url: ENV.fetch("ZELF_HTTPS"), ca_pem: File.read(ENV.fetch("ZELF_CA")),
                              pins: [ENV.fetch("ZELF_PIN")])
    refute_empty client.create(identifier: @identifier).token
    client.close
  end

  promise "a request has the origin and the user agent of the settings" do
    new_client(origin: "https://app.example", user_agent: "tester/1").create(identifier: @identifier)
    headers = requests("/api/sessions").last["headers"].to_s
    assert_includes headers, "https://app.example"
    assert_includes headers, "tester/1"
  end

  promise "a client tells its base URL and its origin" do
    url = ENV.fetch("ZELF_HTTPS")
    client = new_client(base_url: "#{url.upcase}/")
    assert_equal [url, url], [client.base_url, client.origin]
    assert_equal "https://app.example", new_client(origin: "https://app.example").origin
  end

  promise "a logger receives messages of blocking and asynchronous calls, without a token" do
    text = StringIO.new
    client = new_client(logger: Logger.new(text), log_level: :debug)
    session = client.create_async(identifier: @identifier).value
    client.send_request(Zelf::Request.new("GET", "/sandbox/echo"), session)
    assert_operator text.string.scan("DEBUG -- zelf: localhost:").size, :>=, 2
    refute_includes text.string, session.token[0, 20]
  end

  promise "a logger that raises does no harm" do
    logger = Object.new
    def logger.add(*)
      raise "no space left"
    end
    client = new_client(logger: logger, log_level: :debug)
    _, warnings = capture_io { refute_empty client.create(identifier: @identifier).token }
    assert_includes warnings, "no space left"
  end

  promise "a call that waits is InvalidArgumentError in a logger, and the message's call goes on" do
    logger = Object.new
    client = nil
    refused = Queue.new
    logger.define_singleton_method(:add) do |*|
      client.create
    rescue Zelf::Error => e
      refused << e
    end
    client = new_client(logger: logger, log_level: :debug)
    creating = Thread.new { client.create(identifier: @identifier) }
    assert creating.join(LIMIT)
    assert_instance_of Zelf::InvalidArgumentError, refused.pop
  end

  promise "a client that is not closed is freed with its logger" do
    count = -> { ObjectSpace.each_object(Logger).count }
    before = count.call
    make = lambda do
      50.times { Zelf::Client.new(**settings, logger: Logger.new(nil)).create(identifier: @identifier) }
    end
    make.call
    until_true do
      GC.start
      count.call < before + 10
    end
  end
end
