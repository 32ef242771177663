# frozen_string_literal: true

require_relative "helper"
require "fileutils"

class PackageTest < SandboxTest
  SOURCE = ENV.fetch("ZELF_SOURCE")
  README = File.read("#{SOURCE}/bindings/ruby/README.md")
  SIGNATURES = File.join(Gem.loaded_specs.fetch("zelf").full_gem_path, "sig")
  # Methods that the classes of the gem call of each other.
  INTERNAL = %i[inspect use close_and_wait end_of_process keep start wait_for started finish call_finished ending?].freeze

  def header
    # Without the functions that exist on Android only.
    File.read("#{SOURCE}/include/zelf.h").sub(/^#if defined\(__ANDROID__\)\n.*?^#endif\n/m, "")
  end

  promise "the tests use the gem that is installed" do
    assert_operator Gem.loaded_specs.fetch("zelf").full_gem_path, :start_with?, ENV.fetch("GEM_HOME")
  end

  promise "the gem has the library inside, stripped" do
    path = File.join(Gem.loaded_specs.fetch("zelf").full_gem_path, "lib/zelf/libzelf.so")
    assert_includes File.read("/proc/self/maps"), path
    sections, = Open3.capture2("readelf", "--sections", "--wide", path)
    refute_includes sections, ".symtab"
  end

  promise "the gem has the licences of all code in the library" do
    licences = File.join(Gem.loaded_specs.fetch("zelf").full_gem_path, "licences")
    files = File.readlines("#{ENV.fetch('ZELF_PREFIX')}/share/doc/zelf/licences/FILES", chomp: true)
    refute_empty files
    assert_empty files.reject { |file| File.size?("#{licences}/#{file}") }
  end

  promise "the gem is for the kind of machine that it was built on" do
    assert_equal Gem::Platform.local, Gem.loaded_specs.fetch("zelf").platform
  end

  promise "the table has each function of the header, and the library has it" do
    names = header.scan(/\b(zelf_\w+)\s*\(/).flatten.uniq.map(&:to_sym) - header.scan(/\(\*(zelf_\w+)\)/).flatten.map(&:to_sym)
    functions = names.select { |name| header =~ /^(?:ZELF_API|ZELF_MUST_USE|\w[\w ]*\*?).*\b#{name}\(/ }
    assert_operator functions.size, :>=, 80
    assert_equal functions.sort, Zelf::ABI::FUNCTIONS.keys.sort
    functions.each { |name| assert_respond_to Zelf::Native, name }
  end

  promise "the table has each constant of the header, with its value" do
    constants = header.scan(/^#define (ZELF_\w+) (-?\d+|".*")$/)
    assert_operator constants.size, :>=, 50
    constants.each { |name, value| assert_equal value, Zelf::ABI.const_get(name).inspect, name }
    assert_equal constants.map { |name, _| name.to_sym }.sort, Zelf::ABI.constants.grep(/\AZELF_/).sort
  end

  promise "the version of the gem is that of the library" do
    assert_equal Zelf::VERSION, Zelf.library_version
    assert_equal Zelf::VERSION, Zelf::ABI::ZELF_VERSION
  end

  promise "an older library is refused with a LoadError that names both versions" do
    Dir.mktmpdir do |folder|
      FileUtils.cp_r("#{Gem.loaded_specs.fetch('zelf').full_gem_path}/lib", folder)
      File.write("#{folder}/old.c", 'const char *zelf_version(void) { return "0.0.9"; }')
      assert system("cc", "-shared", "-fPIC", "-o", "#{folder}/lib/zelf/libzelf.so", "#{folder}/old.c")
      output, status, = ruby(<<~RUBY)
        begin
          require "#{folder}/lib/zelf"
        rescue LoadError => e
          print e.message
        end
      RUBY
      assert_equal "libzelf 0.0.9 is too old: this gem needs 0.1", output
      assert_equal 0, status.exitstatus
    end
  end

  def readme_program
    blocks = README.scan(/^```ruby\n(.*?)^```$/m).flatten
    assert_equal 4, blocks.size
    blocks.join("\n")
  end

  # Code in an empty folder, where an unset base URL and CA file are those of the sandbox.
  def example_runs(code, variables = {})
    Dir.mktmpdir do |folder|
      File.write("#{folder}/example.rb", code)
      output, status = Open3.capture2e(variables, RbConfig.ruby, "-r", "#{__dir__}/defaults", "example.rb", chdir: folder)
      assert_equal 0, status.exitstatus, output
      output
    end
  end

  promise "the examples of the README run, one after the other, as one program" do
    output = example_runs(readme_program)
    assert_match(/^Bearer eyJ.*^{"request"=>"GET.*^200$/m, output)
    assert_match(/identifier is empty/, output)
  end

  promise "the README installs the gem as this test does" do
    assert_match(/^    bindings\/ruby\/package$/, README)
    assert_match(/^    gem install .*zelf-#{Zelf::VERSION}-x86_64-linux\.gem$/, README)
  end

  promise "the example prints a header" do
    output = example_runs(File.read("#{SOURCE}/bindings/ruby/examples/create_session.rb"))
    assert_match(/\AAuthorization: Bearer eyJ/, output)
  end

  promise "the example takes a base URL and a CA file" do
    output, status = Open3.capture2e(RbConfig.ruby, "#{SOURCE}/bindings/ruby/examples/create_session.rb",
                                     ENV.fetch("ZELF_HTTPS"), ENV.fetch("ZELF_CA"))
    assert_equal 0, status.exitstatus
    assert_match(/\AAuthorization: Bearer eyJ/, output)
  end

  promise "the signatures are valid" do
    output, status = ruby(<<~RUBY, "-r", "net-http", "-r", "uri", "-I", SIGNATURES, "validate", "--silent")
      require "rbs"
      require "rbs/cli"
      RBS::CLI.new(stdout: $stdout, stderr: $stderr).run(ARGV)
    RUBY
    assert_equal 0, status.exitstatus, output
  end

  promise "the calls of the README have the types of the signatures" do
    checks = { "RUBYOPT" => "-rrbs/test/setup", "RBS_TEST_TARGET" => "Zelf::*", "RBS_TEST_RAISE" => "true",
               "RBS_TEST_LOGLEVEL" => "error", "RBS_TEST_OPT" => "-r net-http -r uri -I #{SIGNATURES}" }
    example_runs(readme_program, checks)
  end

  promise "the signatures name each public method" do
    signatures = File.read("#{SIGNATURES}/zelf.rbs")
    [Zelf::Client, Zelf::Session, Zelf::SessionProvider, Zelf::Request, Zelf::Response, Zelf::Call].each do |type|
      section = signatures[/^  class #{type.name.delete_prefix('Zelf::')}\b.*?^  end$/m]
      (type.public_instance_methods(false) - INTERNAL).each do |name|
        assert_match(/(def|attr_reader) #{Regexp.escape(name)}:/, section, "#{type}##{name}")
      end
    end
  end
end
