# frozen_string_literal: true

module Zelf
  # An asynchronous call. Its methods are those of a Thread: join and value wait for it.
  class Call
    include Native::NoCopy

    # value:: the result of a call that is already done
    def initialize(client, value = nil)
      @client = client
      @value = value
      @is_done = !value.nil?
      @mutex = Mutex.new
      @is_finished = ConditionVariable.new
      @pid = Process.pid
    end

    # Waits for the result, and returns it. Raises the error of the call.
    def value
      join
      raise @error if @error

      @value
    end

    # Waits for the result, at most limit seconds. Returns self, or nil if the limit passes.
    # In a logger or renewed block it raises InvalidArgumentError if the call is not done.
    def join(limit = nil)
      Callbacks.refuse_to_wait unless @is_done
      deadline = limit && now + limit
      @mutex.synchronize do
        until @is_done
          raise Error.of_status(ABI::ZELF_ERROR_FORKED) unless @pid == Process.pid

          left = deadline && deadline - now
          return if left && left <= 0

          @is_finished.wait(@mutex, left)
        end
      end
      self
    end

    # Cancels the call, if it is not done. Its value then raises CancelledError.
    def cancel
      handle = @mutex.synchronize { @handle }
      handle&.use { |call| Native.zelf_call_cancel(call) }
      self
    rescue ClosedError
      # It has ended meanwhile.
      self
    end

    def done?
      @is_done ? true : false
    end

    # Shows no result.
    def inspect
      "#<Zelf::Call #{done? ? 'done' : 'under way'}>"
    end

    # Keeps the handle of the call, which may be done. For Client.
    def started(pointer)
      handle = Native::Handle.new("call", pointer, :zelf_call_free)
      is_done = @mutex.synchronize do
        @handle = handle
        @is_done
      end
      handle.close if is_done
    end

    # Takes the result. The block makes an object of a pointer. For Callbacks.
    def finish(pointer, error)
      if error.null?
        @value = yield pointer
      else
        @error = Error.take(error)
      end
      handle = @mutex.synchronize do
        @is_done = true
        # At the end of the process a thread that waits sleeps on: it would only report an error.
        @is_finished.broadcast unless @client.ending?
        @handle
      end
      handle&.close
      @client.call_finished
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
