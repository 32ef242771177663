# frozen_string_literal: true

# Loaded before an example: its client without settings is one for the sandbox.
require "zelf"
Zelf::Client.prepend(Module.new do
  def initialize(base_url: nil, ca_file: nil, **settings)
    super(base_url: base_url || ENV.fetch("ZELF_HTTPS"), ca_file: ca_file || ENV.fetch("ZELF_CA"), **settings)
  end
end)
