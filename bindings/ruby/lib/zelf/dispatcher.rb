# frozen_string_literal: true

module Zelf
  # Runs the callbacks of a client on a Ruby thread. The thread lives while calls are under
  # way, so an idle client has none. No thread of the library runs these callbacks: Ruby may
  # end or fork at any time.
  class Dispatcher
    def initialize(client_handle)
      @client = client_handle
      @mutex = Mutex.new
      @under_way = 0
    end

    # Counts a call, and starts the thread if there is none. Call it uninterrupted, with the
    # client's descriptor.
    def begin_call(descriptor)
      @mutex.synchronize do
        @under_way += 1
        next if @thread&.alive?

        @thread = Thread.new { run(descriptor) }
        @thread.name = "zelf"
      end
    end

    # Counts the end of a call.
    def end_call
      @mutex.synchronize { @under_way -= 1 }
    end

    # Ends the thread, and waits for that.
    def stop
      thread = @mutex.synchronize { @thread }
      thread&.kill
      thread&.join
    end

    private

    # The thread inherits that it is uninterrupted. It is interruptible only while it waits.
    def run(descriptor)
      @client.use do |client|
        until is_idle
          io ||= IO.for_fd(descriptor, autoclose: false)
          Thread.handle_interrupt(Object => :immediate) { io.wait_readable }
          Native.zelf_client_dispatch(client)
        end
      end
    rescue ClosedError
      # The client was closed before the thread ran.
    end

    # Tells whether the thread ends. begin_call then starts another one.
    def is_idle
      @mutex.synchronize do
        @thread = nil if @under_way.zero?
        @under_way.zero?
      end
    end
  end
end
