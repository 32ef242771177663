# frozen_string_literal: true

module Zelf
  # A session. It is immutable. Its texts come from the token, and are not verified.
  class Session
    include Native::NoCopy

    def initialize(pointer, free = :zelf_session_free)
      @handle = Native::Handle.new("session", pointer, free)
    end

    # Passes a session that the library frees to the block. It is closed at the end, when no
    # other thread is inside a call with it.
    def self.borrow(pointer)
      session = new(pointer, :keep)
      yield session
    ensure
      session&.close_and_wait
    end

    # Returns the token, a secret.
    def token
      text(:zelf_session_token)
    end

    # Returns the value of the Authorization header, a secret.
    def authorization
      text(:zelf_session_authorization)
    end

    # Returns the session's id on the server, or nil.
    def id
      text(:zelf_session_id)
    end

    # Returns the identifier that the session belongs to, or nil.
    def identifier
      text(:zelf_session_identifier)
    end

    # Returns the domain that the session was made with, or nil.
    def domain
      text(:zelf_session_domain)
    end

    # Returns the tag name that the session was made with, or nil.
    def tag_name
      text(:zelf_session_tag_name)
    end

    # Returns the Ethereum address that the session was made with, or nil.
    def eth_address
      text(:zelf_session_eth_address)
    end

    # Returns when the session began, by the server's clock, or nil.
    def activated_at
      time(:zelf_session_activated_at)
    end

    # Returns when the session ends, by the server's clock. seconds_left needs no right clock.
    def expires_at
      time(:zelf_session_expires_at)
    end

    # Returns how many whole seconds the session has left.
    def seconds_left
      read(:zelf_session_seconds_left)
    end

    # Frees the session, and wipes the token in the library. Strings in Ruby stay.
    def close
      @handle.close
    end

    # Closes, and waits until no other thread is inside a call with the session. For borrow.
    def close_and_wait
      @handle.close_and_wait
    end

    # Passes the pointer to the block. For the library's functions.
    def use(&block)
      @handle.use(&block)
    end

    # Shows no token.
    def inspect
      return "#<Zelf::Session closed>" if @handle.closed?

      "#<Zelf::Session identifier=#{identifier.inspect} seconds_left=#{seconds_left}>"
    end

    private

    def read(getter)
      @handle.use { |session| Native.public_send(getter, session) }
    end

    def text(getter)
      Native.utf8(read(getter))
    end

    def time(getter)
      seconds = read(getter)
      seconds.zero? ? nil : Time.at(seconds)
    end
  end
end
