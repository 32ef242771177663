# frozen_string_literal: true

require_relative "helper"
require_relative "scheduler"

class CallTest < SandboxTest
  def stall
    fault(kind: "stall", stage: "headers", path: "/api/sessions")
  end

  # Waits until the sandbox has the request.
  def until_asked(count = 1)
    until_true { control(Net::HTTP::Get, "faults").to_s[/"struck"=>(\d+)/, 1].to_i >= count }
  end

  # Calls that have not ended.
  def under_way
    Zelf::Callbacks::CALLS.instance_variable_get(:@objects).size
  end

  promise "an asynchronous call returns a session" do
    call = client.create_async(identifier: @identifier)
    assert_equal @identifier, call.value.identifier
    assert_predicate call, :done?
    assert_same call.value, call.value
  end

  promise "an asynchronous call raises its error" do
    fault(kind: "answer", status: 403, error: "rejected", path: "/api/sessions")
    call = client.create_async(identifier: @identifier)
    assert_raises(Zelf::RejectedOriginError) { call.value }
  end

  promise "twenty calls at once return twenty sessions" do
    calls = Array.new(20) { |number| client.create_async(identifier: "#{@identifier}#{number}") }
    assert_equal Array.new(20) { |number| "#{@identifier}#{number}" }, calls.map { |call| call.value.identifier }
  end

  promise "cancel ends a call at once while the server stalls" do
    stall
    call = client.create_async(identifier: @identifier)
    until_asked
    assert_operator(seconds { assert_raises(Zelf::CancelledError) { call.cancel.value } }, :<, 2)
    call.cancel
  end

  promise "join returns nil when its limit passes" do
    stall
    call = client.create_async(identifier: @identifier)
    assert_nil call.join(0.05)
    refute_predicate call, :done?
    call.cancel
    assert_same call, call.join(LIMIT)
  end

  promise "other Ruby threads run while a call waits" do
    stall
    waiting = Thread.new { assert_raises(Zelf::CancelledError) { client.create(identifier: @identifier) } }
    until_asked
    assert_equal 4, Thread.new { 2 + 2 }.join(LIMIT).value
    client.shutdown
    waiting.join(LIMIT)
  end

  promise "Timeout ends a blocking create at once, and cancels the call" do
    stall
    took = seconds do
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.create(identifier: @identifier) } }
    end
    assert_operator took, :<, 2
    until_true { under_way.zero? }
  end

  promise "Thread#kill ends a blocking get at once, and cancels the call" do
    stall
    provider = client.session_provider(identifier: @identifier)
    thread = Thread.new { provider.get }
    until_asked
    assert_operator(seconds { assert thread.kill.join(LIMIT) }, :<, 2)
    until_true { under_way.zero? }
  end

  promise "interruptions at any moment lose no session and no call" do
    provider = client.session_provider(identifier: @identifier)
    request = Zelf::Request.new("GET", "/sandbox/echo")
    300.times do |number|
      work = -> { number.even? ? client.create(identifier: @identifier) : provider.send_request(request) }
      thread = Thread.new do
        Thread.current.report_on_exception = false
        loop(&work)
      end
      sleep rand * 0.003
      (number % 3).zero? ? thread.kill : thread.raise(IOError)
      begin
        assert thread.join(LIMIT)
      rescue IOError
        # It was raised in the thread.
      end
    end
    until_true { under_way.zero? }
    refute_empty client.create(identifier: @identifier).token
  end

  promise "an idle client has no Ruby thread" do
    client.create(identifier: @identifier)
    until_true { Thread.list.none? { |thread| thread.name == "zelf" } }
  end

  promise "calls of fibers run at once under a Fiber.scheduler" do
    fault(kind: "delay", ms: 300, path: "/api/sessions")
    identifiers = []
    took = seconds do
      Thread.new do
        Fiber.set_scheduler(Scheduler.new)
        8.times do |number|
          Fiber.schedule do
            identifiers << client.create(identifier: "#{@identifier}#{number}").identifier
          end
        end
      end.join(LIMIT)
    end
    assert_equal 8, identifiers.uniq.size
    assert_operator took, :<, 8 * 0.3
  end

  promise "a shutdown cancels calls, and refuses new ones" do
    stall
    call = client.create_async(identifier: @identifier)
    assert client.shutdown
    assert_raises(Zelf::CancelledError) { call.value }
    assert_raises(Zelf::ShutDownError) { client.create_async(identifier: @identifier) }
  end

  promise "a close cancels calls" do
    stall
    call = client.create_async(identifier: @identifier)
    client.close
    assert_raises(Zelf::CancelledError) { call.value }
  end
end
