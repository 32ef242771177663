// Tests zelf.hpp, with and without exceptions.
#include <csignal>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <sys/wait.h>

// curses.h defines this macro.
#define timeout(delay) wtimeout(stdscr, delay)
#include <zelf.hpp>
#undef timeout

#include "check.h"

using namespace std::chrono_literals;

static zelf::config sandbox_config()
{
    return zelf::config()
        .base_url(need_env("ZELF_HTTPS"))
        .ca_file(need_env("ZELF_CA"))
        .origin("https://app.example")
        .timeout(5s)
        .connect_timeout(2s)
        .max_attempts(1);
}

static zelf::client sandbox()
{
    auto made = zelf::client::try_make(sandbox_config());
    PROMISE(bool(made), "a client is made of chained settings");
    return *std::move(made);
}

static void sessions_are_values()
{
    const zelf::client client = sandbox();
    const double began = seconds_now();
    auto created = client.try_create(
        zelf::session_options().identifier("cpp-x").type(ZELF_SESSION_TYPE_IMPORT_WALLET).domain("avax"));
    PROMISE(bool(created), "a session is created");
    PROMISE(created->identifier() == "cpp-x", "a session has its identifier");
    PROMISE(created->id().has_value(), "a session has its id");
    PROMISE(created->domain() == "avax", "a session has its domain");
    PROMISE(!created->tag_name(), "a missing tag name is std::nullopt");
    PROMISE(!created->eth_address(), "a missing address is std::nullopt");
    PROMISE(created->authorization() == "Bearer " + std::string(created->token()),
            "the authorization is Bearer and the token");
    const auto left = created->time_left();
    PROMISE(left <= 600s && double(left.count()) >= 598 - (seconds_now() - began),
            "the time left is a duration: %ld s", long(left.count()));
    PROMISE(created->expires_at() - created->activated_at() == 600s,
            "the beginning and the end are time points");
    fault("{\"kind\":\"patch\",\"body\":{\"data\":{\"expiresAt\":253402300799}}}");
    const auto lasting = client.try_create();
    fault(nullptr);
    PROMISE(lasting && lasting->expires_at().time_since_epoch().count() == 253402300799,
            "the last second of the year 9999 is a time too");
    zelf::session moved = *std::move(created);
    std::vector<zelf::session> kept;
    kept.push_back(std::move(moved));
    PROMISE(!kept[0].token().empty() && !moved.get(), "a session can be moved");
    static_assert(!std::is_copy_constructible_v<zelf::session>
                      && !std::is_copy_constructible_v<zelf::client>
                      && std::is_nothrow_move_constructible_v<zelf::client>
                      && std::is_copy_constructible_v<zelf::error>,
                  "objects own what they hold");
}

static void settings_in_a_row_outlive_their_statement()
{
    const auto log = [](zelf_log_level, std::string_view) {};
    static_assert(std::is_same_v<decltype(zelf::config().base_url("")), zelf::config>
                      && std::is_same_v<decltype(zelf::config().on_log(ZELF_LOG_ERROR, log)), zelf::config>
                      && std::is_same_v<decltype(zelf::session_options().domain("")),
                                        zelf::session_options>,
                  "a chain that begins with a temporary returns an object, and no reference");
    auto &&settings = zelf::config().base_url(need_env("ZELF_HTTPS")).ca_file(need_env("ZELF_CA"));
    auto &&options = zelf::session_options().identifier("cpp-row-x").type(ZELF_SESSION_TYPE_GENERAL);
    const auto created = (*zelf::client::try_make(settings)).try_create(options);
    PROMISE(created && created->identifier() == "cpp-row-x", "chained settings can be kept by reference");
}

static void failures_are_values()
{
    const zelf::client client = sandbox();
    fault("{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"missing\"}");
    auto refused = client.try_create();
    fault(nullptr);
    PROMISE(!refused, "a call that fails has no session");
    PROMISE(refused.error().status() == ZELF_ERROR_VALIDATION, "an error has its status");
    PROMISE(refused.error().http_status() == 409, "an error has its HTTP status");
    PROMISE(refused.error().server_message() == "missing", "an error has the server's words");
    PROMISE(!refused.error().is_retryable(), "an error says whether it is retryable");
    PROMISE(refused.error().retry_after() == 0ms, "without a Retry-After the wait is 0 ms");
    PROMISE(refused.error().what()[0] != '\0', "an error has a message: %s", refused.error().what());
    fault("{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"99999999999999999999999\"}}");
    const auto busy = client.try_create();
    fault(nullptr);
    PROMISE(!busy && busy.error().retry_after() == std::chrono::hours(24 * 365 * 100),
            "a Retry-After that is too large is 100 years");
    zelf::error copy = refused.error();
    PROMISE(zelf::status_name(copy.status()) == "ZELF_ERROR_VALIDATION", "an error can be copied");

    auto no_client = zelf::client::try_make(zelf::config().base_url(std::string("https://a\0b", 11)));
    PROMISE(!no_client && no_client.error().status() == ZELF_ERROR_INVALID_CONFIG,
            "a NUL inside a text is refused, not cut off: %s", no_client.error().what());
    auto no_trust = zelf::client::try_make(zelf::config().ca_pem(std::string_view()));
    PROMISE(!no_trust && no_trust.error().status() == ZELF_ERROR_INVALID_CONFIG,
            "empty certificates are refused, and not the system's: %s", no_trust.error().what());
}

// In C, NULL stands for the defaults, so a moved-from object would mean another server or session.
static void objects_that_were_moved_from_are_refused()
{
    auto base = sandbox_config();
    const auto mine = std::move(base).max_attempts(2);
    auto no_client = zelf::client::try_make(base);
    PROMISE(!no_client && no_client.error().status() == ZELF_ERROR_INVALID_ARGUMENT,
            "a config that was moved from makes no client: %s", no_client.error().what());

    const zelf::client client = *zelf::client::try_make(mine);
    auto ours = zelf::session_options().identifier("cpp-x");
    const auto derived = std::move(ours).domain("avax");
    forget_requests();
    auto refused = client.try_create(ours);
    auto refused_async = client.try_create_async(ours, [](zelf::result<zelf::session>) {});
    const zelf::error copy = refused.error();
    PROMISE(!refused, "options that were moved from create no session");
    PROMISE(copy.status() == ZELF_ERROR_INVALID_ARGUMENT,
            "they are ZELF_ERROR_INVALID_ARGUMENT: %s", copy.what());
    PROMISE(!refused_async, "options that were moved from begin no call");
    PROMISE(refused_async.error().status() == ZELF_ERROR_INVALID_ARGUMENT,
            "they are ZELF_ERROR_INVALID_ARGUMENT for a call, too");
    PROMISE(requests_arrived() == 0, "options that were moved from make no request");
    PROMISE(client.try_create() && client.try_create(derived), "missing options are the defaults");

    zelf::session session = *client.try_create(derived);
    const zelf::session taken = std::move(session);
    PROMISE(!taken.token().empty(), "a session that was moved has its token");
    PROMISE(session.token().empty(), "a session that was moved from has no token");
    PROMISE(session.authorization().empty(), "a session that was moved from has no authorization");
    PROMISE(!session.id(), "a session that was moved from has no id");
    PROMISE(session.time_left() == 0s, "a session that was moved from has no time left");
}

static void callbacks_are_lambdas()
{
    const zelf::client client = sandbox();
    std::promise<std::string> told;
    // The callback can only be moved, like many types that own something.
    auto started = client.try_create_async(
        zelf::session_options().identifier("cpp-async-x"),
        [owned = std::make_unique<int>(7), &told](zelf::result<zelf::session> created) {
            told.set_value(created && *owned == 7 ? std::string(*created->identifier()) : "none");
        });
    PROMISE(started && told.get_future().get() == "cpp-async-x", "a callback is a lambda that can only be moved");

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    std::promise<zelf::status> ended;
    auto cancelled = client.try_create_async({}, [&](zelf::result<zelf::session> created) {
        ended.set_value(created ? ZELF_OK : created.error().status());
    });
    cancelled->cancel();
    PROMISE(ended.get_future().get() == ZELF_ERROR_CANCELLED, "a call can be cancelled");
    fault(nullptr);

    PROMISE(client.shutdown(20s) == ZELF_OK, "a client can be shut down");
    auto alive = std::make_shared<int>(1);
    auto refused = client.try_create_async({}, [alive](zelf::result<zelf::session>) {});
    PROMISE(!refused, "after a shutdown no call begins");
    PROMISE(refused.error().status() == ZELF_ERROR_SHUT_DOWN, "the status is ZELF_ERROR_SHUT_DOWN");
    PROMISE(alive.use_count() == 1, "the lambda of a call that did not begin is destroyed");
}

static zelf::session_provider provider(const std::string &identifier,
                                       const zelf::provider_options &keeping = {})
{
    // It may outlive its client.
    const zelf::client client = sandbox();
    auto made = zelf::session_provider::try_make(
        client, zelf::session_options().identifier(identifier), keeping);
    PROMISE(bool(made), "a provider is made of a client and options");
    return *std::move(made);
}

static void a_provider_hands_out_sessions()
{
    const zelf::client client = sandbox();
    const std::string identifier = zelf::random_identifier();
    auto made = zelf::session_provider::try_make(
        client, zelf::session_options().identifier(identifier));
    zelf::session_provider keeps = *std::move(made);
    forget_requests();
    const auto first = keeps.try_get();
    const auto second = keeps.try_get();
    PROMISE(first && second, "a provider hands out sessions");
    PROMISE(first->identifier() == identifier, "they have its identifier");
    PROMISE(second->token() == first->token(), "two gets have the same session");
    PROMISE(requests_arrived() == 1, "two gets make one request");
    std::promise<std::string> told;
    auto started = keeps.try_get_async(
        [owned = std::make_unique<int>(7), &told](zelf::result<zelf::session> got) {
            told.set_value(got && *owned == 7 ? std::string(got->token()) : "none");
        });
    PROMISE(started && told.get_future().get() == first->token(), "an asynchronous get gives it to a lambda");
    PROMISE(!keeps.last_error(), "a provider that has not failed has no last error");
    const zelf::session_provider moved = std::move(keeps);
    auto nothing = keeps.try_get();
    PROMISE(bool(moved.try_get()), "a provider can be moved");
    PROMISE(!nothing, "a provider that was moved from has no session");
    PROMISE(nothing.error().status() == ZELF_ERROR_INVALID_ARGUMENT,
            "a get of it is ZELF_ERROR_INVALID_ARGUMENT");
    PROMISE(!keeps.last_error(), "a provider that was moved from has no last error");
    PROMISE(!keeps.invalidate(*first), "a provider that was moved from has no session to refuse");
    PROMISE(!keeps.try_get_async([](zelf::result<zelf::session>) {}),
            "a provider that was moved from begins no get");
    static_assert(!std::is_copy_constructible_v<zelf::session_provider>
                      && std::is_nothrow_move_constructible_v<zelf::session_provider>,
                  "a provider owns what it holds");
    PROMISE(client.shutdown(20s) == ZELF_OK && moved.try_get(),
            "after a shutdown a provider hands out the session that it has");
}

static void a_refused_session_is_replaced()
{
    const std::string identifier = zelf::random_identifier();
    const zelf::client client = sandbox();
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier(identifier));
    const auto first = keeps.try_get();
    sandbox("POST", "/sandbox/use", ("{\"identifier\":\"" + identifier + "\"}").c_str());
    PROMISE(route_status(std::string(first->authorization()).c_str()) == 403,
            "a route refuses a session that is used up");
    PROMISE(!keeps.invalidate_if_refused(*first, 403, "{\"validationError\":\"Search limit exceeded\"}"),
            "an answer about a quota does not refuse it");
    PROMISE(keeps.invalidate(*first), "the first report of it is news");
    PROMISE(!keeps.invalidate(*first), "the second report is not");
    PROMISE(keeps.invalidate_if_refused(*first, 403, "{\"validationError\":\"Session is not active\"}"),
            "the answer that refuses it is to be repeated");
    const auto second = keeps.try_get();
    PROMISE(bool(second), "the next get has a session");
    PROMISE(second->id() != first->id(), "it is a new session");
    PROMISE(route_status(std::string(second->authorization()).c_str()) == 200, "the route accepts it");
}

static void a_failed_renewal_is_the_last_error()
{
    const zelf::client client = sandbox();
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier(zelf::random_identifier()));
    fault("{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"30\"}}");
    const double began = seconds_now();
    const auto refused = keeps.try_get();
    fault(nullptr);
    const auto last = keeps.last_error();
    PROMISE(!refused && refused.error().status() == ZELF_ERROR_RATE_LIMITED,
            "a get that is refused has its error");
    PROMISE(last.has_value(), "after that there is a last error");
    PROMISE(last->status() == ZELF_ERROR_RATE_LIMITED, "it is the same: %s", last->what());
    const auto wait = last->retry_after();
    PROMISE(wait <= 30s && double(wait.count()) >= 29000 - (seconds_now() - began) * 1000,
            "it has what is left of the Retry-After: %ld ms", long(wait.count()));
}

static void renewals_call_a_lambda()
{
    auto alive = std::make_shared<int>(1);
    std::vector<std::string> renewed;
    {
        auto keeping = zelf::provider_options().on_renewed(
            [alive, owned = std::make_unique<int>(7), &renewed](zelf::session_view session) {
                renewed.emplace_back(session.token());
                if (session.time_left() <= 590s || *owned != 7) renewed.emplace_back("odd");
            });
        const auto keeps = provider(zelf::random_identifier(), keeping);
        keeping = zelf::provider_options();
        PROMISE(!keeps.try_get() && renewed.empty(), "a provider whose client has gone makes no session");

        const zelf::client client = sandbox();
        const auto works = *zelf::session_provider::try_make(
            client, zelf::session_options().identifier(zelf::random_identifier()),
            zelf::provider_options().on_renewed([&renewed](const zelf::session_view &session) {
                renewed.emplace_back(session.token());
            }));
        const auto got = works.try_get();
        (void)works.try_get();
        PROMISE(bool(got), "a provider with a renewed callback has a session");
        PROMISE(renewed.size() == 1, "a new session calls the lambda once: %d", int(renewed.size()));
        PROMISE(renewed[0] == got->token(), "the lambda is given that session");
        PROMISE(alive.use_count() == 2, "the lambda lives as long as the provider");
    }
    PROMISE(alive.use_count() == 1, "the lambda is destroyed with the last provider");

    zelf::provider_options options;
    const auto taken = std::move(options);
    options.on_renewed([alive](zelf::session_view) {});
    PROMISE(alive.use_count() == 1, "options that were moved from keep no lambda");

    static_assert(std::is_convertible_v<const zelf::session &, zelf::session_view>
                      && !std::is_constructible_v<zelf::session, zelf::session_view>
                      && !std::is_constructible_v<zelf::session, const zelf_session *>
                      && std::is_trivially_copyable_v<zelf::session_view>,
                  "what is borrowed cannot become what is owned");
}

static void a_providers_options_are_checked_by_the_library()
{
    const zelf::client client = sandbox();
    const auto refusal = [&](const zelf::provider_options &keeping) {
        auto made = zelf::session_provider::try_make(
            client, zelf::session_options().identifier("cpp-refused-x"), keeping);
        const bool is_refused = !made && made.error().status() == ZELF_ERROR_INVALID_ARGUMENT;
        return is_refused ? std::string(made.error().what()) : std::string();
    };
    const auto names = [](const std::string &message, const char *what) {
        return message.find(what) != std::string::npos;
    };
    PROMISE(names(refusal(zelf::provider_options().min_valid(std::chrono::seconds((1LL << 32) + 5))),
                  "4294967295 s"),
            "seconds that the C API cannot hold are refused, not cut off");
    PROMISE(refusal(zelf::provider_options().min_valid(-1s)).empty(), "negative seconds are 0");
    PROMISE(names(refusal(zelf::provider_options().renewal(7)), "renewal policy"),
            "a policy that does not exist is refused");
    PROMISE(names(refusal(zelf::provider_options().directory(std::string_view("/tmp\0x", 6))),
                  "directory"),
            "a NUL inside a directory is refused");
    auto no_identifier = zelf::session_provider::try_make(client, zelf::session_options());
    PROMISE(!no_identifier && no_identifier.error().status() == ZELF_ERROR_INVALID_ARGUMENT,
            "a provider needs an identifier");

    zelf::provider_options keeping;
    auto row = std::move(keeping).renewal(ZELF_RENEWAL_EARLY).min_valid(9s).background(false);
    PROMISE(names(refusal(keeping), "moved from") && refusal(row).empty(),
            "options that were moved from make no provider");
    zelf::session_options asked;
    const auto taken = std::move(asked);
    auto no_options = zelf::session_provider::try_make(client, asked);
    PROMISE(!no_options && names(no_options.error().what(), "moved from"),
            "session options that were moved from make no provider");
}

static void a_stored_session_is_found_again()
{
    const std::string identifier = zelf::random_identifier();
    const auto keeping = zelf::provider_options().directory(need_env("XDG_RUNTIME_DIR"));
    const zelf::client client = sandbox();
    const auto get = [&] {
        const auto keeps = *zelf::session_provider::try_make(
            client, zelf::session_options().identifier(identifier).confirm(true), keeping);
        auto got = keeps.try_get();
        return got ? std::string(got->token()) : std::string();
    };
    const std::string first = get();
    forget_requests();
    PROMISE(!first.empty(), "a provider with a directory has a session");
    PROMISE(get() == first, "the next provider has the same session");
    PROMISE(requests_arrived() == 0, "the next provider makes no request");
}

// A search, which the sandbox answers with 100000 bytes.
static zelf::request search() { return {"GET", "/api/tags/search?tagName=a.zelf"}; }

static void a_request_is_sent_as_it_was_made()
{
    using namespace std::string_view_literals;
    const zelf::client client = sandbox();
    const auto echoed = client.try_send(
        zelf::request("POST", "/sandbox/echo").body("a\0b"sv, "text/x-mine").header("X-One", "1"));
    PROMISE(echoed && echoed->http_status() == 200, "a request has a response");
    PROMISE(echoed->body() == "a\0b"sv, "a body is sent and received with its NULs");
    PROMISE(echoed->body().data()[3] == '\0', "a NUL follows the body");
    PROMISE(echoed->header("CONTENT-type") == "text/x-mine", "a header is found in any case");
    PROMISE(!echoed->header("X-None"), "a missing header is std::nullopt");
    PROMISE(!echoed->server_message(), "a 200 has no words of the server's");
    zelf::request changed("POST", "/sandbox/echo");
    changed.header("X-One", "1").header("X-Two", std::nullopt).header("x-one", std::nullopt);
    sandbox("DELETE", "/sandbox/requests", "");
    const auto empty = client.try_send(changed.body(std::string_view(), "text/x-empty"));
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(empty && empty->body().empty(), "an empty body comes back empty");
    PROMISE(std::strstr(http_answer, "text/x-empty") != nullptr, "the type of an empty body is sent");
    PROMISE(!strcasestr(http_answer, "x-one"), "a header that was removed is not sent");
    PROMISE(!strcasestr(http_answer, "bearer"), "without a session no token is sent");
    const auto none = client.try_send(changed.body(std::nullopt));
    PROMISE(none && none->header("content-type") != "text/x-empty", "a body can be removed");

    zelf::response moved = *client.try_send(zelf::request("GET", "/sandbox/bytes/3"));
    const zelf::response taken = std::move(moved);
    PROMISE(taken.body() == "\0\1\2"sv, "a response can be moved");
    PROMISE(moved.http_status() == 0, "a response that was moved from has no HTTP status");
    PROMISE(moved.body().empty(), "a response that was moved from has no body");
    PROMISE(!moved.header("date"), "a response that was moved from has no header");
    static_assert(!std::is_copy_constructible_v<zelf::request>
                      && !std::is_copy_constructible_v<zelf::response>
                      && std::is_nothrow_move_constructible_v<zelf::request>
                      && std::is_nothrow_move_constructible_v<zelf::response>
                      && std::is_same_v<decltype(search().header("a", "b").body("").repeatable(true)),
                                        zelf::request>,
                  "requests and responses own what they hold");
}

static void a_provider_sends_requests()
{
    const zelf::client client = sandbox();
    const std::string identifier = zelf::random_identifier();
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier(identifier));
    const auto found = keeps.try_send(search());
    PROMISE(found && found->http_status() == 200, "a provider sends a request with its session");
    PROMISE(found->body().size() == 100000, "the response has the length of the body");
    PROMISE(found->body().find("GET /api/tags/search?tagName=a.zelf") != std::string_view::npos,
            "the body is that of the target");
    PROMISE(found->header("content-type").has_value(), "the response has its headers");

    const zelf::request checked("GET", "/api/zelf-name-service/v2/search?zelfName=abc.zelf");
    const auto session = keeps.try_get();
    const auto accepted = client.try_send(checked, *session);
    sandbox("POST", "/sandbox/use", ("{\"identifier\":\"" + identifier + "\"}").c_str());
    const auto refused = client.try_send(checked, *session);
    PROMISE(accepted && accepted->http_status() == 200, "a client sends a request with a session");
    PROMISE(refused && refused->http_status() == 403,
            "a client does not renew a session: the refusal is a response");
    PROMISE(refused->server_message() == "Session is not active",
            "the refusal has the server's words");
    PROMISE(keeps.try_send(checked)->http_status() == 200 && keeps.try_get()->id() != session->id(),
            "a provider renews the session that was refused");

    std::promise<std::size_t> told;
    auto started = keeps.try_send_async(
        search(), [owned = std::make_unique<int>(7), &told](zelf::result<zelf::response> came) {
            told.set_value(came && *owned == 7 ? came->body().size() : 0);
        });
    PROMISE(started && told.get_future().get() == 100000, "an asynchronous request gives its response to a lambda");

    std::promise<int> own;
    auto current = keeps.current();
    // After a while a get has to confirm a new session. On a slow machine this is now.
    for (int i = 0; i < MEASUREMENTS && !current; i++) {
        (void)keeps.try_get();
        current = keeps.current();
    }
    PROMISE(current.has_value(), "a session that is there is the current one");
    const auto once = client.try_send_async(checked, *current, [&](zelf::result<zelf::response> came) {
        own.set_value(came ? came->http_status() : 0);
    });
    PROMISE(once && own.get_future().get() == 200, "an asynchronous request has the caller's session");
    std::promise<int> bare;
    const auto without = client.try_send_async(checked, [&](zelf::result<zelf::response> came) {
        bare.set_value(came ? came->http_status() : 0);
    });
    PROMISE(without && bare.get_future().get() == 401, "without a session it has no token");

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/tags/search\"}");
    std::promise<zelf::status> ended;
    auto cancelled = keeps.try_send_async(search(), [&](zelf::result<zelf::response> came) {
        ended.set_value(came ? ZELF_OK : came.error().status());
    });
    cancelled->cancel();
    PROMISE(ended.get_future().get() == ZELF_ERROR_CANCELLED, "an asynchronous request can be cancelled");
    fault(nullptr);
    PROMISE(client.shutdown(5s) == ZELF_OK, "a client that has sent can be shut down");
}

static void a_request_has_its_limits()
{
    const zelf::client client = *zelf::client::try_make(sandbox_config().max_attempts(2));
    const auto failure = [&](const zelf::request &what) {
        const auto came = client.try_send(what);
        return came ? ZELF_OK : came.error().status();
    };
    PROMISE(failure(zelf::request("GET", "/sandbox/bytes/11").max_response_bytes(10))
                    == ZELF_ERROR_RESPONSE_TOO_LARGE
                && failure(zelf::request("GET", "/sandbox/bytes/10").max_response_bytes(10)) == ZELF_OK,
            "a response may be as long as the request allows");
    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
    PROMISE(failure((zelf::request("GET", "/sandbox/echo").timeout)(100ms)) == ZELF_ERROR_TIMEOUT,
            "a request has its own time limit");
    const auto posted = [&](bool repeatable) {
        fault("{\"kind\":\"refusal\",\"as\":\"unavailable\",\"times\":1}");
        return client.try_send(zelf::request("POST", "/sandbox/echo").repeatable(repeatable))
            ->http_status();
    };
    PROMISE(posted(true) == 200 && posted(false) == 503, "a POST goes out again only if it may");
    fault(nullptr);
}

static void a_request_that_cannot_be_sent_is_refused()
{
    const zelf::client client = sandbox();
    zelf::session session = *client.try_create(zelf::session_options().identifier("cpp-send-x"));
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier("cpp-send-x"));
    const auto refusal = [](const zelf::result<zelf::response> &came) {
        const bool is_refused = !came && came.error().status() == ZELF_ERROR_INVALID_ARGUMENT;
        return is_refused ? std::string(came.error().what()) : std::string();
    };
    const auto names = [](const std::string &message, const char *what) {
        return message.find(what) != std::string::npos;
    };
    sandbox("DELETE", "/sandbox/requests", "");
    PROMISE(names(refusal(client.try_send({"GET", "search"})), "target"),
            "a bad target is refused by name");
    PROMISE(names(refusal(client.try_send({"GET", {"/\0x", 3}})), "target"),
            "a NUL inside a target is refused by name");
    PROMISE(names(refusal(client.try_send({{"G\0T", 3}, "/"})), "method"),
            "a NUL inside a method is refused by name");
    PROMISE(names(refusal(client.try_send(search().header("X-Mine", std::string_view("a\0b", 3)))),
                  "X-Mine"),
            "a NUL inside a header is refused by name");
    PROMISE(names(refusal(client.try_send(search().header("Host", "a.test"))), "Host"),
            "a header of the library's is refused by name");
    PROMISE(names(refusal(client.try_send(search().body("", "a\nb"))), "Content-Type"),
            "a bad type of a body is refused by name");
    zelf::request moved = search();
    const zelf::request taken = std::move(moved);
    moved.header("X-One", "1").body("x").repeatable(true);
    const auto never = [](zelf::result<zelf::response>) {};
    PROMISE(names(refusal(client.try_send(moved)), "moved from"),
            "a request that was moved from is not sent without a session");
    PROMISE(names(refusal(client.try_send(moved, session)), "moved from"),
            "a request that was moved from is not sent with a session");
    PROMISE(names(refusal(keeps.try_send(moved)), "moved from"),
            "a request that was moved from is not sent by a provider");
    PROMISE(!keeps.try_send_async(moved, never),
            "a request that was moved from is not sent asynchronously");
    const zelf::session kept = std::move(session);
    PROMISE(names(refusal(client.try_send(taken, session)), "moved from"),
            "a request with a session that was moved from is not sent");
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(!std::strstr(http_answer, "\"/api/tags"), "none of these requests has arrived");
    PROMISE(bool(client.try_send(taken, kept)), "the moved request and session can be sent");

    auto alive = std::make_shared<int>(1);
    auto not_begun = keeps.try_send_async({"GET", "search"},
                                          [alive](zelf::result<zelf::response>) {});
    PROMISE(!not_begun, "a request that cannot be sent does not begin");
    PROMISE(not_begun.error().status() == ZELF_ERROR_INVALID_ARGUMENT,
            "its status is ZELF_ERROR_INVALID_ARGUMENT");
    PROMISE(alive.use_count() == 1, "its lambda is destroyed");
}

static void the_log_is_a_lambda()
{
    auto lines = std::make_shared<std::vector<std::string>>();
    {
        auto made = zelf::client::try_make(sandbox_config().on_log(
            ZELF_LOG_DEBUG, [lines](zelf_log_level, std::string_view message) { lines->emplace_back(message); }));
        (void)made->try_create();
        PROMISE(lines->size() == 1 && lines.use_count() == 2, "a log callback is a lambda: %s",
                lines->empty() ? "-" : lines->front().c_str());
    }
    PROMISE(lines.use_count() == 1, "the lambda is destroyed with the last client");
}

static void identifiers_are_strings()
{
    PROMISE(zelf::random_identifier().size() == 32
                && zelf::random_identifier() != zelf::random_identifier(),
            "a random identifier is a string");
    PROMISE(zelf::derive_identifier("serial 1") == zelf::derive_identifier("serial 1")
                && zelf::derive_identifier("serial 1") != zelf::derive_identifier("serial 2"),
            "a derived identifier depends on the device id only");
    PROMISE(zelf::derive_identifier({"serial\0 1", 9}).empty(),
            "a device id with a NUL inside gives no identifier");
    PROMISE(zelf::is_compatible() && zelf::version() == ZELF_VERSION,
            "the header and the library are compatible");
}

#ifdef __cpp_exceptions
static void failures_can_be_exceptions()
{
    try {
        zelf::client(zelf::config().base_url("nonsense"));
        PROMISE(false, "a constructor that fails throws");
    } catch (const std::exception &failure) {
        PROMISE(std::string(failure.what()).find("base URL") != std::string::npos,
                "a constructor that fails throws: %s", failure.what());
    }
    const zelf::client client(sandbox_config());
    PROMISE(client.create().time_left() > 0s, "a call that succeeds returns its session");
    fault("{\"kind\":\"answer\",\"status\":503,\"error\":\"down\"}");
    try {
        (void)client.create();
        PROMISE(false, "a call that fails throws");
    } catch (const zelf::error &failure) {
        PROMISE(failure.status() == ZELF_ERROR_SERVER && failure.is_retryable(),
                "a call that fails throws: %s", failure.what());
    }
    fault(nullptr);
    const auto named = zelf::session_options().identifier(zelf::random_identifier());
    const zelf::session_provider keeps(client, named, zelf::provider_options().background(true));
    PROMISE(keeps.get().time_left() > 0s, "a get returns its session");
    std::promise<bool> got;
    const zelf::call getting = keeps.get_async([&](auto session) { got.set_value(bool(session)); });
    PROMISE(got.get_future().get(), "an asynchronous get calls its lambda");
    try {
        const zelf::session_provider none(client, zelf::session_options());
        PROMISE(false, "a provider that cannot be made throws");
    } catch (const zelf::error &failure) {
        PROMISE(failure.status() == ZELF_ERROR_INVALID_ARGUMENT,
                "a provider that cannot be made throws: %s", failure.what());
    }
    const zelf::response found = keeps.send(search());
    PROMISE(found.http_status() == 200, "a provider's request returns its response");
    PROMISE(client.send(search(), keeps.get()).http_status() == 200,
            "a request with a session returns its response");
    PROMISE(client.send(search()).http_status() == 401,
            "a request without a session returns its response");
    std::promise<bool> came;
    const zelf::call sending = keeps.send_async(search(), [&](auto outcome) { came.set_value(bool(outcome)); });
    PROMISE(came.get_future().get(), "an asynchronous request calls its lambda");
    try {
        (void)keeps.send({"GET", "nonsense"});
        PROMISE(false, "a request that cannot be sent throws");
    } catch (const zelf::error &failure) {
        PROMISE(failure.status() == ZELF_ERROR_INVALID_ARGUMENT,
                "a request that cannot be sent throws: %s", failure.what());
    }
    std::promise<bool> told;
    const zelf::call call = client.create_async({}, [&](auto created) { told.set_value(bool(created)); });
    PROMISE(told.get_future().get() && client.shutdown(20s) == ZELF_OK,
            "an asynchronous call calls its lambda, and the client can be shut down");
}

// Runs in a child process, in which std::terminate raises SIGKILL. Otherwise it could not be
// distinguished from an abort by Rust.
template <typename F> static bool is_terminated(F run)
{
    const pid_t child = fork();
    if (child == 0) {
        std::set_terminate([] { kill(getpid(), SIGKILL); });
        const zelf::client client(sandbox_config());
        run(client);
        (void)client.shutdown(20s);
        _exit(0);
    }
    int ended = 0;
    waitpid(child, &ended, 0);
    return WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL;
}

static void an_exception_does_not_leave_a_callback()
{
    PROMISE(is_terminated([](const zelf::client &client) {
                (void)client.create_async({}, [](zelf::result<zelf::session>) { throw 1; });
            }),
            "an exception that would leave a lambda calls std::terminate");
    PROMISE(is_terminated([](const zelf::client &client) {
                zelf_call_free(zelf_session_create_async(
                    client.get(), nullptr, [](zelf_session *, zelf_error *, void *) { throw 1; },
                    nullptr, nullptr, nullptr));
            }),
            "an exception that would leave a callback of the C API calls std::terminate");
    PROMISE(is_terminated([](const zelf::client &) {
                try {
                    zelf_config_set_log_callback(nullptr, nullptr, nullptr, [](void *) { throw 1; }, 0);
                } catch (int) {
                }
            }),
            "it calls std::terminate where a caller would catch it, too");
}

struct counts_its_end {
    int &ends;
    ~counts_its_end() { ends++; }
};

// The stack frames of the host and of its callback are unwound once each.
static void a_thread_may_end_in_a_callback()
{
    int outer = 0, inner = 0;
    std::thread([&] {
        const counts_its_end here{outer};
        zelf_config_set_log_callback(nullptr, nullptr, &inner, [](void *data) {
            const counts_its_end inside{*static_cast<int *>(data)};
            pthread_exit(nullptr);
        }, 0);
        outer = 100;
    }).join();
    PROMISE(outer == 1 && inner == 1, "pthread_exit in a callback runs the destructors of its thread");
}
#endif

int main()
{
    sessions_are_values();
    settings_in_a_row_outlive_their_statement();
    failures_are_values();
    objects_that_were_moved_from_are_refused();
    callbacks_are_lambdas();
    a_provider_hands_out_sessions();
    a_refused_session_is_replaced();
    a_failed_renewal_is_the_last_error();
    renewals_call_a_lambda();
    a_providers_options_are_checked_by_the_library();
    a_stored_session_is_found_again();
    a_request_is_sent_as_it_was_made();
    a_provider_sends_requests();
    a_request_has_its_limits();
    a_request_that_cannot_be_sent_is_refused();
    the_log_is_a_lambda();
    identifiers_are_strings();
#ifdef __cpp_exceptions
    failures_can_be_exceptions();
    an_exception_does_not_leave_a_callback();
    a_thread_may_end_in_a_callback();
#endif
    return check_failed;
}
