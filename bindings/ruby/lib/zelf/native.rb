# frozen_string_literal: true

require "ffi"

module Zelf
  # Loads the library, and calls its functions. It is not for programs.
  module Native
    extend FFI::Library

    # Calls that wait. They let other Ruby threads run meanwhile.
    BLOCKING = %i[
      zelf_client_new zelf_client_shutdown zelf_session_create
      zelf_session_provider_get zelf_session_provider_send zelf_session_send
    ].freeze

    bundled = File.join(__dir__, "libzelf.so")
    ffi_lib File.exist?(bundled) ? bundled : "libzelf.so.0"

    def self.attach(name)
      parameters, result = ABI::FUNCTIONS.fetch(name)
      attach_function(name, parameters, result, blocking: BLOCKING.include?(name))
    end
    private_class_method :attach

    # Before the others: an older library may not have them.
    attach :zelf_version
    wanted = [ABI::ZELF_VERSION_MAJOR, ABI::ZELF_VERSION_MINOR]
    if (zelf_version.split(".").first(2).map(&:to_i) <=> wanted).negative?
      raise LoadError, "libzelf #{zelf_version} is too old: this gem needs #{wanted.join('.')}"
    end
    (ABI::FUNCTIONS.keys - [:zelf_version]).each { |name| attach(name) }

    # Runs the block without interruption by Thread#kill, Thread#raise and Timeout. Such an
    # interruption would lose what a function returns, or leave a callback by a jump.
    def self.uninterrupted(&block)
      Thread.handle_interrupt(Object => :never, &block)
    end

    # Calls a function that stores an error. The block gets the place for it.
    def self.checked
      error = FFI::MemoryPointer.new(:pointer)
      result = yield error
      raise Error.take(error.read_pointer) if result.null?

      result
    end

    # Frees nothing: the free of a borrowed object.
    def self.keep(_pointer); end

    # Returns a text of the caller in UTF-8. Bytes stay as they are: the library checks them.
    def self.text(value)
      return value unless value.is_a?(String)
      return value if [Encoding::UTF_8, Encoding::US_ASCII, Encoding::BINARY].include?(value.encoding)

      value.encode(Encoding::UTF_8)
    end

    # Marks a text of the library as UTF-8.
    def self.utf8(text)
      text&.force_encoding(Encoding::UTF_8)
    end

    # ffi would take other numbers modulo 2 to the power of 32.
    def self.uint32(value)
      unsigned(value, 32)
    end

    # ffi would take a negative number as no limit.
    def self.size(value)
      unsigned(value, 8 * FFI.type_size(:size_t))
    end

    # ffi would cut a fraction off.
    def self.int32(value)
      between(value, -(1 << 31), (1 << 31) - 1)
    end

    def self.unsigned(value, bits)
      between(value || 0, 0, (1 << bits) - 1)
    end
    private_class_method :unsigned

    # Integer(0.9) would be 0: no limit.
    def self.between(value, min, max)
      raise TypeError, "#{value.inspect} is not an Integer" unless value.is_a?(Integer)
      raise RangeError, "#{value} is not between #{min} and #{max}" unless value.between?(min, max)

      value
    end
    private_class_method :between

    # Returns an option that is true or false. nil is false, the default in C. The text "false"
    # would be true.
    def self.flag(name, value)
      raise TypeError, "#{name} is not true or false: #{value.inspect}" unless [true, false, nil].include?(value)

      value || false
    end

    # Returns the number of a constant from its name in small letters, such as :early.
    def self.constant(prefix, name)
      ABI.const_get("#{prefix}#{name.to_s.upcase}")
    rescue NameError
      names = ABI.constants.map(&:to_s).select { |constant| constant.start_with?(prefix) }
      names.map! { |constant| ":#{constant.delete_prefix(prefix).downcase}" }
      raise ArgumentError, "#{name.inspect} is none of #{names.join(', ')}"
    end

    # Refuses dup and clone, and Ractors, which clone what they get. The object of the library
    # would be freed twice.
    module NoCopy
      private

      def initialize_copy(_other)
        raise TypeError, "#{self.class} cannot be copied"
      end
    end

    # Frees an object once. ffi's own finalizers run in any order at the end of the process, and
    # forget that they ran: the end of a call, in the free of its client, would free it again.
    class Release
      def initialize(free)
        @free = free
      end

      def call(pointer)
        free = @free
        @free = nil
        Native.public_send(free, pointer) if free
      end
    end

    # An object of the library, for any number of threads. Closing frees it when no thread is
    # inside a call with it. The garbage collector frees it otherwise.
    class Handle
      include NoCopy

      def initialize(owner_name, pointer, free)
        @owner_name = owner_name
        @pointer = FFI::AutoPointer.new(pointer, Release.new(free))
        @mutex = Mutex.new
        @users = 0
        @is_unused = ConditionVariable.new
        @is_closed = false
        @is_kept = false
      end

      # Leaves the object to the end of the process: no finalizer frees it.
      def keep
        @is_kept = true
        @pointer.autorelease = false
      end

      def kept?
        @is_kept
      end

      # Calls the block with the pointer, uninterrupted.
      def use
        Native.uninterrupted do
          enter
          begin
            yield @pointer
          ensure
            leave
          end
        end
      end

      def close
        Native.uninterrupted do
          @mutex.synchronize do
            @is_closed = true
            @pointer.free if @users.zero?
          end
        end
      end

      # Closes, and waits until no other thread is inside a call with the object.
      def close_and_wait
        close
        Native.uninterrupted do
          @mutex.synchronize { @is_unused.wait(@mutex) until @users.zero? }
        end
      end

      def closed?
        @is_closed
      end

      def inspect
        "#<#{self.class}>"
      end

      private

      def enter
        @mutex.synchronize do
          if @is_closed
            raise ClosedError.new("the #{@owner_name} is closed", status: ABI::ZELF_ERROR_SHUT_DOWN)
          end

          @users += 1
        end
      end

      def leave
        @mutex.synchronize do
          @users -= 1
          next unless @is_closed && @users.zero?

          @pointer.free
          @is_unused.broadcast
        end
      end
    end
  end
end
