# frozen_string_literal: true

module Zelf
  VERSION = "0.1.0"
end
