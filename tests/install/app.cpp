// A program of a user of an installed libzelf: one session over TLS, and one error.
#include <cstdlib>
#include <iostream>
#include <zelf.hpp>

int main()
{
    const zelf::client client{
        zelf::config().base_url(std::getenv("ZELF_HTTPS")).ca_file(std::getenv("ZELF_CA"))};
    const zelf::session session = client.create(zelf::session_options().identifier("consumer-x"));
    bool fine = session.identifier() == "consumer-x" && zelf::is_compatible();
    try {
        (void)client.create(zelf::session_options().identifier(""));
        fine = false;
    } catch (const zelf::error &error) {
        fine = fine && error.status() == ZELF_ERROR_INVALID_ARGUMENT;
    }
    std::cout << (fine ? "fine" : "not fine") << '\n';
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
