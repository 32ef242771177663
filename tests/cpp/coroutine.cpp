// Tests co_await on the calls of zelf.hpp, with and without exceptions.
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include <zelf.hpp>

#include "check.h"

using namespace std::chrono_literals;

static zelf::config sandbox_config()
{
    return zelf::config()
        .base_url(need_env("ZELF_HTTPS"))
        .ca_file(need_env("ZELF_CA"))
        .origin("https://app.example")
        .timeout(20s)
        .max_attempts(1);
}

static zelf::client sandbox() { return *zelf::client::try_make(sandbox_config()); }

/** A coroutine that begins at once and whose end can be awaited from a thread. */
struct task {
    struct promise_type {
        std::promise<void> ended;
        task get_return_object()
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this), ended.get_future()};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        struct at_end {
            bool await_ready() noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> done) noexcept
            {
                // Move it out of the frame, because the owner may destroy the frame after set_value.
                std::promise<void> ended = std::move(done.promise().ended);
                ended.set_value();
            }
            void await_resume() noexcept {}
        };
        at_end final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
    std::future<void> ended;

    task(std::coroutine_handle<promise_type> of, std::future<void> end)
        : handle(of), ended(std::move(end))
    {
    }
    // Some compilers move the result of get_return_object.
    task(task &&other) noexcept
        : handle(std::exchange(other.handle, nullptr)), ended(std::move(other.ended))
    {
    }
    ~task()
    {
        if (handle) handle.destroy();
    }
    bool ends() { return ended.wait_for(10s) == std::future_status::ready; }
};

static zelf::session_options options(const std::string &identifier)
{
    return zelf::session_options().identifier(identifier);
}

static task create(const zelf::client &client, std::string identifier,
                   std::optional<zelf::result<zelf::session>> &outcome,
                   zelf::stop_token stop = {})
{
    outcome.emplace(co_await client.try_co_create(options(identifier), stop));
}

static void a_coroutine_awaits_a_session()
{
    const zelf::client client = sandbox();
    std::optional<zelf::result<zelf::session>> outcome;
    task waits = create(client, "co-x", outcome);
    PROMISE(waits.ends(), "the coroutine resumes");
    PROMISE(outcome && *outcome && (*outcome)->identifier() == "co-x", "co_await is the session");
}

static void an_error_is_a_result()
{
    const zelf::client client = sandbox();
    std::optional<zelf::result<zelf::session>> outcome;
    fault("{\"kind\":\"refusal\",\"as\":\"unavailable\"}");
    task waits = create(client, "co-error-x", outcome);
    PROMISE(waits.ends() && !*outcome && outcome->error().status() == ZELF_ERROR_SERVER,
            "a failed call is an error of the result");
    fault(nullptr);
}

static void a_call_that_cannot_begin_does_not_suspend()
{
    const zelf::client client = sandbox();
    std::optional<zelf::result<zelf::session>> outcome;
    PROMISE(client.shutdown(1s) == ZELF_OK, "the client is shut down");
    task waits = create(client, "co-late-x", outcome);
    PROMISE(outcome && !*outcome && outcome->error().status() == ZELF_ERROR_SHUT_DOWN,
            "the error is there at once");
}

static task where(const zelf::client &client, std::thread::id &resumed)
{
    (void)co_await client.try_co_create(options("co-where-x"));
    resumed = std::this_thread::get_id();
}

static void it_resumes_where_callbacks_run()
{
    const zelf::client client = sandbox();
    std::thread::id resumed;
    {
        task waits = where(client, resumed);
        PROMISE(waits.ends() && resumed != std::this_thread::get_id(),
                "without dispatch a coroutine resumes on a thread of the client");
    }
    const auto dispatched = zelf::client::try_make(sandbox_config().dispatch(true));
    task waits = where(*dispatched, resumed);
    const double until = seconds_now() + 10;
    while (!waits.handle.done() && seconds_now() < until) {
        dispatched->dispatch();
        std::this_thread::yield();
    }
    PROMISE(waits.handle.done() && resumed == std::this_thread::get_id(),
            "with dispatch it resumes on the thread that dispatches");
}

/** Connections to the sandbox that are open. */
static int open_connections()
{
    sandbox("GET", "/sandbox/connections", "");
    const char *open = std::strstr(http_answer, "open\":");
    return open ? std::atoi(open + 6) : -1;
}

static void destroying_a_coroutine_that_waits_cancels_its_call()
{
    const zelf::client client = sandbox();
    std::optional<zelf::result<zelf::session>> outcome;
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    const double began = seconds_now();
    {
        task waits = create(client, "co-gone-x", outcome);
        while (open_connections() < 1 && seconds_now() - began < 5) std::this_thread::yield();
        PROMISE(open_connections() == 1, "the call is under way");
    }
    while (open_connections() > 0 && seconds_now() - began < 10) std::this_thread::yield();
    PROMISE(open_connections() == 0, "its connection is closed, before its time limit");
    PROMISE(client.shutdown(10s) == ZELF_OK, "the client shuts down");
    PROMISE(!outcome, "the coroutine did not resume");
    fault(nullptr);
}

#ifdef __cpp_lib_jthread
static void a_stop_request_cancels_the_call()
{
    const zelf::client client = sandbox();
    std::optional<zelf::result<zelf::session>> outcome;
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    std::stop_source source;
    task waits = create(client, "co-stop-x", outcome, source.get_token());
    PROMISE(!waits.handle.done(), "the call is under way");
    source.request_stop();
    PROMISE(waits.ends() && !*outcome && outcome->error().status() == ZELF_ERROR_CANCELLED,
            "a stop request cancels the call");

    std::optional<zelf::result<zelf::session>> second;
    task late = create(client, "co-stopped-x", second, source.get_token());
    PROMISE(late.ends() && !*second && second->error().status() == ZELF_ERROR_CANCELLED,
            "a stop that was requested before cancels it, too");
    fault(nullptr);
}
#endif

static task get_often(const zelf::session_provider &provider, int times, int &got)
{
    for (int i = 0; i < times; i++) {
        const auto session = co_await provider.try_co_get();
        if (session) got++;
    }
}

static void a_result_may_come_before_the_coroutine_waits()
{
    const zelf::client client = sandbox();
    const auto provider = *zelf::session_provider::try_make(client, options("co-often-x"));
    int got = 0;
    task waits = get_often(provider, 10000, got);
    PROMISE(waits.ends() && got == 10000, "10000 gets of a session that is there: %d", got);
}

static task send_with(const zelf::client &client, const zelf::session &session, int &status)
{
    const zelf::request what("GET", "/sandbox/echo?check=session");
    const auto response = co_await client.try_co_send(what, session);
    status = response ? response->http_status() : 0;
}

static task send(const zelf::session_provider &provider, int &status)
{
    const zelf::request what("GET", "/sandbox/echo?check=session");
    const auto response = co_await provider.try_co_send(what);
    status = response ? response->http_status() : 0;
}

static void a_coroutine_awaits_a_response()
{
    const zelf::client client = sandbox();
    const auto provider = *zelf::session_provider::try_make(client, options("co-send-x"));
    int status = 0;
    task waits = send(provider, status);
    PROMISE(waits.ends() && status == 200, "co_await is the response: %d", status);
    const auto session = client.try_create(options("co-own-x"));
    status = 0;
    task own = send_with(client, *session, status);
    PROMISE(own.ends() && status == 200, "co_await sends with a session of the caller: %d", status);
}

#ifdef __cpp_exceptions
static task catches(const zelf::client &client, const zelf::session_provider &provider,
                    zelf::status &thrown, bool &has_session)
{
    has_session = !(co_await client.co_create(options("co-throws-x"))).token().empty();
    has_session &= !(co_await provider.co_get()).token().empty();
    const zelf::request what("GET", "/sandbox/echo?check=session");
    has_session &= (co_await provider.co_send(what)).http_status() == 200;
    try {
        (void)co_await client.co_create(zelf::session_options().identifier(""));
    } catch (const zelf::error &error) {
        thrown = error.status();
    }
}

static void errors_can_be_exceptions()
{
    const zelf::client client = sandbox();
    const auto provider = *zelf::session_provider::try_make(client, options("co-provider-x"));
    zelf::status thrown = ZELF_OK;
    bool has_session = false;
    task waits = catches(client, provider, thrown, has_session);
    PROMISE(waits.ends() && has_session, "without try_, co_await is the value itself");
    PROMISE(thrown == ZELF_ERROR_INVALID_ARGUMENT, "without try_, co_await throws the error");
}
#endif

int main()
{
    a_coroutine_awaits_a_session();
    an_error_is_a_result();
    a_call_that_cannot_begin_does_not_suspend();
    it_resumes_where_callbacks_run();
    destroying_a_coroutine_that_waits_cancels_its_call();
#ifdef __cpp_lib_jthread
    a_stop_request_cancels_the_call();
#endif
    a_result_may_come_before_the_coroutine_waits();
    a_coroutine_awaits_a_response();
#ifdef __cpp_exceptions
    errors_can_be_exceptions();
#endif
    return check_failed;
}
