// coroutine: gets a session with co_await (C++20), and sends a request with it.
//
//     c++ -std=c++20 coroutine.cpp $(pkg-config --cflags --libs zelf) -o coroutine
//     ./coroutine IDENTIFIER [BASE_URL CA_FILE]
#include <coroutine>
#include <cstdio>
#include <exception>
#include <future>
#include <string>

#include <zelf.hpp>

/** A coroutine that begins at once. Its end, or its exception, is a std::future. */
struct task {
    struct promise_type {
        std::promise<void> end;
        task get_return_object() { return {end.get_future()}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        // The future is ready when the coroutine has destroyed its objects.
        struct at_end {
            bool await_ready() noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> done) noexcept
            {
                std::promise<void> ended = std::move(done.promise().end);
                const std::exception_ptr thrown = done.promise().thrown;
                done.destroy();
                thrown ? ended.set_exception(thrown) : ended.set_value();
            }
            void await_resume() noexcept {}
        };
        std::exception_ptr thrown;
        at_end final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { thrown = std::current_exception(); }
    };
    std::future<void> end;
};

static task program(const zelf::client &client, std::string identifier)
{
    const auto options = zelf::session_options().identifier(identifier);
    const zelf::session session = co_await client.co_create(options);
    std::printf("a session with %lld s left\n", static_cast<long long>(session.time_left().count()));

    const zelf::session_provider provider(client, options);
    const zelf::request search("GET", "/api/tags/search?tagName=a.zelf");
    const zelf::response response = co_await provider.co_send(search);
    std::printf("HTTP %d, %zu bytes\n", response.http_status(), response.body().size());
}

int main(int argc, char **argv)
{
    if (argc < 2) return std::fprintf(stderr, "usage: %s IDENTIFIER [BASE_URL CA_FILE]\n", argv[0]), 2;
    try {
        zelf::config config;
        if (argc > 3) config.base_url(argv[2]).ca_file(argv[3]);
        const zelf::client client(config);
        program(client, argv[1]).end.get();
    } catch (const zelf::error &error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
