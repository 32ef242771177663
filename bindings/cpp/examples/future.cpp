// future: gets several sessions at once, each as a std::future (C++17).
//
//     c++ -std=c++17 future.cpp $(pkg-config --cflags --libs zelf) -o future
//     ./future IDENTIFIER [BASE_URL CA_FILE]
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <zelf.hpp>

static std::future<zelf::session> create(const zelf::client &client, const std::string &identifier)
{
    std::promise<zelf::session> promise;
    std::future<zelf::session> future = promise.get_future();
    client.create_async(zelf::session_options().identifier(identifier),
                        [promise = std::move(promise)](zelf::result<zelf::session> came) mutable {
                            if (came) promise.set_value(*std::move(came));
                            else promise.set_exception(std::make_exception_ptr(came.error()));
                        });
    return future;
}

int main(int argc, char **argv)
{
    if (argc < 2) return std::fprintf(stderr, "usage: %s IDENTIFIER [BASE_URL CA_FILE]\n", argv[0]), 2;
    try {
        zelf::config config;
        if (argc > 3) config.base_url(argv[2]).ca_file(argv[3]);
        const zelf::client client(config);
        std::vector<std::future<zelf::session>> futures;
        for (char device = 'a'; device < 'd'; device++)
            futures.push_back(create(client, std::string(argv[1]) + device));
        for (auto &future : futures) {
            const zelf::session session = future.get();
            std::printf("a session with %lld s left\n",
                        static_cast<long long>(session.time_left().count()));
        }
    } catch (const zelf::error &error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
