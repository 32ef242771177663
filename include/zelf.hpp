/*
 * zelf.hpp: zelf.h for C++17. Header-only: link zelf and nothing else.
 *
 *   zelf::client client{zelf::config{}.origin("https://app.example")};
 *   zelf::session session = client.create(zelf::session_options{}.identifier(id));
 *   send_with(session.authorization());
 *
 * Objects can be moved, not copied (an error can be copied). An object that was
 * moved from may only be assigned to or destroyed; a call with it fails. A
 * std::string_view is valid as long as the object that returned it. zelf.h
 * documents the functions, their threads and their errors.
 *
 * Failures. Functions named try_ return a zelf::result: the value or a
 * zelf::error. The functions without try_ throw the error. They do not exist if
 * exceptions are off (-fno-exceptions).
 *
 * A zelf::session_provider keeps one session and renews it. Its get() returns a
 * valid session, and its send() sends a request with it:
 *
 *   zelf::session_provider keeps(client, zelf::session_options{}.identifier(id));
 *   zelf::response found = keeps.send(zelf::request("GET", "/api/tags/search?tagName=a.zelf"));
 *   if (found.http_status() == 200) show(found.body());
 *
 * In C++20 a coroutine can await a call: co_await client.co_create(options).
 *
 * A callback is any callable that can be moved. An exception must not leave a
 * callback: nothing can catch it, and std::terminate is called. The same happens
 * if a callback calls pthread_exit.
 */
#ifndef ZELF_HPP
#define ZELF_HPP

// MSVC says C++98 in __cplusplus, unless an option tells it otherwise.
#if !defined(__cplusplus)
#error "zelf.hpp is for C++17; a C program includes zelf.h"
#elif __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "zelf.hpp needs C++17: -std=c++17 or /std:c++17, or a later one; zelf.h does with C++11"
#else

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#if __has_include(<version>)
#include <version>
#endif

#include "zelf.h"

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define ZELF_HPP_EXCEPTIONS 1
#endif
#if defined(__cpp_impl_coroutine) && defined(__cpp_lib_coroutine)
#define ZELF_HPP_COROUTINES 1
#include <atomic>
#include <coroutine>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif
#endif

namespace zelf {

using status = zelf_status;

/** Returns the name of a status, such as "ZELF_ERROR_TIMEOUT". */
inline std::string_view status_name(status which) noexcept { return zelf_status_name(which); }
/** Returns the meaning of a status in English. */
inline std::string_view status_message(status which) noexcept { return zelf_status_message(which); }

/** Returns the version of the loaded library. */
inline std::string_view version() noexcept { return zelf_version(); }

/** Returns whether the loaded library has everything that this header declares. Every newer
    library with the same SONAME has. */
inline bool is_compatible() noexcept
{
    char *rest = nullptr;
    const long major = std::strtol(zelf_version(), &rest, 10);
    const long minor = *rest == '.' ? std::strtol(rest + 1, &rest, 10) : 0;
    return major > ZELF_VERSION_MAJOR
           || (major == ZELF_VERSION_MAJOR && minor >= ZELF_VERSION_MINOR);
}

/** Whole seconds, because a server may send a time that does not fit into 64-bit
    nanoseconds. */
using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

namespace detail {

template <auto Free>
struct freed_by {
    template <typename T>
    void operator()(T *object) const noexcept
    {
        Free(object);
    }
};

inline std::optional<std::string_view> view(const char *text) noexcept
{
    return text ? std::optional<std::string_view>(text) : std::nullopt;
}

/** A C string ends at its first NUL, so the rest would be lost. A NUL becomes a control
    character instead, which the library refuses with an error. */
inline std::string text(std::string_view from)
{
    std::string copy(from);
    std::replace(copy.begin(), copy.end(), '\0', '\x01');
    return copy;
}

/** In C, 0 is the default. So a shorter duration than 1 ms, also a negative one, becomes 1 ms. */
inline std::uint32_t milliseconds(std::chrono::milliseconds duration) noexcept
{
    const auto count = std::clamp<std::int64_t>(duration.count(), 1, UINT32_MAX);
    return static_cast<std::uint32_t>(count);
}

/** Limits the seconds to the type in C; a negative duration becomes 0. */
inline std::uint32_t seconds(std::chrono::seconds duration) noexcept
{
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count(), 0, UINT32_MAX));
}

} // namespace detail

// A header has no source file for the vtable.
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wweak-vtables"
#endif
/** Why a call failed. */
class error : public std::exception {
public:
    /** Takes ownership. */
    explicit error(zelf_error *from) : error_(from, zelf_error_free) {}
    error(const error &) = default;
    error(error &&) = default;
    error &operator=(const error &) = default;
    error &operator=(error &&) = default;
    ~error() override = default;

    /** One sentence for a person. */
    const char *what() const noexcept override
    {
        const char *message = zelf_error_message(error_.get());
        return message ? message : instead_;
    }
    zelf::status status() const noexcept
    {
        return error_ ? zelf_error_status(error_.get()) : ZELF_ERROR_INVALID_ARGUMENT;
    }
    /** 0: no answer came. */
    int http_status() const noexcept { return zelf_error_http_status(error_.get()); }
    std::optional<std::string_view> server_message() const noexcept
    {
        return detail::view(zelf_error_server_message(error_.get()));
    }
    bool is_retryable() const noexcept { return zelf_error_is_retryable(error_.get()); }
    /** The time until the next attempt: the Retry-After of the server or proxy, or the wait of a
        provider (see zelf_error_retry_after_ms). Zero if there is none. At most 100 years, which
        can be added to any clock. */
    std::chrono::milliseconds retry_after() const noexcept
    {
        const auto asked = zelf_error_retry_after_ms(error_.get());
        constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365 * 100);
        return asked < static_cast<std::uint64_t>(longest.count())
                   ? std::chrono::milliseconds(asked)
                   : longest;
    }

private:
    friend class client;
    friend class session_provider;
    /** The error for an object that was moved from. C would read its NULL as "use the defaults":
        another server, other certificates, another session. */
    static error of_moved(const char *sentence)
    {
        error made(nullptr);
        made.instead_ = sentence;
        return made;
    }

    std::shared_ptr<const zelf_error> error_; // an exception has to be copyable
    const char *instead_ = "the error is NULL";
};
#ifdef __clang__
#pragma clang diagnostic pop
#endif

/** A value, or the error. */
template <typename T>
class [[nodiscard]] result {
public:
    result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    result(zelf::error failure) : held_(std::in_place_index<1>, std::move(failure)) {}

    explicit operator bool() const noexcept { return held_.index() == 0; }

    /** Requires a value. */
    T &operator*() & noexcept { return *std::get_if<0>(&held_); }
    const T &operator*() const & noexcept { return *std::get_if<0>(&held_); }
    T &&operator*() && noexcept { return std::move(*std::get_if<0>(&held_)); }
    T *operator->() noexcept { return std::get_if<0>(&held_); }
    const T *operator->() const noexcept { return std::get_if<0>(&held_); }

    /** Requires an error. */
    const zelf::error &error() const noexcept { return *std::get_if<1>(&held_); }

#ifdef ZELF_HPP_EXCEPTIONS
    /** The value, or the error as an exception. */
    T value() &&
    {
        if (!*this) throw error();
        return std::move(**this);
    }
#endif

private:
    std::variant<T, zelf::error> held_;
};

namespace detail {

/** The getters of an owned and of a borrowed session. */
template <typename Session>
class told_by_session {
public:
    /** A secret: keep it out of logs. */
    std::string_view token() const noexcept
    {
        return view(zelf_session_token(told())).value_or(std::string_view());
    }
    /** "Bearer " and the token. */
    std::string_view authorization() const noexcept
    {
        return view(zelf_session_authorization(told())).value_or(std::string_view());
    }
    std::optional<std::string_view> id() const noexcept { return view(zelf_session_id(told())); }
    std::optional<std::string_view> identifier() const noexcept
    {
        return view(zelf_session_identifier(told()));
    }
    /** From the token: the domain that the session was made with. */
    std::optional<std::string_view> domain() const noexcept
    {
        return view(zelf_session_domain(told()));
    }
    std::optional<std::string_view> tag_name() const noexcept
    {
        return view(zelf_session_tag_name(told()));
    }
    std::optional<std::string_view> eth_address() const noexcept
    {
        return view(zelf_session_eth_address(told()));
    }
    /** By the server's clock. */
    time_point activated_at() const noexcept
    {
        return time_point(std::chrono::seconds(zelf_session_activated_at(told())));
    }
    time_point expires_at() const noexcept
    {
        return time_point(std::chrono::seconds(zelf_session_expires_at(told())));
    }
    /** Independent of this device's clock, if the server tells the time; zero if the session
        has expired. */
    std::chrono::seconds time_left() const noexcept
    {
        return std::chrono::seconds(zelf_session_seconds_left(told()));
    }

private:
    friend Session;
    told_by_session() = default;
    const zelf_session *told() const noexcept { return static_cast<const Session &>(*this).get(); }
};

} // namespace detail

/** A session that the server created or had. */
class session : public detail::told_by_session<session> {
public:
    /** Takes ownership. */
    explicit session(zelf_session *from) noexcept : session_(from) {}

    zelf_session *get() const noexcept { return session_.get(); }

private:
    std::unique_ptr<zelf_session, detail::freed_by<zelf_session_free>> session_;
};

/** A borrowed session. */
class session_view : public detail::told_by_session<session_view> {
public:
    explicit session_view(const zelf_session *of) noexcept : session_(of) {}
    session_view(const session &of) noexcept : session_(of.get()) {}

    const zelf_session *get() const noexcept { return session_; }

private:
    const zelf_session *session_;
};

/** The options of a new session. */
class session_options {
public:
    session_options() : options_(zelf_session_options_new()) {}

    // For a temporary they return a new object, because a reference would outlive it. The
    // parentheses prevent the use of macros such as timeout() of curses.
#define ZELF_HPP_SET(type, name, call)                                         \
    session_options &(name)(type value) & { return call, *this; }              \
    [[nodiscard]] session_options (name)(type value) && { return call, std::move(*this); }
    ZELF_HPP_SET(std::string_view, identifier,
                 zelf_session_options_set_identifier(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, domain,
                 zelf_session_options_set_domain(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, tag_name,
                 zelf_session_options_set_tag_name(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, eth_address,
                 zelf_session_options_set_eth_address(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(zelf_session_type, type, zelf_session_options_set_type(get(), value))
    ZELF_HPP_SET(bool, web_extension, zelf_session_options_set_web_extension(get(), value))
    ZELF_HPP_SET(bool, kill_session, zelf_session_options_set_kill_session(get(), value))
    ZELF_HPP_SET(bool, confirm, zelf_session_options_set_confirm(get(), value))
#undef ZELF_HPP_SET

    zelf_session_options *get() const noexcept { return options_.get(); }

private:
    std::unique_ptr<zelf_session_options, detail::freed_by<zelf_session_options_free>> options_;
};

/** The settings of a client. All have defaults. */
class config {
public:
    config() : config_(zelf_config_new()) {}

#define ZELF_HPP_SET(type, name, call)                                         \
    config &(name)(type value) & { return call, *this; }                       \
    [[nodiscard]] config (name)(type value) && { return call, std::move(*this); }
    ZELF_HPP_SET(std::string_view, base_url,
                 zelf_config_set_base_url(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, origin,
                 zelf_config_set_origin(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, user_agent,
                 zelf_config_set_user_agent(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, ca_file,
                 zelf_config_set_ca_file(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, ca_pem,
                 // NULL means the system's certificates; an empty text is an error.
                 zelf_config_set_ca_pem(get(), value.empty() ? "" : value.data(), value.size()))
    ZELF_HPP_SET(std::string_view, add_pin,
                 zelf_config_add_pin(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(std::string_view, proxy,
                 zelf_config_set_proxy(get(), detail::text(value).c_str()))
    ZELF_HPP_SET(bool, proxy_from_env, zelf_config_set_proxy_from_env(get(), value))
    ZELF_HPP_SET(std::chrono::milliseconds, timeout,
                 zelf_config_set_timeout_ms(get(), detail::milliseconds(value)))
    ZELF_HPP_SET(std::chrono::milliseconds, connect_timeout,
                 zelf_config_set_connect_timeout_ms(get(), detail::milliseconds(value)))
    ZELF_HPP_SET(std::uint32_t, max_attempts, zelf_config_set_max_attempts(get(), value))
    ZELF_HPP_SET(bool, dispatch, zelf_config_set_dispatch(get(), value))
#undef ZELF_HPP_SET

    /** callback(zelf_log_level, std::string_view), on the threads of the calls. */
    template <typename F>
    config &on_log(zelf_log_level level, F &&callback) &
    {
        using callable = std::decay_t<F>;
        static_assert(std::is_invocable_v<callable &, zelf_log_level, std::string_view>,
                      "a log callback takes a level and a message");
        zelf_config_set_log_callback(
            get(),
            [](zelf_log_level of, const char *message, void *data) noexcept {
                (*static_cast<callable *>(data))(of, std::string_view(message));
            },
            new callable(std::forward<F>(callback)),
            [](void *data) noexcept { delete static_cast<callable *>(data); }, level);
        return *this;
    }
    template <typename F>
    [[nodiscard]] config on_log(zelf_log_level level, F &&callback) &&
    {
        on_log(level, std::forward<F>(callback));
        return std::move(*this);
    }

    zelf_config *get() const noexcept { return config_.get(); }

private:
    std::unique_ptr<zelf_config, detail::freed_by<zelf_config_free>> config_;
};

/** A request to any route of the server. It can be sent any number of times, by any number
    of threads at once, as long as no thread changes it. */
class request {
public:
    /** target: a path with a query, percent-encoded: "/api/tags/search?tagName=a.zelf". */
    request(std::string_view method, std::string_view target)
        : request_(zelf_request_new(detail::text(method).c_str(), detail::text(target).c_str()))
    {
    }

#define ZELF_HPP_SET(type, name, call)                                         \
    request &(name)(type value) & { return call, *this; }                      \
    [[nodiscard]] request (name)(type value) && { return call, std::move(*this); }
    /** The time of the whole call. */
    ZELF_HPP_SET(std::chrono::milliseconds, timeout,
                 zelf_request_set_timeout_ms(get(), detail::milliseconds(value)))
    ZELF_HPP_SET(std::size_t, max_response_bytes,
                 zelf_request_set_max_response_bytes(get(), value))
    /** Whether the server may carry it out more than once. */
    ZELF_HPP_SET(bool, repeatable, zelf_request_set_repeatable(get(), value))
#undef ZELF_HPP_SET

    /** Replaces a header of the same name; std::nullopt removes it. */
    request &header(std::string_view name, std::optional<std::string_view> value) &
    {
        zelf_request_set_header(get(), detail::text(name).c_str(),
                                value ? detail::text(*value).c_str() : nullptr);
        return *this;
    }
    [[nodiscard]] request header(std::string_view name, std::optional<std::string_view> value) &&
    {
        header(name, value);
        return std::move(*this);
    }

    /** Copies the bytes, with any NUL. std::nullopt removes the body. */
    request &body(std::optional<std::string_view> bytes,
                  std::optional<std::string_view> content_type = std::nullopt) &
    {
        const std::string_view given = bytes.value_or(std::string_view());
        // NULL means no body; an empty text is a body.
        const char *start = given.empty() ? "" : given.data();
        zelf_request_set_body(get(), bytes ? start : nullptr, given.size(),
                              content_type ? detail::text(*content_type).c_str() : nullptr);
        return *this;
    }
    [[nodiscard]] request body(std::optional<std::string_view> bytes,
                               std::optional<std::string_view> content_type = std::nullopt) &&
    {
        body(bytes, content_type);
        return std::move(*this);
    }

    zelf_request *get() const noexcept { return request_.get(); }

private:
    std::unique_ptr<zelf_request, detail::freed_by<zelf_request_free>> request_;
};

/** An answer of the server, of any status: a 404 is a response, not an error. */
class response {
public:
    /** Takes ownership. */
    explicit response(zelf_response *from) noexcept : response_(from) {}

    int http_status() const noexcept { return zelf_response_http_status(get()); }
    /** The first header of this name, in any case. */
    std::optional<std::string_view> header(std::string_view name) const
    {
        return detail::view(zelf_response_header(get(), detail::text(name).c_str()));
    }
    /** The body with any NUL. A NUL that is not counted follows. */
    std::string_view body() const noexcept
    {
        std::size_t length = 0;
        const void *bytes = zelf_response_body(get(), &length);
        return std::string_view(static_cast<const char *>(bytes), length);
    }
    /** The server's words, if the status is 400 or more. */
    std::optional<std::string_view> server_message() const noexcept
    {
        return detail::view(zelf_response_server_message(get()));
    }

    zelf_response *get() const noexcept { return response_.get(); }

private:
    std::unique_ptr<zelf_response, detail::freed_by<zelf_response_free>> response_;
};

/** An asynchronous call. Destroying it does not cancel the call. */
class call {
public:
    /** Takes ownership. */
    explicit call(zelf_call *from) noexcept : call_(from) {}
    void cancel() const noexcept { zelf_call_cancel(call_.get()); }
    zelf_call *get() const noexcept { return call_.get(); }

private:
    std::unique_ptr<zelf_call, detail::freed_by<zelf_call_free>> call_;
};

namespace detail {

/** begin(callback, user_data, destroy, error) begins a call for a C callback, which is
    given a T: a session or a response. */
template <typename T, typename F, typename Begin>
result<call> call_back(F &&callback, Begin begin)
{
    using callable = std::decay_t<F>;
    using for_c = decltype(std::declval<const T &>().get());
    static_assert(std::is_invocable_v<callable &, result<T>>,
                  "a callback takes a zelf::result<zelf::session>, or of a zelf::response");
    auto kept = std::make_unique<callable>(std::forward<F>(callback));
    void (*const on_end)(for_c, zelf_error *, void *) = [](for_c made, zelf_error *why,
                                                           void *data) noexcept {
        auto &then = *static_cast<callable *>(data);
        if (made) then(result<T>(T(made)));
        else then(result<T>(error(why)));
    };
    const zelf_destroy_callback destroy = [](void *data) noexcept {
        delete static_cast<callable *>(data);
    };
    zelf_error *failure = nullptr;
    zelf_call *started = begin(on_end, kept.get(), destroy, &failure);
    if (!started) return error(failure);
    (void)kept.release(); // destroy deletes it
    return call(started);
}

} // namespace detail

#ifdef ZELF_HPP_COROUTINES
#ifdef __cpp_lib_jthread
/** Cancels a call when a stop is requested. */
using stop_token = std::stop_token;
#else
/** The standard library has no std::stop_token: nothing requests a stop. */
struct stop_token {};
#endif

namespace detail {

/** A call that a coroutine waits for. */
template <typename T, bool Throws, typename Start>
class awaiter {
public:
    awaiter(Start start, stop_token stop) : start_(std::move(start)), stop_(std::move(stop)) {}
    awaiter(const awaiter &) = delete;
    awaiter &operator=(const awaiter &) = delete;
    ~awaiter()
    {
        if (state_ && state_->now.exchange(phase::abandoned) == phase::suspended)
            state_->cancel();
    }

    bool await_ready() const noexcept { return false; }

    bool await_suspend(std::coroutine_handle<> waiting)
    {
        // The coroutine may resume on another thread after the last exchange, which may end
        // the lifetime of *this.
        const auto state = std::make_shared<shared>();
        state_ = state;
        state->waiting = waiting;
        result<call> started = start_([state](result<T> came) {
            state->outcome.emplace(std::move(came));
            if (state->now.exchange(phase::done) == phase::suspended) state->waiting.resume();
        });
        if (!started) {
            state->outcome.emplace(started.error());
            return false;
        }
        state->under_way.emplace(*std::move(started));
#ifdef __cpp_lib_jthread
        state->stop.emplace(std::move(stop_), canceller{state});
#endif
        return state->now.exchange(phase::suspended) != phase::done;
    }

    std::conditional_t<Throws, T, result<T>> await_resume()
    {
        const auto state = std::move(state_);
#ifdef __cpp_lib_jthread
        state->stop.reset();
#endif
        if constexpr (Throws) return (*std::move(state->outcome)).value();
        else return *std::move(state->outcome);
    }

private:
    enum class phase { begun, suspended, done, abandoned };
    struct shared;
    struct canceller {
        std::weak_ptr<shared> of; // weak: the state owns this
        void operator()() const noexcept
        {
            if (const auto state = of.lock()) state->cancel();
        }
    };
    struct shared {
        std::atomic<phase> now{phase::begun};
        std::coroutine_handle<> waiting{};
        std::optional<result<T>> outcome{};
        std::optional<call> under_way{};
#ifdef __cpp_lib_jthread
        std::optional<std::stop_callback<canceller>> stop{};
#endif
        void cancel() const noexcept
        {
            if (under_way) under_way->cancel();
        }
    };

    Start start_;
    stop_token stop_;
    std::shared_ptr<shared> state_{};
};

} // namespace detail

/** An asynchronous call for co_await, which begins it. Await it in the expression that makes it:
    it refers to its arguments. The coroutine resumes where callbacks run: on a thread of the
    client, or in client::dispatch. It continues on its thread if the result comes at once, or
    the call cannot begin. Destroying a coroutine that waits cancels the call. Do this only
    where callbacks run: in a callback, or on the thread that calls client::dispatch. On
    another thread the coroutine may resume at the same moment; there, use a stop_token.
    Throws: whether co_await throws the error, or returns a zelf::result. */
template <typename T, bool Throws, typename Start>
class [[nodiscard]] awaitable {
public:
    awaitable(Start start, stop_token stop) : start_(std::move(start)), stop_(std::move(stop)) {}
    awaitable(const awaitable &) = delete;
    awaitable &operator=(const awaitable &) = delete;

    /** Only of a temporary: a stored one outlives what it refers to. */
    detail::awaiter<T, Throws, Start> operator co_await() &&
    {
        return detail::awaiter<T, Throws, Start>(std::move(start_), std::move(stop_));
    }

private:
    Start start_;
    stop_token stop_;
};

namespace detail {

template <typename T, bool Throws, typename Start>
awaitable<T, Throws, Start> await(Start start, stop_token stop)
{
    return awaitable<T, Throws, Start>(std::move(start), std::move(stop));
}

} // namespace detail
#endif

/** Creates sessions. Any number of threads may use it at once. Its destructor does not wait:
    callbacks may still run after it. Call shutdown() first if the callbacks use objects that
    are destroyed together with the client. */
class client {
public:
    /** Takes ownership. */
    explicit client(zelf_client *from) noexcept : client_(from) {}

    static result<client> try_make(const config &settings = {})
    {
        if (!settings.get()) return error::of_moved("the config has been moved from");
        zelf_error *failure = nullptr;
        zelf_client *made = zelf_client_new(settings.get(), &failure);
        if (!made) return error(failure);
        return client(made);
    }

    result<session> try_create(const session_options &options = {}) const
    {
        if (!options.get()) return error::of_moved("the session options have been moved from");
        zelf_error *failure = nullptr;
        zelf_session *created = zelf_session_create(get(), options.get(), &failure);
        if (!created) return error(failure);
        return session(created);
    }

    /** If the function returns a call, callback(result<session>) runs exactly once and is then
        destroyed on the same thread. Both may happen after the client was destroyed, unless
        shutdown() returned ZELF_OK before. */
    template <typename F>
    result<call> try_create_async(const session_options &options, F &&callback) const
    {
        if (!options.get()) return error::of_moved("the session options have been moved from");
        return detail::call_back<session>(std::forward<F>(callback), [&](auto... for_c) {
            return zelf_session_create_async(get(), options.get(), for_c...);
        });
    }

#ifdef ZELF_HPP_COROUTINES
private:
    // Before its uses, which need the type that it returns.
    template <bool Throws>
    auto co_create_as(const session_options &options, stop_token stop) const
    {
        return detail::await<session, Throws>(
            [this, &options](auto then) { return this->try_create_async(options, std::move(then)); },
            std::move(stop));
    }

    template <bool Throws>
    auto co_send_as(const request &what, session_view with, stop_token stop) const
    {
        return detail::await<response, Throws>(
            [this, &what, with](auto then) {
                return this->try_send_async(what, with, std::move(then));
            },
            std::move(stop));
    }

public:
    /** co_await client.try_co_send(what, session) is a result<response>. */
    auto try_co_send(const request &what, session_view with, stop_token stop = {}) const
    {
        return co_send_as<false>(what, with, std::move(stop));
    }
    /** co_await client.try_co_create(options) is a result<session>. */
    auto try_co_create(const session_options &options, stop_token stop = {}) const
    {
        return co_create_as<false>(options, std::move(stop));
    }
#ifdef ZELF_HPP_EXCEPTIONS
    /** co_await client.co_send(what, session) is a response. */
    auto co_send(const request &what, session_view with, stop_token stop = {}) const
    {
        return co_send_as<true>(what, with, std::move(stop));
    }
    /** co_await client.co_create(options) is a session. */
    auto co_create(const session_options &options, stop_token stop = {}) const
    {
        return co_create_as<true>(options, std::move(stop));
    }
#endif
#endif

    /** Sends a request with this session, which is not renewed. */
    result<response> try_send(const request &what, session_view with) const
    {
        if (!with.get()) return error::of_moved("the session has been moved from");
        return try_send_with(what, with.get());
    }
    /** Sends a request without a token. */
    result<response> try_send(const request &what) const { return try_send_with(what, nullptr); }

    /** callback(result<response>) runs as in try_create_async. The request may be changed or
        destroyed as soon as this function returns, and the session destroyed. */
    template <typename F>
    result<call> try_send_async(const request &what, session_view with, F &&callback) const
    {
        if (!with.get()) return error::of_moved("the session has been moved from");
        return try_send_async_with(what, with.get(), std::forward<F>(callback));
    }
    /** Without a token. */
    template <typename F>
    result<call> try_send_async(const request &what, F &&callback) const
    {
        return try_send_async_with(what, nullptr, std::forward<F>(callback));
    }

#ifdef ZELF_HPP_EXCEPTIONS
    client() : client(config()) {}
    explicit client(const config &settings) : client(try_make(settings).value()) {}
    session create(const session_options &options = {}) const
    {
        return try_create(options).value();
    }
    template <typename F>
    call create_async(const session_options &options, F &&callback) const
    {
        return try_create_async(options, std::forward<F>(callback)).value();
    }
    response send(const request &what, session_view with) const
    {
        return try_send(what, with).value();
    }
    response send(const request &what) const { return try_send(what).value(); }
    template <typename F>
    call send_async(const request &what, session_view with, F &&callback) const
    {
        return try_send_async(what, with, std::forward<F>(callback)).value();
    }
    template <typename F>
    call send_async(const request &what, F &&callback) const
    {
        return try_send_async(what, std::forward<F>(callback)).value();
    }
#endif

    /** The base URL, without "/" at its end. */
    std::string_view base_url() const noexcept
    {
        return detail::view(zelf_client_base_url(get())).value_or(std::string_view());
    }
    /** The Origin header, which a request with another HTTP client needs, too. */
    std::string_view origin() const noexcept
    {
        return detail::view(zelf_client_origin(get())).value_or(std::string_view());
    }

    /** After ZELF_OK no callback of an asynchronous call of this client runs. */
    zelf::status shutdown(std::chrono::milliseconds timeout) const noexcept
    {
        return zelf_client_shutdown(
            get(), timeout.count() > 0 ? detail::milliseconds(timeout) : 0);
    }
    /** For a client with config::dispatch: when the descriptor is readable, call dispatch(). */
    int descriptor() const noexcept { return zelf_client_descriptor(get()); }
    zelf::status dispatch() const noexcept { return zelf_client_dispatch(get()); }

    zelf_client *get() const noexcept { return client_.get(); }

private:
    template <typename F>
    result<call> try_send_async_with(const request &what, const zelf_session *with,
                                     F &&callback) const
    {
        if (!what.get()) return error::of_moved("the request has been moved from");
        return detail::call_back<response>(std::forward<F>(callback), [&](auto... for_c) {
            return zelf_session_send_async(get(), with, what.get(), for_c...);
        });
    }
    result<response> try_send_with(const request &what, const zelf_session *with) const
    {
        if (!what.get()) return error::of_moved("the request has been moved from");
        zelf_error *failure = nullptr;
        zelf_response *came = zelf_session_send(get(), with, what.get(), &failure);
        if (!came) return error(failure);
        return response(came);
    }

    std::unique_ptr<zelf_client, detail::freed_by<zelf_client_free>> client_;
};

/** The settings of a provider. All have defaults. */
class provider_options {
public:
    provider_options() : options_(zelf_provider_options_new()) {}

#define ZELF_HPP_SET(type, name, call)                                         \
    provider_options &(name)(type value) & { return call, *this; }             \
    [[nodiscard]] provider_options (name)(type value) && { return call, std::move(*this); }
    ZELF_HPP_SET(std::chrono::seconds, min_valid,
                 zelf_provider_options_set_min_valid_s(get(), detail::seconds(value)))
    ZELF_HPP_SET(zelf_renewal, renewal, zelf_provider_options_set_renewal(get(), value))
    ZELF_HPP_SET(bool, background, zelf_provider_options_set_background(get(), value))
    ZELF_HPP_SET(std::string_view, directory,
                 zelf_provider_options_set_directory(get(), detail::text(value).c_str()))
#undef ZELF_HPP_SET

    /** callback(zelf::session_view) runs for each new session of the provider, on a thread
        that renews: for one provider on one thread at a time, the newest session last. Providers
        with the same options may run it at the same time. The view is valid during the call. */
    template <typename F>
    provider_options &on_renewed(F &&callback) &
    {
        using callable = std::decay_t<F>;
        static_assert(std::is_invocable_v<callable &, session_view>,
                      "a renewed callback takes a zelf::session_view");
        zelf_provider_options_set_renewed_callback(
            get(),
            [](const zelf_session *renewed, void *data) noexcept {
                (*static_cast<callable *>(data))(session_view(renewed));
            },
            new callable(std::forward<F>(callback)),
            [](void *data) noexcept { delete static_cast<callable *>(data); });
        return *this;
    }
    template <typename F>
    [[nodiscard]] provider_options on_renewed(F &&callback) &&
    {
        on_renewed(std::forward<F>(callback));
        return std::move(*this);
    }

    zelf_provider_options *get() const noexcept { return options_.get(); }

private:
    std::unique_ptr<zelf_provider_options, detail::freed_by<zelf_provider_options_free>> options_;
};

/** Keeps one session and renews it. Any number of threads may use it at once. A provider may
    outlive its client. It then returns its current session until that session ends. */
class session_provider {
public:
    /** Takes ownership. */
    explicit session_provider(zelf_session_provider *from) noexcept : provider_(from) {}

    static result<session_provider> try_make(const client &with, const session_options &options,
                                             const provider_options &keeping = {})
    {
        if (!options.get()) return error::of_moved("the session options have been moved from");
        if (!keeping.get()) return error::of_moved("the provider options have been moved from");
        zelf_error *failure = nullptr;
        zelf_session_provider *made =
            zelf_session_provider_new(with.get(), options.get(), keeping.get(), &failure);
        if (!made) return error(failure);
        return session_provider(made);
    }

    /** Takes nanoseconds while the session is valid; otherwise waits for a new one. */
    result<session> try_get() const
    {
        zelf_error *failure = nullptr;
        zelf_session *got = zelf_session_provider_get(handle(), &failure);
        if (!got) return error(failure);
        return session(got);
    }

    /** The session that get() returns at once; std::nullopt if get() has work to do. */
    std::optional<session> current() const
    {
        zelf_session *at_once = zelf_session_provider_current(handle());
        return at_once ? std::optional<session>(session(at_once)) : std::nullopt;
    }

    /** callback(result<session>) runs as in client::try_create_async. */
    template <typename F>
    result<call> try_get_async(F &&callback) const
    {
        return detail::call_back<session>(std::forward<F>(callback), [&](auto... for_c) {
            return zelf_session_provider_get_async(handle(), for_c...);
        });
    }

    /** Sends a request with the session, and renews the session if the server refuses it. */
    result<response> try_send(const request &what) const
    {
        if (!what.get()) return error::of_moved("the request has been moved from");
        zelf_error *failure = nullptr;
        zelf_response *came = zelf_session_provider_send(handle(), what.get(), &failure);
        if (!came) return error(failure);
        return response(came);
    }

    /** callback(result<response>) runs as in client::try_create_async. The request may be
        changed or destroyed as soon as this function returns. */
    template <typename F>
    result<call> try_send_async(const request &what, F &&callback) const
    {
        if (!what.get()) return error::of_moved("the request has been moved from");
        return detail::call_back<response>(std::forward<F>(callback), [&](auto... for_c) {
            return zelf_session_provider_send_async(handle(), what.get(), for_c...);
        });
    }

#ifdef ZELF_HPP_COROUTINES
private:
    // Before its uses, which need the type that it returns.
    template <bool Throws>
    auto co_get_as(stop_token stop) const
    {
        return detail::await<session, Throws>(
            [this](auto then) { return this->try_get_async(std::move(then)); }, std::move(stop));
    }
    template <bool Throws>
    auto co_send_as(const request &what, stop_token stop) const
    {
        return detail::await<response, Throws>(
            [this, &what](auto then) { return this->try_send_async(what, std::move(then)); },
            std::move(stop));
    }

public:
    /** co_await provider.try_co_get() is a result<session>. */
    auto try_co_get(stop_token stop = {}) const { return co_get_as<false>(std::move(stop)); }
    /** co_await provider.try_co_send(what) is a result<response>. */
    auto try_co_send(const request &what, stop_token stop = {}) const
    {
        return co_send_as<false>(what, std::move(stop));
    }
#ifdef ZELF_HPP_EXCEPTIONS
    /** co_await provider.co_get() is a session. */
    auto co_get(stop_token stop = {}) const { return co_get_as<true>(std::move(stop)); }
    /** co_await provider.co_send(what) is a response. */
    auto co_send(const request &what, stop_token stop = {}) const
    {
        return co_send_as<true>(what, std::move(stop));
    }
#endif
#endif

#ifdef ZELF_HPP_EXCEPTIONS
    session_provider(const client &with, const session_options &options,
                     const provider_options &keeping = {})
        : session_provider(try_make(with, options, keeping).value())
    {
    }
    session get() const { return try_get().value(); }
    template <typename F>
    call get_async(F &&callback) const
    {
        return try_get_async(std::forward<F>(callback)).value();
    }
    response send(const request &what) const { return try_send(what).value(); }
    template <typename F>
    call send_async(const request &what, F &&callback) const
    {
        return try_send_async(what, std::forward<F>(callback)).value();
    }
#endif

    /** Reports a session that a route has refused. Returns true for the first report of the
        session that the provider holds. In both cases, repeat the request with the session of
        the next get(). */
    bool invalidate(session_view rejected) const noexcept
    {
        return zelf_session_provider_invalidate(handle(), rejected.get());
    }

    /** Invalidates the session if this answer of a route refuses it. For programs with
        another HTTP client. If it returns true, repeat the request once, with the session
        of the next get(). */
    bool invalidate_if_refused(session_view session, int http_status,
                               std::string_view body) const noexcept
    {
        return zelf_session_provider_invalidate_if_refused(
            handle(), session.get(), static_cast<std::int32_t>(http_status), body.data(),
            body.size());
    }

    /** The error of the last renewal; std::nullopt if it worked, or there was none. */
    std::optional<error> last_error() const
    {
        zelf_error *failure = zelf_session_provider_last_error(handle());
        return failure ? std::optional<error>(failure) : std::nullopt;
    }

    /** The C object. It has this name because get() returns a session. */
    zelf_session_provider *handle() const noexcept { return provider_.get(); }

private:
    std::unique_ptr<zelf_session_provider, detail::freed_by<zelf_session_provider_free>> provider_;
};

/** Makes an identifier for an installation, which should keep it. Empty if the system has no
    random numbers. */
inline std::string random_identifier()
{
    char text[ZELF_IDENTIFIER_SIZE];
    return zelf_identifier_random(text, sizeof text) == ZELF_OK ? text : std::string();
}

/** Derives an identifier from a device id. Empty if device_id is empty or contains a NUL. */
inline std::string derive_identifier(std::string_view device_id)
{
    char text[ZELF_IDENTIFIER_SIZE];
    const std::string from(device_id);
    if (from.find('\0') != std::string::npos) return std::string();
    return zelf_identifier_derive(from.c_str(), text, sizeof text) == ZELF_OK ? text : std::string();
}

} // namespace zelf

#undef ZELF_HPP_EXCEPTIONS
#undef ZELF_HPP_COROUTINES

#endif // C++17

#endif
