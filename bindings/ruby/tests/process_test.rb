# frozen_string_literal: true

require_relative "helper"

class ProcessTest < SandboxTest
  def memory_kib
    File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i
  end

  def descriptors
    Dir.children("/proc/self/fd").size
  end

  # Runs the block 10,000 times in all, and asserts that memory and descriptors stay flat.
  def stays_flat(count)
    rounds = 10_000 / count
    (rounds / 5).times { yield }
    GC.start
    before = [memory_kib, descriptors]
    (rounds - rounds / 5).times { yield }
    GC.start
    growth = [memory_kib - before[0], descriptors - before[1]]
    warn "grew by #{growth[0]} KiB, #{growth[1]} descriptors"
    # A leak of the sessions alone would be 5 MiB.
    assert_operator growth[0], :<, 2 * 1024
    assert_operator growth[1], :<=, 2
  end

  promise "10,000 sessions leave memory and descriptors flat" do
    client.create(identifier: @identifier)
    stays_flat(1) { client.create(identifier: @identifier) }
  end

  promise "10,000 asynchronous sessions leave memory and descriptors flat" do
    stays_flat(20) do
      calls = Array.new(20) { |number| client.create_async(identifier: "#{@identifier}#{number}") }
      calls.each { |call| call.value.close }
    end
  end

  promise "1,000 clients leave memory and descriptors flat" do
    stays_flat(10) { Zelf::Client.open(**settings) { |client| client.create_async(identifier: @identifier).cancel } }
  end

  promise "a process ends at once, with status 0, while calls are under way" do
    fault(kind: "stall", stage: "headers", path: "/api/sessions")
    output, status, took = ruby(<<~RUBY)
      #{CHILD}
      provider = client.session_provider(identifier: "#{@identifier}")
      calls = Array.new(5) { |number| client.create_async(identifier: "#{@identifier}\#{number}") }
      threads = Array.new(2) { Thread.new { provider.get } }
      calls << provider.get_async
      calls.each { |call| call.join(0.02) }
    RUBY
    assert_equal ["", 0], [output, status.exitstatus]
    assert_operator took, :<, 2
  end

  promise "a process ends at once while its logger is called" do
    output, status, took = ruby(<<~RUBY)
      require "zelf"
      logger = Object.new
      def logger.add(*) = Thread.pass
      client = Zelf::Client.new(base_url: ENV.fetch("ZELF_HTTPS"), ca_file: ENV.fetch("ZELF_CA"),
                                logger: logger, log_level: :debug)
      100.times { |number| client.create_async(identifier: "#{@identifier}\#{number}") }
    RUBY
    assert_equal ["", 0], [output, status.exitstatus]
    assert_operator took, :<, 2
  end

  promise "an at_exit handler that is newer than the gem may use a client" do
    output, status, = ruby(<<~RUBY)
      #{CHILD}
      at_exit { print client.create(identifier: "#{@identifier}").identifier }
    RUBY
    assert_equal [@identifier, 0], [output, status.exitstatus]
  end

  promise "a process whose end is interrupted again and again does not crash" do
    fault(kind: "stall", stage: "request", path: "/api/sessions")
    # Many calls for each client: their finalizers run in any order.
    output, status, = ruby(<<~RUBY)
      require "zelf"
      clients = Array.new(40) { Zelf::Client.new(base_url: ENV.fetch("ZELF_HTTPS"), ca_file: ENV.fetch("ZELF_CA")) }
      calls = clients.flat_map { |client| Array.new(20) { client.create_async(identifier: Zelf.random_identifier) } }
      Thread.new { 40.times { sleep 0.002; Process.kill("INT", Process.pid) } }
      calls.first.value
    RUBY
    refute_includes output, "[BUG]"
    assert_equal Signal.list["INT"], status.termsig
  end

  promise "a process ends at once, with status 0, with a frozen client and a call under way" do
    fault(kind: "stall", stage: "request", path: "/api/sessions")
    output, status, took = ruby(<<~RUBY)
      #{CHILD}
      client.freeze.create_async(identifier: "#{@identifier}").join(0.2)
    RUBY
    assert_equal ["", 0], [output, status.exitstatus]
    assert_operator took, :<, 2
  end

  promise "exit! with calls under way ends the process at once" do
    fault(kind: "stall", stage: "headers", path: "/api/sessions")
    _, status, took = ruby("#{CHILD}\nclient.create_async(identifier: '#{@identifier}')\nexit! 3")
    assert_equal 3, status.exitstatus
    assert_operator took, :<, 2
  end

  # Runs the block in a forked child. Returns what it returns.
  def in_child
    read, write = IO.pipe
    pid = fork do
      read.close
      answer = begin
        yield
      rescue Exception => e # rubocop:disable Lint/RescueException
        "#{e.class}: #{e.message}"
      end
      write.write(answer)
      write.close
      exit! 0
    end
    write.close
    answer = Timeout.timeout(LIMIT) { read.read }
    Process.wait(pid)
    answer
  ensure
    read.close
  end

  promise "a forked child creates a session with its parent's client, and its log" do
    text = StringIO.new
    client = new_client(logger: Logger.new(text), log_level: :debug)
    client.create_async(identifier: @identifier).value
    assert_equal("#{@identifier} DEBUG", in_child do
      text.string = +""
      "#{client.create(identifier: @identifier).identifier} #{text.string[/DEBUG/]}"
    end)
  end

  promise "a forked child gets and sends with its parent's provider" do
    provider = client.session_provider(identifier: @identifier)
    token = provider.get.token
    assert_equal("200 true", in_child do
      response = provider.request("GET", "/api/tags/search?tagName=a.zelf")
      "#{response.http_status} #{provider.get.token == token}"
    end)
  end

  promise "an asynchronous call with the parent's client is ForkedError in a child" do
    inherited = client.create_async(identifier: @identifier)
    inherited.value
    stalled = fault(kind: "stall", stage: "headers", path: "/api/sessions") && client.create_async
    assert_match(/\AZelf::ForkedError/, in_child { client.create_async(identifier: @identifier) })
    assert_match(/\AZelf::ForkedError/, in_child { stalled.value })
    stalled.cancel
  end

  promise "a forked child with its own client makes asynchronous calls, with a log" do
    new_client(logger: Logger.new(StringIO.new), log_level: :debug).create(identifier: @identifier)
    assert_equal("#{@identifier} true", in_child do
      text = StringIO.new
      own = Zelf::Client.new(**settings, logger: Logger.new(text), log_level: :debug)
      identifier = own.create_async(identifier: @identifier).value.identifier
      own.close
      "#{identifier} #{text.string.include?('DEBUG -- zelf')}"
    end)
  end

  promise "a forked child that exits leaves its parent's calls alone" do
    output, status, took = ruby(<<~RUBY)
      #{CHILD}
      calls = Array.new(20) { |number| client.create_async(identifier: "#{@identifier}\#{number}") }
      Process.wait(fork { exit 0 })
      print $?.exitstatus, " ", calls.map { |call| call.value.identifier }.uniq.size
    RUBY
    assert_equal ["0 20", 0], [output, status.exitstatus]
    assert_operator took, :<, LIMIT
  end

  promise "a fork in the middle of calls does no harm" do
    output, status, = ruby(<<~RUBY)
      #{CHILD}
      threads = Array.new(4) { |n| Thread.new { 50.times { client.create(identifier: "#{@identifier}\#{n}") } } }
      children = Array.new(10) do |n|
        sleep 0.01
        fork { exit client.create(identifier: "#{@identifier}c\#{n}").identifier.end_with?("c\#{n}") ? 0 : 1 }
      end
      threads.each(&:join)
      print children.map { |pid| Process.wait2(pid)[1].exitstatus }.uniq
    RUBY
    assert_equal ["[0]", 0], [output, status.exitstatus]
  end
end
