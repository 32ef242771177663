# frozen_string_literal: true

require_relative "zelf/version"
require_relative "zelf/abi"
require_relative "zelf/error"
require_relative "zelf/native"
require_relative "zelf/callbacks"
require_relative "zelf/session"
require_relative "zelf/request"
require_relative "zelf/response"
require_relative "zelf/call"
require_relative "zelf/dispatcher"
require_relative "zelf/client"
require_relative "zelf/session_provider"

# Zelf session tokens, and requests with them, by libzelf.
module Zelf
  # Returns the version of the library that is loaded, such as "0.1.0".
  def self.library_version
    Native.zelf_version
  end

  # Makes a random identifier. Keep it: to the server, another identifier is another device.
  def self.random_identifier
    identifier { |out, size| Native.zelf_identifier_random(out, size) }
  end

  # Derives an identifier from a device id, such as a serial number. The same device id always
  # gives the same identifier. This takes some milliseconds.
  def self.derive_identifier(device_id)
    device_id = Native.text(device_id)
    identifier { |out, size| Native.zelf_identifier_derive(device_id, out, size) }
  end

  def self.identifier
    out = FFI::MemoryPointer.new(:char, ABI::ZELF_IDENTIFIER_SIZE)
    status = yield out, out.size
    raise Error.of_status(status) unless status == ABI::ZELF_OK

    Native.utf8(out.read_string)
  end
  private_class_method :identifier
end
