# frozen_string_literal: true

# Prints the Authorization header of a session.
#
#   ruby create_session.rb [BASE_URL [CA_FILE]]     default: the public API
require "zelf"

base_url, ca_file = ARGV
client = Zelf::Client.new(base_url: base_url, ca_file: ca_file)
session = client.create(identifier: Zelf.derive_identifier("my device")) # your installation's
puts "Authorization: #{session.authorization}"
