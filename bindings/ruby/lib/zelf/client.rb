# frozen_string_literal: true

require "io/wait"

module Zelf
  # Creates sessions with one set of settings. One client serves all threads of a process.
  #
  # A forked child may use a client of its parent, but only for calls that are not asynchronous.
  class Client
    include Native::NoCopy

    # How long close waits for a log or renewed block that is running, in milliseconds.
    CLOSE_MS = 2000
    private_constant :CLOSE_MS

    # Live clients, for the end of the process.
    ALL = ObjectSpace::WeakMap.new
    private_constant :ALL

    # The base URL of the API, in the normal form of URLs.
    attr_reader :base_url
    # The Origin header, which the server requires.
    attr_reader :origin

    # The settings of include/zelf.h. nil is the default of each.
    #
    # pins:: an Array of public keys' hashes
    # logger:: a Logger. It may run on any thread, and must not wait for the server: calls that
    #          wait raise InvalidArgumentError in it.
    # log_level:: :error, :warning, :info or :debug
    def initialize(base_url: nil, origin: nil, user_agent: nil, timeout_ms: nil,
                   connect_timeout_ms: nil, max_attempts: nil, ca_file: nil, ca_pem: nil, pins: [],
                   proxy: nil, proxy_from_env: false, logger: nil, log_level: :info)
      @pid = Process.pid
      config = Native.zelf_config_new
      set_connection(config, base_url, origin, user_agent, proxy, proxy_from_env)
      set_trust(config, ca_file, ca_pem, pins)
      Native.zelf_config_set_timeout_ms(config, Native.uint32(timeout_ms))
      Native.zelf_config_set_connect_timeout_ms(config, Native.uint32(connect_timeout_ms))
      Native.zelf_config_set_max_attempts(config, Native.uint32(max_attempts))
      Native.zelf_config_set_dispatch(config, true)
      set_log(config, logger, log_level) if logger
      Native.uninterrupted do
        pointer = Native.checked { |error| Native.zelf_client_new(config, error) }
        @handle = Native::Handle.new("client", pointer, :zelf_client_free)
      end
      @base_url = use { |client| Native.utf8(Native.zelf_client_base_url(client)) }
      @origin = use { |client| Native.utf8(Native.zelf_client_origin(client)) }
      @dispatcher = Dispatcher.new(@handle)
      ALL[self] = true
      Client.shut_down_at_exit
    ensure
      Native.zelf_config_free(config) if config
    end

    # Makes a client, passes it to the block and closes it.
    def self.open(**settings)
      client = new(**settings)
      begin
        yield client
      ensure
        client.close
      end
    end

    # Creates a session, and waits for it. An interruption of the thread cancels the call.
    #
    # The options are those of include/zelf.h. type is one of :general, :create_wallet,
    # :decrypt_wallet and :import_wallet.
    def create(**options)
      return wait_for(create_async(**options)) unless inherited?

      SessionOptions.use(options) do |pointer|
        @handle.use do |client|
          Session.new(Native.checked { |error| Native.zelf_session_create(client, pointer, error) })
        end
      end
    end

    # Starts to create a session, and returns a Call.
    def create_async(**options)
      SessionOptions.use(options) do |pointer|
        start do |client, user_data, error|
          Native.zelf_session_create_async(client, pointer, Callbacks.session, user_data, nil, error)
        end
      end
    end

    # Makes a SessionProvider, with its options and those of create.
    def session_provider(**options, &renewed)
      SessionProvider.new(self, **options, &renewed)
    end

    # Sends a Request with the token of a session, or without one, and waits for the Response. It
    # renews nothing. An interruption of the thread cancels the call.
    def send_request(request, session = nil)
      return wait_for(send_request_async(request, session)) unless inherited?

      with_pointer(session) do |session_pointer|
        request.use do |request_pointer|
          @handle.use do |client|
            Response.new(Native.checked do |error|
              Native.zelf_session_send(client, session_pointer, request_pointer, error)
            end)
          end
        end
      end
    end

    # Starts to send a Request like send_request, and returns a Call.
    def send_request_async(request, session = nil)
      with_pointer(session) do |session_pointer|
        request.use do |request_pointer|
          start do |client, user_data, error|
            Native.zelf_session_send_async(
              client, session_pointer, request_pointer, Callbacks.response, user_data, nil, error
            )
          end
        end
      end
    end

    # Cancels all asynchronous calls, and refuses new calls. Returns whether all callbacks have
    # returned within the time.
    def shutdown(timeout_ms = CLOSE_MS)
      status = @handle.use { |client| Native.zelf_client_shutdown(client, Native.uint32(timeout_ms)) }
      raise Error.of_status(status) unless [ABI::ZELF_OK, ABI::ZELF_ERROR_TIMEOUT].include?(status)

      is_complete = status == ABI::ZELF_OK
      Native.uninterrupted { @dispatcher.stop } if is_complete
      is_complete
    end

    # Shuts the client down, and frees it when no thread is inside one of its calls.
    def close
      return if closed?

      unless inherited?
        shutdown
        Native.uninterrupted { @dispatcher.stop }
      end
      @handle.close
    rescue ClosedError
      # Another thread closed it.
    end

    def closed?
      @handle.closed?
    end

    # Tells whether the client was made in a parent process.
    def inherited?
      @pid != Process.pid
    end

    def inspect
      "#<Zelf::Client #{base_url}#{' closed' if closed?}>"
    end

    # Starts a call: the block gets the client, user_data and a place for an error. For
    # SessionProvider.
    def start
      raise Error.of_status(ABI::ZELF_ERROR_FORKED) if inherited?

      call = Call.new(self)
      @handle.use do |client|
        descriptor = Native.zelf_client_descriptor(client)
        raise Error.of_status(ABI::ZELF_ERROR_SYSTEM) if descriptor.negative?

        user_data = Callbacks::CALLS.add(call)
        begin
          call.started(Native.checked { |error| yield client, user_data, error })
        rescue Exception # rubocop:disable Lint/RescueException
          Callbacks::CALLS.delete(user_data)
          raise
        end
        @dispatcher.begin_call(descriptor)
      end
      call
    end

    # Waits for a call, and cancels it if the thread is interrupted. For SessionProvider.
    def wait_for(call)
      call.value
    ensure
      call.cancel unless call.done?
    end

    # Passes the pointer to the block. For the library's functions.
    def use(&block)
      @handle.use(&block)
    end

    # Counts the end of a call. For Call.
    def call_finished
      @dispatcher.end_call
    end

    # Tells whether the process ends.
    def ending?
      @handle.kept?
    end

    # Leaves the client to the end of the process. A finalizer would run callbacks of its calls,
    # which other finalizers have freed, and wait for its log.
    def keep
      @handle.keep
    end

    # Shuts the client down if it is of this process.
    def end_of_process
      return if inherited? || closed?

      shutdown
    rescue ClosedError
      # Another thread closed it.
    end

    # Lets the process end at once, with calls under way. The log may run on a thread of the
    # library, which Ruby must not leave behind.
    def self.shut_down_at_exit
      return if @is_registered

      @is_registered = true
      at_exit do
        # A client that a later handler makes registers again.
        @is_registered = false
        clients = ALL.keys
        # First: an interruption leaves the loop with the shutdowns.
        clients.each(&:keep)
        clients.each(&:end_of_process)
      end
    end

    # Handlers run in reverse order: those of the program, which are registered later, may
    # still use a client.
    shut_down_at_exit

    private

    def set_connection(config, base_url, origin, user_agent, proxy, proxy_from_env)
      Native.zelf_config_set_base_url(config, Native.text(base_url))
      Native.zelf_config_set_origin(config, Native.text(origin))
      Native.zelf_config_set_user_agent(config, Native.text(user_agent))
      Native.zelf_config_set_proxy(config, Native.text(proxy))
      Native.zelf_config_set_proxy_from_env(config, Native.flag(:proxy_from_env, proxy_from_env))
    end

    def set_trust(config, ca_file, ca_pem, pins)
      Native.zelf_config_set_ca_file(config, Native.text(ca_file))
      Native.zelf_config_set_ca_pem(config, ca_pem, ca_pem.bytesize) if ca_pem
      pins.each { |pin| Native.zelf_config_add_pin(config, Native.text(pin)) }
    end

    def set_log(config, logger, level)
      raise TypeError, "the logger has no method add: #{logger.inspect}" unless logger.respond_to?(:add)

      level = Native.constant("ZELF_LOG_", level)
      @logger = logger
      user_data = Callbacks::LOGGERS.add(logger)
      Native.zelf_config_set_log_callback(config, Callbacks.log, user_data, nil, level)
    end

    def with_pointer(session, &block)
      session ? session.use(&block) : yield(nil)
    end
  end

  # What to ask of a new session.
  module SessionOptions
    NAMES = %i[identifier type web_extension domain tag_name eth_address kill_session confirm].freeze
    TEXTS = %i[identifier domain tag_name eth_address].freeze
    SWITCHES = %i[web_extension kill_session confirm].freeze

    # Passes a zelf_session_options to the block.
    def self.use(options)
      unknown = options.keys - NAMES
      raise ArgumentError, "unknown options: #{unknown.join(', ')}" unless unknown.empty?

      pointer = Native.zelf_session_options_new
      begin
        set(pointer, options.compact)
        yield pointer
      ensure
        Native.zelf_session_options_free(pointer)
      end
    end

    def self.set(pointer, options)
      options.each do |name, value|
        value = Native.text(value) if TEXTS.include?(name)
        value = Native.flag(name, value) if SWITCHES.include?(name)
        value = Native.constant("ZELF_SESSION_TYPE_", value) if name == :type
        Native.public_send("zelf_session_options_set_#{name}", pointer, value)
      end
    end
    private_class_method :set
  end
  private_constant :SessionOptions
end
