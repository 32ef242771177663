# frozen_string_literal: true

module Zelf
  # The functions that the library calls. They are the same for all objects: user_data is the
  # number of the object in a registry, so no function is freed before its last call.
  module Callbacks
    # Numbers objects.
    class Registry
      def initialize
        @mutex = Mutex.new
        @objects = {}
        @last = 0
      end

      # Returns the number of the object, as user_data.
      def add(object)
        @mutex.synchronize do
          @objects[@last += 1] = object
          FFI::Pointer.new(@last)
        end
      end

      def [](user_data)
        @mutex.synchronize { @objects[user_data.address] }
      end

      def delete(user_data)
        @mutex.synchronize { @objects.delete(user_data.address) }
      end

    end

    # Numbers objects that their owners keep. It keeps none: a logger or block may refer to its
    # owner, which would then never be freed.
    class WeakRegistry < Registry
      def initialize
        super
        @objects = ObjectSpace::WeakMap.new
      end
    end

    CALLS = Registry.new
    LOGGERS = WeakRegistry.new
    RENEWED = WeakRegistry.new

    # The severities of Logger.
    SEVERITIES = {
      ABI::ZELF_LOG_ERROR => 3, ABI::ZELF_LOG_WARNING => 2,
      ABI::ZELF_LOG_INFO => 1, ABI::ZELF_LOG_DEBUG => 0
    }.freeze

    @mutex = Mutex.new
    @functions = {}

    class << self
      # Raises an error inside a logger or renewed block. The client's I/O thread may wait for
      # it, so a call that it waits for would never end.
      def refuse_to_wait
        name = Thread.current.thread_variable_get(:zelf_callback)
        return unless name

        raise InvalidArgumentError.new("a #{name} cannot wait for a call",
                                       status: ABI::ZELF_ERROR_INVALID_ARGUMENT)
      end

      # Passes a session to its call. It runs in zelf_client_dispatch or zelf_client_shutdown.
      def session
        function(:zelf_session_callback) do |session, error, user_data|
          CALLS.delete(user_data)&.finish(session, error) { |pointer| Session.new(pointer) }
        end
      end

      # Passes a response to its call, like a session.
      def response
        function(:zelf_response_callback) do |response, error, user_data|
          CALLS.delete(user_data)&.finish(response, error) { |pointer| Response.new(pointer) }
        end
      end

      # Passes a message to a logger.
      def log
        function(:zelf_log_callback) do |level, message, user_data|
          guarded("logger") do
            LOGGERS[user_data]&.add(SEVERITIES.fetch(level, 0), Native.utf8(message), "zelf")
          end
        end
      end

      # Passes a session to the block of a provider. The session is closed after that.
      def renewed
        function(:zelf_renewed_callback) do |session, user_data|
          guarded("renewed block") do
            Session.borrow(session) { |borrowed| RENEWED[user_data]&.call(borrowed) }
          end
        end
      end

      private

      # ffi runs callbacks of other threads on a Ruby thread of the process that made the
      # function. A forked child needs other functions. The old ones stay: what the child
      # inherits may still call them.
      def function(type, &block)
        @mutex.synchronize do
          @functions[[type, Process.pid]] ||= FFI::Function.new(:void, ABI::CALLBACKS.fetch(type), block)
        end
      end

      # No exception and no interruption may leave a callback. The flag is the thread's, not
      # the fiber's. A callback may run inside another one.
      def guarded(name, &block)
        outer = Thread.current.thread_variable_get(:zelf_callback)
        Thread.current.thread_variable_set(:zelf_callback, name)
        Native.uninterrupted(&block)
      rescue Exception => e # rubocop:disable Lint/RescueException
        warn "zelf: the #{name} failed: #{e.class}: #{e.message}"
      ensure
        Thread.current.thread_variable_set(:zelf_callback, outer)
      end
    end
  end
end
