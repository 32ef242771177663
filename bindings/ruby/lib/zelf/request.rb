# frozen_string_literal: true

module Zelf
  # A request to a route of the server. It is immutable, and can be sent any number of times.
  class Request
    include Native::NoCopy

    # method:: an HTTP method such as "GET"
    # target:: path and query, percent-encoded
    # headers:: a Hash of names and values
    # repeatable:: whether the server may carry the request out more than once; by default GET
    #              and HEAD
    def initialize(method, target, headers: {}, body: nil, content_type: nil, timeout_ms: nil,
                   max_response_bytes: nil, repeatable: nil)
      pointer = Native.zelf_request_new(Native.text(method), Native.text(target))
      @handle = Native::Handle.new("request", pointer, :zelf_request_free)
      headers.each do |name, value|
        Native.zelf_request_set_header(pointer, Native.text(name.to_s), Native.text(value))
      end
      Native.zelf_request_set_body(pointer, body, body.bytesize, Native.text(content_type)) if body
      Native.zelf_request_set_timeout_ms(pointer, Native.uint32(timeout_ms))
      Native.zelf_request_set_max_response_bytes(pointer, Native.size(max_response_bytes))
      Native.zelf_request_set_repeatable(pointer, Native.flag(:repeatable, repeatable)) unless repeatable.nil?
      @description = "#{method} #{target}"
    end

    # Passes the pointer to the block. For the library's functions.
    def use(&block)
      @handle.use(&block)
    end

    # Shows no header and no body.
    def inspect
      "#<Zelf::Request #{@description}>"
    end
  end
end
