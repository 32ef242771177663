# frozen_string_literal: true

# A Fiber.scheduler for one thread: fibers that sleep, wait for each other or for IO.
class Scheduler
  def initialize
    @ready = []
    @sleeping = {}
    @blocked = {}
    @mutex = Mutex.new
    @wakes, @wake = IO.pipe
  end

  def run
    until @ready.empty? && @sleeping.empty? && @blocked.empty?
      limit = @sleeping.values.min
      limit = [limit - now, 0].max if limit
      limit = 0 unless @ready.empty?
      @wakes.read_nonblock(100, exception: false) if IO.select([@wakes], nil, nil, limit)
      ready = @mutex.synchronize { @ready.slice!(0..) }
      @sleeping.select { |_, time| time <= now }.each_key { |fiber| ready << fiber }
      ready.uniq.each do |fiber|
        @sleeping.delete(fiber)
        fiber.resume if fiber.alive?
      end
    end
  end

  def close
    run
  end

  def fiber(&block)
    fiber = Fiber.new(blocking: false, &block)
    fiber.resume
    fiber
  end

  def kernel_sleep(seconds = nil)
    block(:sleep, seconds)
  end

  def block(_blocker, seconds = nil)
    fiber = Fiber.current
    seconds ? @sleeping[fiber] = now + seconds : @blocked[fiber] = true
    Fiber.yield
    true
  ensure
    @sleeping.delete(fiber)
    @blocked.delete(fiber)
  end

  def unblock(_blocker, fiber)
    @mutex.synchronize { @ready << fiber }
    @wake.write_nonblock(".", exception: false)
  end

  # Not used here: calls wait for no IO in their own fiber.
  def io_wait(io, _events, seconds)
    IO.select([io], nil, nil, seconds)
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
