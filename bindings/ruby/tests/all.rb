# frozen_string_literal: true

# Runs all tests against the installed gem, and prints a line for each.
require_relative "helper"
Dir[File.join(__dir__, "*_test.rb")].sort.each { |path| require path }

Minitest.seed = Integer(ENV.fetch("SEED", rand(0x10000)))
warn "SEED=#{Minitest.seed}"
reporter = PromiseReporter.new
Minitest::Runnable.runnables.each { |tests| tests.run(reporter, filter: ENV["ONLY"] ? /#{ENV['ONLY']}/ : /./) }
exit reporter.passed?
