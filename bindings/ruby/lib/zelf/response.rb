# frozen_string_literal: true

require "json"

module Zelf
  # A complete answer of the server, with any HTTP status.
  class Response
    include Native::NoCopy

    def initialize(pointer)
      @handle = Native::Handle.new("response", pointer, :zelf_response_free)
    end

    # Returns the HTTP status, such as 200.
    def http_status
      @handle.use { |response| Native.zelf_response_http_status(response) }
    end

    # Tells whether the HTTP status is one of 200 to 299.
    def success?
      http_status.between?(200, 299)
    end

    # Returns the first header with this name, in any case, or nil.
    def [](name)
      name = Native.text(name)
      Native.utf8(@handle.use { |response| Native.zelf_response_header(response, name) })
    end

    # Returns a copy of the body, as bytes.
    def body
      length = FFI::MemoryPointer.new(:size_t)
      @handle.use do |response|
        Native.zelf_response_body(response, length).read_bytes(length.read(:size_t))
      end
    end

    # Returns the body as text in UTF-8.
    def text
      Native.utf8(body)
    end

    # Returns the value of the body, which is JSON.
    def json
      JSON.parse(text)
    end

    # Returns the server's words in an answer with status 400 or more, or nil.
    def server_message
      Native.utf8(@handle.use { |response| Native.zelf_response_server_message(response) })
    end

    # Wipes and frees the response.
    def close
      @handle.close
    end

    # Shows no body.
    def inspect
      return "#<Zelf::Response closed>" if @handle.closed?

      "#<Zelf::Response #{http_status}>"
    end
  end
end
