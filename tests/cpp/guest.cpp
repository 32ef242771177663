// Tests zelf.hpp in a program with exceptions, futures and threads: each kind of failure,
// many calls at once, memory, and the end of the process.
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>

#include <zelf.hpp>

#include "check.h"
#include "heap.h"

using namespace std::chrono_literals;

#ifdef __SANITIZE_ADDRESS__
// AddressSanitizer reports leaks itself, at the end.
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

static zelf::config sandbox_config()
{
    return zelf::config()
        .base_url(need_env("ZELF_HTTPS"))
        .ca_file(need_env("ZELF_CA"))
        .origin("https://app.example")
        .timeout(60s)
        .max_attempts(1);
}

static zelf::session_options options(const std::string &identifier)
{
    return zelf::session_options().identifier(identifier);
}

static std::future<zelf::session> create(const zelf::client &client, const std::string &identifier)
{
    std::promise<zelf::session> promise;
    std::future<zelf::session> future = promise.get_future();
    (void)client.create_async(options(identifier),
                              [promise = std::move(promise)](zelf::result<zelf::session> came) mutable {
                                  if (came) promise.set_value(*std::move(came));
                                  else promise.set_exception(std::make_exception_ptr(came.error()));
                              });
    return future;
}

/** Returns the error that a session of the blocking and of the asynchronous call throws. */
static zelf::error failure(const zelf::client &client, const std::string &identifier)
{
    std::optional<zelf::error> thrown, told;
    try {
        (void)client.create(options(identifier));
    } catch (const zelf::error &error) {
        thrown = error;
    }
    try {
        (void)create(client, identifier).get();
    } catch (const zelf::error &error) {
        told = error;
    }
    PROMISE(thrown && told, "the call throws a zelf::error, and so does a std::future of it");
    if (!thrown || !told) std::exit(1);
    PROMISE(thrown->status() == told->status(), "both have the status %s",
            std::string(zelf::status_name(thrown->status())).c_str());
    return *std::move(thrown);
}

static void each_failure_is_an_error_with_its_status()
{
    const zelf::client client(sandbox_config());
    fault("{\"kind\":\"answer\",\"status\":403,\"error\":\"rejected\"}");
    const auto rejected = failure(client, "guest-rejected-x");
    PROMISE(rejected.status() == ZELF_ERROR_REJECTED_ORIGIN,
            "a rejected origin is ZELF_ERROR_REJECTED_ORIGIN");
    PROMISE(rejected.http_status() == 403 && rejected.server_message() == "rejected",
            "its error has the server's status and words");
    PROMISE(!rejected.is_retryable(), "it is not retryable");

    fault("{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"7\"}}");
    const auto limited = failure(client, "guest-limited-x");
    PROMISE(limited.status() == ZELF_ERROR_RATE_LIMITED && limited.retry_after() == 7s,
            "a rate limit has the time until the next attempt");

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    const auto late = failure(zelf::client(sandbox_config().timeout(200ms)), "guest-late-x");
    PROMISE(late.status() == ZELF_ERROR_TIMEOUT && late.is_retryable(),
            "a server that does not answer is ZELF_ERROR_TIMEOUT");
    PROMISE(late.http_status() == 0, "without an answer there is no HTTP status");
    fault(nullptr);

    std::optional<zelf::status> refused;
    try {
        (void)client.create(options(""));
    } catch (const std::exception &error) {
        const auto *own = dynamic_cast<const zelf::error *>(&error);
        if (own && std::strstr(own->what(), "identifier")) refused = own->status();
    }
    PROMISE(refused == ZELF_ERROR_INVALID_ARGUMENT,
            "an invalid argument is a std::exception that names it");
}

static void an_untrusted_server_gets_no_request()
{
    const zelf::client client(sandbox_config().ca_file(need_env("ZELF_OTHER_CA")));
    forget_requests();
    const auto untrusted = failure(client, "guest-untrusted-x");
    PROMISE(untrusted.status() == ZELF_ERROR_TLS && !untrusted.is_retryable(),
            "a certificate of another authority is ZELF_ERROR_TLS: %s", untrusted.what());
    PROMISE(requests_arrived() == 0, "its server gets no request");
}

static void twenty_calls_run_at_once()
{
    const zelf::client client(sandbox_config());
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    forget_requests();
    std::vector<zelf::call> calls;
    std::vector<std::future<zelf::status>> ends;
    for (int i = 0; i < 20; i++) {
        std::promise<zelf::status> promise;
        ends.push_back(promise.get_future());
        calls.push_back(client.create_async(
            options("guest-held-x-" + std::to_string(i)),
            [promise = std::move(promise)](zelf::result<zelf::session> came) mutable {
                promise.set_value(came ? ZELF_OK : came.error().status());
            }));
    }
    const double began = seconds_now();
    while (requests_arrived() < 20 && seconds_now() - began < AT_ONCE) std::this_thread::yield();
    PROMISE(requests_arrived() == 20, "twenty calls are at the server at the same time");
    fault(nullptr);
    for (const auto &call : calls) call.cancel();
    int cancelled = 0;
    for (auto &end : ends) cancelled += end.get() == ZELF_ERROR_CANCELLED;
    PROMISE(cancelled == 20, "each of them can be cancelled: %d", cancelled);

    std::vector<std::future<zelf::session>> futures;
    for (int i = 0; i < 20; i++) futures.push_back(create(client, "guest-many-x-" + std::to_string(i)));
    int right = 0;
    for (int i = 0; i < 20; i++)
        right += futures[size_t(i)].get().identifier() == "guest-many-x-" + std::to_string(i);
    PROMISE(right == 20, "twenty futures have their own session each: %d", right);
}

static void twenty_threads_share_a_provider()
{
    const zelf::client client(sandbox_config());
    const zelf::session_provider provider(client, options(zelf::random_identifier()));
    forget_requests();
    std::vector<std::future<std::string>> tokens;
    for (int i = 0; i < 20; i++)
        tokens.push_back(std::async(std::launch::async, [&provider] {
            const zelf::session session = provider.get();
            return std::string(session.token());
        }));
    const std::string first = tokens[0].get();
    int same = 1;
    for (size_t i = 1; i < 20; i++) same += tokens[i].get() == first;
    PROMISE(same == 20 && !first.empty(), "twenty threads get the same session: %d", same);
    // On a slow machine a get may have to confirm the session.
    PROMISE(requests_arrived() <= 2, "one of them creates it, and one may confirm it");
}

static void make_older(const std::string &identifier, int seconds)
{
    const std::string age = "{\"identifier\":\"" + identifier + "\",\"seconds\":" + std::to_string(seconds) + "}";
    sandbox("POST", "/sandbox/age", age.c_str());
}

static void a_session_that_ends_is_renewed()
{
    const zelf::client client(sandbox_config());
    const std::string identifier = zelf::random_identifier();
    const zelf::session before = client.create(options(identifier));
    make_older(identifier, 592);
    const zelf::session_provider provider(client, options(identifier),
                                          zelf::provider_options().min_valid(6s));
    const double began = seconds_now();
    const zelf::session first = provider.get();
    // A busy machine may take longer than the session still has.
    if (seconds_now() - began < 1)
        PROMISE(first.id() == before.id() && first.time_left() <= 8s,
                "a provider takes the session that the server still has");
    while (first.time_left() >= 6s) std::this_thread::sleep_for(10ms);
    const zelf::session second = provider.get();
    PROMISE(second.token() != first.token() && second.id() != first.id(),
            "a provider renews a session that is about to end");
    PROMISE(second.time_left() > 590s, "the new session lasts");
    const zelf::response answer = provider.send(zelf::request("GET", "/sandbox/echo?check=session"));
    PROMISE(answer.http_status() == 200, "the server accepts the new session");

    const std::string expired = zelf::random_identifier();
    const zelf::session old = client.create(options(expired));
    make_older(expired, 601);
    const zelf::session_provider later(client, options(expired));
    std::promise<zelf::session> promise;
    (void)later.get_async([&](zelf::result<zelf::session> came) { promise.set_value(std::move(came).value()); });
    const zelf::session fresh = promise.get_future().get();
    PROMISE(fresh.token() != old.token() && fresh.time_left() > 590s,
            "an asynchronous get replaces a session that has expired");
}

static void create_often(const zelf::client &client, int times)
{
    for (int done = 0; done < times; done += 20) {
        std::vector<std::future<zelf::session>> futures;
        // Equal calls would share a request.
        for (int i = 0; i < 20; i++)
            futures.push_back(create(client, "guest-often-x-" + std::to_string(i)));
        for (auto &future : futures) (void)future.get();
    }
}

static void many_creations_leave_memory_and_descriptors_flat()
{
    const zelf::client client(sandbox_config());
    const int creations = is_sanitized ? 1000 : 10000;
    create_often(client, creations / 10);
    const size_t heap = heap_in_use();
    const int descriptors = entries("/proc/self/fd"), threads = threads_alive();
    const double began = seconds_now();
    create_often(client, creations);
    const long more = long(heap_in_use()) - long(heap);
    if (!is_sanitized)
        PROMISE(more < 100 * creations, "%d creations leave the heap as it was: %ld bytes more", creations, more);
    // Twenty calls have at most as many connections, and may have had fewer before.
    PROMISE(entries("/proc/self/fd") <= descriptors + 20 && threads_alive() <= threads,
            "%d creations leave no descriptor and no thread: %.1f s", creations, seconds_now() - began);
}

/** Begins calls that the server does not answer. Returns whether it has them all. */
static bool begin_calls(const zelf::client &client)
{
    for (int i = 0; i < 20; i++)
        (void)client.create_async(options("guest-last-x-" + std::to_string(i)),
                                  [owned = std::make_unique<int>(i)](zelf::result<zelf::session>) {});
    const double began = seconds_now();
    while (requests_arrived() < 20 && seconds_now() - began < AT_ONCE) std::this_thread::yield();
    return requests_arrived() == 20;
}

struct ends_with_the_process {
    std::optional<zelf::client> client;
    std::optional<zelf::session_provider> provider;
};
static ends_with_the_process global;

/** Ends this process in one of these ways, after the time was printed. */
static int end(const std::string &way)
{
    std::optional<zelf::client> client(sandbox_config());
    if (!begin_calls(*client)) return 1;
    if (way == "global") {
        global.provider.emplace(*client, options("guest-kept-x"),
                                zelf::provider_options().background(true));
        global.client = std::move(client);
        client.reset();
    } else if (way == "shutdown") {
        (void)client->shutdown(0ms);
    }
    std::printf("%f\n", seconds_now());
    std::fflush(stdout);
    if (way == "exit") std::exit(0); // destroys no local object
    return 0;
}

/** Runs this program again. Returns how long it took to end, or -1 if its status was not 0. */
static double seconds_to_end(const char *program, const char *way)
{
    forget_requests();
    const std::string command = "'" + std::string(program) + "' " + way;
    FILE *output = popen(command.c_str(), "r");
    double began = 0;
    const bool is_read = output && std::fscanf(output, "%lf", &began) == 1;
    const int status = output ? pclose(output) : -1;
    return is_read && status == 0 ? seconds_now() - began : -1;
}

static void the_process_ends_with_calls_under_way(const char *program)
{
    const std::pair<const char *, const char *> ways[] = {
        {"return", "main returns, and the client is destroyed"},
        {"exit", "exit is called, and the client is not destroyed"},
        {"global", "the client and a provider are global objects"},
        {"shutdown", "the client was shut down without a wait"},
    };
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (const auto &[way, sentence] : ways) {
        double took = 0;
        for (int i = 0; i < MEASUREMENTS; i++) {
            took = seconds_to_end(program, way);
            if (took < 2) break;
        }
        PROMISE(took >= 0 && took < 2, "a process with calls under way ends with status 0, within 2 s: %s: %.1f s",
                sentence, took);
    }
    fault(nullptr);
}

int main(int argc, char **argv)
{
    if (argc > 1) return end(argv[1]);
    each_failure_is_an_error_with_its_status();
    an_untrusted_server_gets_no_request();
    twenty_calls_run_at_once();
    twenty_threads_share_a_provider();
    a_session_that_ends_is_renewed();
    many_creations_leave_memory_and_descriptors_flat();
    the_process_ends_with_calls_under_way(argv[0]);
    return check_failed;
}
