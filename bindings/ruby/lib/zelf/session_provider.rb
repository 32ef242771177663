# frozen_string_literal: true

require "uri"

module Zelf
  # Keeps one session for the program and renews it, so that a valid token is always there.
  class SessionProvider
    include Native::NoCopy

    # client:: may be closed later; the provider then serves until its session ends
    # min_valid_s:: how many seconds a session must have left
    # renewal:: :at_expiry, :never_kill or :early
    # background:: whether a thread of the library renews ahead of time
    # directory:: where the session is stored, so that processes share it
    # renewed:: a block that gets each new Session, which is valid inside the block only. It
    #           may run on any thread, and must not wait for the server: calls that wait raise
    #           InvalidArgumentError in it.
    #
    # The other options are those of Client#create.
    def initialize(client, min_valid_s: nil, renewal: nil, background: false, directory: nil,
                   **session_options, &renewed)
      @client = client
      options = Native.zelf_provider_options_new
      Native.zelf_provider_options_set_min_valid_s(options, Native.uint32(min_valid_s)) if min_valid_s
      Native.zelf_provider_options_set_renewal(options, Native.constant("ZELF_RENEWAL_", renewal)) if renewal
      Native.zelf_provider_options_set_background(options, Native.flag(:background, background))
      Native.zelf_provider_options_set_directory(options, Native.text(directory))
      set_renewed(options, renewed) if renewed
      SessionOptions.use(session_options) { |pointer| @handle = make(client, pointer, options) }
    ensure
      Native.zelf_provider_options_free(options) if options
    end

    # Returns a session with at least min_valid_s seconds left. An interruption of the thread
    # ends the wait.
    def get
      return @client.wait_for(get_async) unless direct?

      @handle.use do |provider|
        Session.new(Native.checked { |error| Native.zelf_session_provider_get(provider, error) })
      end
    end

    # Starts a get, and returns a Call. With a valid session the call is already done.
    def get_async
      session = current
      return Call.new(@client, session) if session

      @client.start do |_client, user_data, error|
        @handle.use do |provider|
          Native.zelf_session_provider_get_async(provider, Callbacks.session, user_data, nil, error)
        end
      end
    end

    # Sends a Request with the session, and returns a Response of any HTTP status. If the server
    # refuses the session, the library sends the request again with a new one.
    def send_request(request)
      return @client.wait_for(send_request_async(request)) unless direct?

      request.use do |request_pointer|
        @handle.use do |provider|
          Response.new(Native.checked do |error|
            Native.zelf_session_provider_send(provider, request_pointer, error)
          end)
        end
      end
    end

    # Starts to send a Request, and returns a Call.
    def send_request_async(request)
      @client.start do |_client, user_data, error|
        request.use do |request_pointer|
          @handle.use do |provider|
            Native.zelf_session_provider_send_async(
              provider, request_pointer, Callbacks.response, user_data, nil, error
            )
          end
        end
      end
    end

    # Makes a Request and sends it.
    def request(method, target, **options)
      send_request(Request.new(method, target, **options))
    end

    # Sends a request of Net::HTTP with the session, and returns a Net::HTTPResponse with its
    # body. If the server refuses the session, it sends the request once more with a new one.
    #
    # http:: a Net::HTTP for the base URL of the client; anything else is an ArgumentError, so
    #        that the token goes nowhere else
    # request:: its body must be a String, not a stream
    def net_http(http, request)
      check_origin(http)
      session, response = net_http_once(http, request)
      if invalidate_if_refused(session, response.code.to_i, response.body)
        _, response = net_http_once(http, request)
      end
      response
    end

    # Tells the provider that a route refused its session, so that the next get renews it.
    # Returns whether the provider held that session.
    def invalidate(session)
      session.use do |session_pointer|
        @handle.use { |provider| Native.zelf_session_provider_invalidate(provider, session_pointer) }
      end
    end

    # Invalidates the session if an answer of your own HTTP client refuses it. Returns true
    # then: repeat the request once with the session of the next get. 64 KiB of the body are
    # enough.
    def invalidate_if_refused(session, http_status, body)
      http_status = Native.int32(http_status)
      body = body.to_s
      session.use do |session_pointer|
        @handle.use do |provider|
          Native.zelf_session_provider_invalidate_if_refused(
            provider, session_pointer, http_status, body, body.bytesize
          )
        end
      end
    end

    # Returns why the last renewal failed, or nil.
    def last_error
      @handle.use do |provider|
        error = Native.zelf_session_provider_last_error(provider)
        error.null? ? nil : Error.take(error)
      end
    end

    # Frees the provider when no thread is inside one of its calls. Its sessions stay valid.
    def close
      @handle.close
    end

    def closed?
      @handle.closed?
    end

    # Shows no session.
    def inspect
      "#<Zelf::SessionProvider#{' closed' if closed?}>"
    end

    private

    # Returns the session that a get returns at once, or nil.
    def current
      @handle.use do |provider|
        session = Native.zelf_session_provider_current(provider)
        session.null? ? nil : Session.new(session)
      end
    end

    # A call of a forked child, or after the client is closed, is not asynchronous.
    def direct?
      @client.inherited? || @client.closed?
    end

    def make(client, session_options, options)
      client.use do |client_pointer|
        pointer = Native.checked do |error|
          Native.zelf_session_provider_new(client_pointer, session_options, options, error)
        end
        Native::Handle.new("provider", pointer, :zelf_session_provider_free)
      end
    end

    def set_renewed(options, renewed)
      @renewed = renewed
      user_data = Callbacks::RENEWED.add(renewed)
      Native.zelf_provider_options_set_renewed_callback(options, Callbacks.renewed, user_data, nil)
    end

    def check_origin(http)
      base = URI.parse(@client.base_url)
      scheme = http.use_ssl? ? "https" : "http"
      host = http.address.downcase.delete_prefix("[").delete_suffix("]")
      return if [scheme, host, http.port] == [base.scheme, base.hostname, base.port]

      raise ArgumentError, "#{scheme}://#{http.address}:#{http.port} is not the base URL"
    end

    # Leaves no token in the request, which the caller may send elsewhere.
    def net_http_once(http, request)
      session = get
      request["Authorization"] = session.authorization
      request["Origin"] = @client.origin
      [session, http.request(request)]
    ensure
      request.delete("Authorization")
    end
  end
end
