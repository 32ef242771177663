// zelf.hpp, with exceptions and without.
#include <csignal>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <sys/wait.h>

// As curses.h does.
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
    PROMISE(bool(made), "a client is made of settings in a row");
    return *std::move(made);
}

static void sessions_are_values()
{
    const zelf::client client = sandbox();
    auto created = client.try_create(
        zelf::session_options().identifier("cpp-x").type(ZELF_SESSION_TYPE_IMPORT_WALLET).domain("avax"));
    PROMISE(created && created->identifier() == "cpp-x" && created->id().has_value()
                && created->domain() == "avax" && !created->tag_name() && !created->eth_address(),
            "a session has its claims as optional views");
    PROMISE(created->authorization() == "Bearer " + std::string(created->token())
                && created->time_left() > 590s && created->time_left() <= 600s
                && created->expires_at() - created->activated_at() == 600s,
            "and its times as durations and time points");
    fault("{\"kind\":\"patch\",\"body\":{\"data\":{\"expiresAt\":253402300799}}}");
    const auto lasting = client.try_create();
    fault(nullptr);
    PROMISE(lasting && lasting->expires_at().time_since_epoch().count() == 253402300799,
            "the last second of the year 9999 is a time too");
    zelf::session moved = *std::move(created);
    std::vector<zelf::session> kept;
    kept.push_back(std::move(moved));
    PROMISE(!kept[0].token().empty() && !moved.get(), "it can be moved, and owns what it holds");
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
                  "a row that begins with a temporary ends in an object of its own");
    auto &&settings = zelf::config().base_url(need_env("ZELF_HTTPS")).ca_file(need_env("ZELF_CA"));
    auto &&options = zelf::session_options().identifier("cpp-row-x").type(ZELF_SESSION_TYPE_GENERAL);
    const auto created = (*zelf::client::try_make(settings)).try_create(options);
    PROMISE(created && created->identifier() == "cpp-row-x", "settings in a row can be kept by reference");
}

static void failures_are_values()
{
    const zelf::client client = sandbox();
    fault("{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"missing\"}");
    auto refused = client.try_create();
    fault(nullptr);
    PROMISE(!refused && refused.error().status() == ZELF_ERROR_VALIDATION
                && refused.error().http_status() == 409
                && refused.error().server_message() == "missing" && !refused.error().is_retryable()
                && refused.error().retry_after() == 0ms && refused.error().what()[0],
            "a failure is a value with the server's words: %s", refused.error().what());
    fault("{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"99999999999999999999999\"}}");
    const auto busy = client.try_create();
    fault(nullptr);
    PROMISE(!busy && busy.error().retry_after() == std::chrono::hours(24 * 365 * 100),
            "the longest wait can be waited for");
    zelf::error copy = refused.error();
    PROMISE(zelf::status_name(copy.status()) == "ZELF_ERROR_VALIDATION", "and can be copied");

    auto no_client = zelf::client::try_make(zelf::config().base_url(std::string("https://a\0b", 11)));
    PROMISE(!no_client && no_client.error().status() == ZELF_ERROR_INVALID_CONFIG,
            "a NUL inside a text is refused, not cut off: %s", no_client.error().what());
    auto no_trust = zelf::client::try_make(zelf::config().ca_pem(std::string_view()));
    PROMISE(!no_trust && no_trust.error().status() == ZELF_ERROR_INVALID_CONFIG,
            "no certificates are not the system's: %s", no_trust.error().what());
}

// To C, NULL is the defaults: another server, another session.
static void what_was_moved_from_is_refused()
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
    PROMISE(!refused && copy.status() == ZELF_ERROR_INVALID_ARGUMENT && !refused_async
                && refused_async.error().status() == ZELF_ERROR_INVALID_ARGUMENT
                && requests_arrived() == 0,
            "options that were moved from ask for nothing: %s", copy.what());
    PROMISE(client.try_create() && client.try_create(derived), "no options are the defaults still");

    zelf::session session = *client.try_create(derived);
    const zelf::session taken = std::move(session);
    PROMISE(session.token().empty() && session.authorization().empty() && !session.id()
                && session.time_left() == 0s && !taken.token().empty(),
            "a session that was moved from is empty");
}

static void callbacks_are_lambdas()
{
    const zelf::client client = sandbox();
    std::promise<std::string> told;
    // Only movable, as many are that own something.
    auto started = client.try_create_async(
        zelf::session_options().identifier("cpp-async-x"),
        [owned = std::make_unique<int>(7), &told](zelf::result<zelf::session> created) {
            told.set_value(created && *owned == 7 ? std::string(*created->identifier()) : "none");
        });
    PROMISE(started && told.get_future().get() == "cpp-async-x", "a callback is any lambda");

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    std::promise<zelf::status> ended;
    auto cancelled = client.try_create_async({}, [&](zelf::result<zelf::session> created) {
        ended.set_value(created ? ZELF_OK : created.error().status());
    });
    cancelled->cancel();
    PROMISE(ended.get_future().get() == ZELF_ERROR_CANCELLED, "a call can be cancelled");
    fault(nullptr);

    PROMISE(client.shutdown(1s) == ZELF_OK, "after a shutdown there are no more callbacks");
    auto alive = std::make_shared<int>(1);
    auto refused = client.try_create_async({}, [alive](zelf::result<zelf::session>) {});
    PROMISE(!refused && refused.error().status() == ZELF_ERROR_SHUT_DOWN && alive.use_count() == 1,
            "and a lambda that was not taken is destroyed");
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
    PROMISE(first && second && first->identifier() == identifier && second->token() == first->token()
                && requests_arrived() == 1,
            "a provider asks once, and hands out the same session");
    std::promise<std::string> told;
    auto started = keeps.try_get_async(
        [owned = std::make_unique<int>(7), &told](zelf::result<zelf::session> got) {
            told.set_value(got && *owned == 7 ? std::string(got->token()) : "none");
        });
    PROMISE(started && told.get_future().get() == first->token(), "also to a lambda");
    PROMISE(!keeps.last_error(), "there is no last error when all is well");
    const zelf::session_provider moved = std::move(keeps);
    auto nothing = keeps.try_get();
    PROMISE(moved.try_get() && !nothing && nothing.error().status() == ZELF_ERROR_INVALID_ARGUMENT
                && !keeps.last_error() && !keeps.invalidate(*first)
                && !keeps.try_get_async([](zelf::result<zelf::session>) {}),
            "it can be moved, and what it was moved from has nothing");
    static_assert(!std::is_copy_constructible_v<zelf::session_provider>
                      && std::is_nothrow_move_constructible_v<zelf::session_provider>,
                  "a provider owns what it holds");
    PROMISE(client.shutdown(1s) == ZELF_OK && moved.try_get(),
            "what it has is handed out after the client's end");
}

static void a_refused_session_is_replaced()
{
    const std::string identifier = zelf::random_identifier();
    const zelf::client client = sandbox();
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier(identifier));
    const auto first = keeps.try_get();
    sandbox("POST", "/sandbox/use", ("{\"identifier\":\"" + identifier + "\"}").c_str());
    PROMISE(route_status(std::string(first->authorization()).c_str()) == 403
                && keeps.invalidate(*first) && !keeps.invalidate(*first),
            "of all who say that a session was refused, one is first");
    const auto second = keeps.try_get();
    PROMISE(second && second->id() != first->id()
                && route_status(std::string(second->authorization()).c_str()) == 200,
            "then a get returns one that the route takes");
}

static void a_failed_renewal_is_told()
{
    const zelf::client client = sandbox();
    const auto keeps = *zelf::session_provider::try_make(
        client, zelf::session_options().identifier(zelf::random_identifier()));
    fault("{\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"30\"}}");
    const auto refused = keeps.try_get();
    fault(nullptr);
    const auto last = keeps.last_error();
    PROMISE(!refused && refused.error().status() == ZELF_ERROR_RATE_LIMITED && last
                && last->status() == ZELF_ERROR_RATE_LIMITED && last->retry_after() > 25s
                && last->retry_after() <= 30s,
            "the last error says why, and when the next attempt comes: %s",
            last ? last->what() : "-");
}

static void renewals_are_told_to_a_lambda()
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
        PROMISE(!keeps.try_get() && renewed.empty(), "a provider without its client asks for nothing");

        const zelf::client client = sandbox();
        const auto works = *zelf::session_provider::try_make(
            client, zelf::session_options().identifier(zelf::random_identifier()),
            zelf::provider_options().on_renewed([&renewed](const zelf::session_view &session) {
                renewed.emplace_back(session.token());
            }));
        const auto got = works.try_get();
        (void)works.try_get();
        PROMISE(got && renewed.size() == 1 && renewed[0] == got->token(),
                "each new session is shown to a lambda once");
        PROMISE(alive.use_count() == 2, "which lives as long as the provider");
    }
    PROMISE(alive.use_count() == 1, "and goes with the last that has it");

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
            "seconds that C cannot count are refused, not cut off");
    PROMISE(refusal(zelf::provider_options().min_valid(-1s)).empty(), "fewer than none are none");
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
            "nor do session options that were moved from");
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
    PROMISE(!first.empty() && get() == first && requests_arrived() == 0,
            "with a directory the next provider has a session without a request");
}

// What a search brings, in the sandbox.
static zelf::request search() { return {"GET", "/api/tags/search?tagName=a.zelf"}; }

static void a_request_is_sent_as_it_was_made()
{
    using namespace std::string_view_literals;
    const zelf::client client = sandbox();
    const auto echoed = client.try_send(
        zelf::request("POST", "/sandbox/echo").body("a\0b"sv, "text/x-mine").header("X-One", "1"));
    PROMISE(echoed && echoed->http_status() == 200 && echoed->body() == "a\0b"sv
                && echoed->body().data()[3] == '\0',
            "a body goes and comes with its NULs, and one after it");
    PROMISE(echoed->header("CONTENT-type") == "text/x-mine" && !echoed->header("X-None")
                && !echoed->server_message(),
            "a response has its headers as optional views, in any case");
    zelf::request changed("POST", "/sandbox/echo");
    changed.header("X-One", "1").header("X-Two", std::nullopt).header("x-one", std::nullopt);
    sandbox("DELETE", "/sandbox/requests", "");
    const auto empty = client.try_send(changed.body(std::string_view(), "text/x-empty"));
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(empty && empty->body().empty() && std::strstr(http_answer, "text/x-empty")
                && !strcasestr(http_answer, "x-one") && !strcasestr(http_answer, "bearer"),
            "a header can be removed, an empty body is one, and no session is no token");
    const auto none = client.try_send(changed.body(std::nullopt));
    PROMISE(none && none->header("content-type") != "text/x-empty", "a body can be taken back");

    zelf::response moved = *client.try_send(zelf::request("GET", "/sandbox/bytes/3"));
    const zelf::response taken = std::move(moved);
    PROMISE(taken.body() == "\0\1\2"sv && moved.http_status() == 0 && moved.body().empty()
                && !moved.header("date"),
            "a response can be moved, and what it was moved from is empty");
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
    PROMISE(found && found->http_status() == 200 && found->body().size() == 100000
                && found->body().find("GET /api/tags/search?tagName=a.zelf") != std::string_view::npos
                && found->header("content-type").has_value(),
            "a provider sends a request with its session");

    const zelf::request checked("GET", "/api/zelf-name-service/v2/search?zelfName=abc.zelf");
    const auto session = keeps.try_get();
    const auto accepted = client.try_send(checked, *session);
    sandbox("POST", "/sandbox/use", ("{\"identifier\":\"" + identifier + "\"}").c_str());
    const auto refused = client.try_send(checked, *session);
    PROMISE(accepted && accepted->http_status() == 200 && refused && refused->http_status() == 403
                && refused->server_message() == "Session is not active",
            "a session that is sent alone is not renewed: the refusal is a response");
    PROMISE(keeps.try_send(checked)->http_status() == 200 && keeps.try_get()->id() != session->id(),
            "a provider renews the session that was refused");

    std::promise<std::size_t> told;
    auto started = keeps.try_send_async(
        search(), [owned = std::make_unique<int>(7), &told](zelf::result<zelf::response> came) {
            told.set_value(came && *owned == 7 ? came->body().size() : 0);
        });
    PROMISE(started && told.get_future().get() == 100000, "the response comes to a lambda as well");

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/tags/search\"}");
    std::promise<zelf::status> ended;
    auto cancelled = keeps.try_send_async(search(), [&](zelf::result<zelf::response> came) {
        ended.set_value(came ? ZELF_OK : came.error().status());
    });
    cancelled->cancel();
    PROMISE(ended.get_future().get() == ZELF_ERROR_CANCELLED, "and can be cancelled");
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
            "a response may be as long as the request says");
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
    PROMISE(names(refusal(client.try_send({"GET", "search"})), "target")
                && names(refusal(client.try_send({"GET", {"/\0x", 3}})), "target")
                && names(refusal(client.try_send({{"G\0T", 3}, "/"})), "method"),
            "a target and a method are refused by name, also for a NUL inside");
    PROMISE(names(refusal(client.try_send(search().header("X-Mine", std::string_view("a\0b", 3)))),
                  "X-Mine")
                && names(refusal(client.try_send(search().header("Host", "a.test"))), "Host")
                && names(refusal(client.try_send(search().body("", "a\nb"))), "Content-Type"),
            "so are headers");
    zelf::request moved = search();
    const zelf::request taken = std::move(moved);
    moved.header("X-One", "1").body("x").repeatable(true);
    const auto never = [](zelf::result<zelf::response>) {};
    PROMISE(names(refusal(client.try_send(moved)), "moved from")
                && names(refusal(client.try_send(moved, session)), "moved from")
                && names(refusal(keeps.try_send(moved)), "moved from")
                && !keeps.try_send_async(moved, never),
            "a request that was moved from is not sent");
    const zelf::session kept = std::move(session);
    PROMISE(names(refusal(client.try_send(taken, session)), "moved from"),
            "a session that was moved from does not become no token");
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(!std::strstr(http_answer, "\"/api/tags") && client.try_send(taken, kept),
            "and nothing of it has arrived");

    auto alive = std::make_shared<int>(1);
    auto not_begun = keeps.try_send_async({"GET", "search"},
                                          [alive](zelf::result<zelf::response>) {});
    PROMISE(!not_begun && not_begun.error().status() == ZELF_ERROR_INVALID_ARGUMENT
                && alive.use_count() == 1,
            "a lambda for what cannot be sent is destroyed");
}

static void the_log_is_a_lambda()
{
    auto lines = std::make_shared<std::vector<std::string>>();
    {
        auto made = zelf::client::try_make(sandbox_config().on_log(
            ZELF_LOG_DEBUG, [lines](zelf_log_level, std::string_view message) { lines->emplace_back(message); }));
        (void)made->try_create();
        PROMISE(lines->size() == 1 && lines.use_count() == 2, "the log takes a lambda: %s",
                lines->empty() ? "-" : lines->front().c_str());
    }
    PROMISE(lines.use_count() == 1, "which goes with the last client that has it");
}

static void identifiers_are_strings()
{
    PROMISE(zelf::random_identifier().size() == 32
                && zelf::random_identifier() != zelf::random_identifier(),
            "a random identifier is a string");
    PROMISE(zelf::derive_identifier("serial 1") == zelf::derive_identifier("serial 1")
                && zelf::derive_identifier("serial 1") != zelf::derive_identifier("serial 2"),
            "so is a derived one");
    PROMISE(zelf::derive_identifier({"serial\0 1", 9}).empty(),
            "but none from what could not count whole");
    PROMISE(zelf::is_compatible() && zelf::version() == ZELF_VERSION,
            "header and library belong together");
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
    PROMISE(client.create().time_left() > 0s, "and a call that succeeds returns its session");
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
    PROMISE(keeps.get().time_left() > 0s, "a provider returns its session as well");
    std::promise<bool> got;
    const zelf::call getting = keeps.get_async([&](auto session) { got.set_value(bool(session)); });
    PROMISE(got.get_future().get(), "or gives it to a lambda");
    try {
        const zelf::session_provider none(client, zelf::session_options());
        PROMISE(false, "a provider that cannot be made throws");
    } catch (const zelf::error &failure) {
        PROMISE(failure.status() == ZELF_ERROR_INVALID_ARGUMENT,
                "a provider that cannot be made throws: %s", failure.what());
    }
    const zelf::response found = keeps.send(search());
    PROMISE(found.http_status() == 200 && client.send(search(), keeps.get()).http_status() == 200
                && client.send(search()).http_status() == 401,
            "a request returns its response, with a session and without");
    std::promise<bool> came;
    const zelf::call sending = keeps.send_async(search(), [&](auto got) { came.set_value(bool(got)); });
    PROMISE(came.get_future().get(), "or gives it to a lambda");
    try {
        (void)keeps.send({"GET", "nonsense"});
        PROMISE(false, "a request that cannot be sent throws");
    } catch (const zelf::error &failure) {
        PROMISE(failure.status() == ZELF_ERROR_INVALID_ARGUMENT,
                "a request that cannot be sent throws: %s", failure.what());
    }
    std::promise<bool> told;
    const zelf::call call = client.create_async({}, [&](auto created) { told.set_value(bool(created)); });
    PROMISE(told.get_future().get() && client.shutdown(1s) == ZELF_OK, "asynchronous ones as well");
}

static void an_exception_does_not_leave_a_callback()
{
    const pid_t child = fork();
    if (child == 0) {
        // A signal of its own: Rust, were it reached, would abort too.
        std::set_terminate([] { kill(getpid(), SIGKILL); });
        const zelf::client client(sandbox_config());
        const zelf::call call = client.create_async({}, [](zelf::result<zelf::session>) { throw 1; });
        (void)client.shutdown(20s);
        _exit(0);
    }
    int ended = 0;
    waitpid(child, &ended, 0);
    PROMISE(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL,
            "an exception that would leave a callback is std::terminate's");
}
#endif

int main()
{
    sessions_are_values();
    settings_in_a_row_outlive_their_statement();
    failures_are_values();
    what_was_moved_from_is_refused();
    callbacks_are_lambdas();
    a_provider_hands_out_sessions();
    a_refused_session_is_replaced();
    a_failed_renewal_is_told();
    renewals_are_told_to_a_lambda();
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
#endif
    return check_failed;
}
