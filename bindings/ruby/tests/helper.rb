# frozen_string_literal: true

require "json"
require "logger"
require "minitest"
require "net/http"
require "open3"
require "rbconfig"
require "securerandom"
require "socket"
require "stringio"
require "timeout"
require "tmpdir"
require "zelf"

# Prints one line a test to stdout, and failures to stderr.
class PromiseReporter < Minitest::AbstractReporter
  def initialize
    super
    @is_kept = true
  end

  def record(result)
    is_kept = result.passed? && !result.skipped?
    @is_kept &&= is_kept
    $stdout.puts "#{is_kept ? 'ok' : 'not ok'} - Ruby: #{result.name.delete_prefix('test_')}"
    $stdout.flush
    result.failures.each { |failure| warn "#{failure.message}\n  #{failure.location}" } unless is_kept
    warn format("%<seconds>.2f s", seconds: result.time) if result.time > 2
  end

  def passed?
    @is_kept
  end
end

# A test with a sandbox. Each test has its own identifier and its own client.
class SandboxTest < Minitest::Test
  # Deadlines, not promises about time.
  LIMIT = 10

  def self.promise(sentence, &block)
    define_method("test_#{sentence}") { Timeout.timeout(60) { instance_exec(&block) } }
  end

  def setup
    @identifier = SecureRandom.hex(16)
    control(Net::HTTP::Delete, "requests")
  end

  def teardown
    control(Net::HTTP::Delete, "faults")
    @clients&.each(&:close)
  end

  def settings
    { base_url: ENV.fetch("ZELF_HTTPS"), ca_file: ENV.fetch("ZELF_CA") }
  end

  # Makes a client for the sandbox, which teardown closes.
  def new_client(**more)
    client = Zelf::Client.new(**settings, **more)
    (@clients ||= []) << client
    client
  end

  def client
    @client ||= new_client
  end

  def control(method, path, body = nil)
    uri = URI("#{ENV.fetch('ZELF_CONTROL')}/sandbox/#{path}")
    request = method.new(uri, "Content-Type" => "application/json")
    request.body = JSON.generate(body) if body
    answer = Net::HTTP.new(uri.host, uri.port, nil).start { |http| http.request(request) }
    raise "#{path}: #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)

    JSON.parse(answer.body) unless answer.body.to_s.empty?
  end

  def fault(**members)
    control(Net::HTTP::Post, "faults", members)
  end

  def age(seconds)
    control(Net::HTTP::Post, "age", { identifier: @identifier, seconds: seconds })
  end

  # Ends the session on the server, which routes that check it then refuse.
  def use_up
    control(Net::HTTP::Post, "use", { identifier: @identifier })
  end

  # The requests of this test to a path.
  def requests(path)
    control(Net::HTTP::Get, "requests").fetch("requests").select { |r| r["path"].start_with?(path) }
  end

  def seconds
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  end

  def until_true
    Timeout.timeout(LIMIT) { sleep 0.005 until yield }
  end

  # Runs Ruby code in a new process. Returns its output, status and duration.
  def ruby(code, *arguments)
    output = status = nil
    # In a file: -e would show the code in messages.
    path = File.join(Dir.pwd, "#{SecureRandom.hex(8)}.rb")
    File.write(path, code)
    duration = seconds { output, status = Open3.capture2e(RbConfig.ruby, path, *arguments) }
    [output, status, duration]
  end

  # The beginning of such code: a client for the sandbox.
  CHILD = <<~RUBY
    require "zelf"
    client = Zelf::Client.new(base_url: ENV.fetch("ZELF_HTTPS"), ca_file: ENV.fetch("ZELF_CA"))
  RUBY
end
