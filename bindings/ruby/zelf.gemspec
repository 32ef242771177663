# frozen_string_literal: true

require_relative "lib/zelf/version"

Gem::Specification.new do |spec|
  spec.name = "zelf"
  spec.version = Zelf::VERSION
  spec.authors = ["The libzelf developers"]
  spec.summary = "Zelf session tokens, and requests with them"
  spec.description = "Ruby binding of libzelf, with the library inside."
  spec.licenses = ["MIT", "Apache-2.0"]
  spec.required_ruby_version = ">= 3.1"
  # The gem has the library inside, which is made for this machine: see package.
  spec.platform = Gem::Platform::CURRENT
  spec.files = Dir["lib/**/*.{rb,so}", "sig/*.rbs", "README.md", "LICENSE-*", "licences/**/*"].select do |path|
    File.file?(path)
  end
  spec.metadata["rubygems_mfa_required"] = "true"
  spec.add_dependency "ffi", "~> 1.15"
end
