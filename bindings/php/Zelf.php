<?php

/**
 * Zelf.php: sessions of the Zelf API for PHP 8.2 and newer, by libzelf and the extension FFI.
 *
 *     $client = new Zelf\Client();
 *     $session = $client->create(new Zelf\SessionOptions(identifier: '5f0c6a3e8d2b4c71'));
 *     sendWith($session->authorization());
 *
 * A call that fails throws a Zelf\Error. A misuse throws another exception: TypeError for a
 * wrong type, ValueError for a number or string that C cannot take, LogicException for an object
 * that is closed.
 *
 * There is no log and no callback for renewed sessions. The library calls both on its own
 * thread, which PHP does not survive.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

declare(strict_types=1);

namespace Zelf;

// Written by bindings/generate from include/zelf.h: do not edit.
enum SessionType: int
{
    case General = 0;
    case CreateWallet = 1;
    case DecryptWallet = 2;
    case ImportWallet = 3;
}

enum Renewal: int
{
    case AtExpiry = 0;
    case NeverKill = 1;
    case Early = 2;
}

/** The numbers and declarations of zelf.h. */
final class Abi
{
    public const VERSION = '0.1.0';
    public const VERSION_MAJOR = 0;
    public const VERSION_MINOR = 1;
    public const VERSION_PATCH = 0;
    public const OK = 0;
    public const ERROR_INVALID_ARGUMENT = 1;
    public const ERROR_INVALID_CONFIG = 2;
    public const ERROR_PANIC = 3;
    public const ERROR_SYSTEM = 4;
    public const ERROR_CANCELLED = 5;
    public const ERROR_SHUT_DOWN = 6;
    public const ERROR_FORKED = 7;
    public const ERROR_DNS = 10;
    public const ERROR_CONNECT = 11;
    public const ERROR_TLS = 12;
    public const ERROR_TIMEOUT = 13;
    public const ERROR_CONNECTION_LOST = 14;
    public const ERROR_PIN_MISMATCH = 15;
    public const ERROR_PROXY = 16;
    public const ERROR_BAD_RESPONSE = 20;
    public const ERROR_RESPONSE_TOO_LARGE = 21;
    public const ERROR_REDIRECTED = 22;
    public const ERROR_REJECTED_ORIGIN = 30;
    public const ERROR_UNAUTHORIZED = 31;
    public const ERROR_FORBIDDEN = 32;
    public const ERROR_BAD_REQUEST = 33;
    public const ERROR_VALIDATION = 34;
    public const ERROR_NOT_FOUND = 35;
    public const ERROR_STARTING_UP = 36;
    public const ERROR_LIMIT_EXCEEDED = 37;
    public const ERROR_SESSION_NOT_ACTIVE = 38;
    public const ERROR_RATE_LIMITED = 39;
    public const ERROR_SERVER = 40;
    public const ERROR_UNEXPECTED_HTTP_STATUS = 41;
    public const ERROR_SESSION_EXPIRED = 50;
    public const ERROR_FOREIGN_SESSION = 51;
    public const ERROR_GHOST_SESSION = 52;
    public const ERROR_OTHER_OPTIONS = 53;
    public const LOG_ERROR = 1;
    public const LOG_WARNING = 2;
    public const LOG_INFO = 3;
    public const LOG_DEBUG = 4;
    public const IDENTIFIER_SIZE = 33;
    public const SESSION_TYPE_GENERAL = 0;
    public const SESSION_TYPE_CREATE_WALLET = 1;
    public const SESSION_TYPE_DECRYPT_WALLET = 2;
    public const SESSION_TYPE_IMPORT_WALLET = 3;
    public const RENEWAL_AT_EXPIRY = 0;
    public const RENEWAL_NEVER_KILL = 1;
    public const RENEWAL_EARLY = 2;
    public const DECLARATIONS = <<<'C'
        typedef struct zelf_error zelf_error;
        typedef struct zelf_config zelf_config;
        typedef struct zelf_client zelf_client;
        typedef struct zelf_session_options zelf_session_options;
        typedef struct zelf_session zelf_session;
        typedef struct zelf_call zelf_call;
        typedef struct zelf_provider_options zelf_provider_options;
        typedef struct zelf_session_provider zelf_session_provider;
        typedef struct zelf_request zelf_request;
        typedef struct zelf_response zelf_response;
        typedef int32_t zelf_status;
        typedef int32_t zelf_log_level;
        typedef int32_t zelf_session_type;
        typedef int32_t zelf_renewal;
        typedef void (*zelf_log_callback)(zelf_log_level level, const char *message, void *user_data);
        typedef void (*zelf_destroy_callback)(void *user_data);
        typedef void (*zelf_session_callback)(zelf_session *session, zelf_error *error, void *user_data);
        typedef void (*zelf_renewed_callback)(const zelf_session *session, void *user_data);
        typedef void (*zelf_response_callback)(zelf_response *response, zelf_error *error, void *user_data);
        const char *zelf_version(void);
        const char *zelf_status_name(zelf_status status);
        const char *zelf_status_message(zelf_status status);
        zelf_status zelf_error_status(const zelf_error *error);
        const char *zelf_error_message(const zelf_error *error);
        int32_t zelf_error_http_status(const zelf_error *error);
        const char *zelf_error_server_message(const zelf_error *error);
        bool zelf_error_is_retryable(const zelf_error *error);
        uint64_t zelf_error_retry_after_ms(const zelf_error *error);
        void zelf_error_free(zelf_error *error);
        zelf_config *zelf_config_new(void);
        void zelf_config_set_base_url(zelf_config *config, const char *url);
        void zelf_config_set_origin(zelf_config *config, const char *origin);
        void zelf_config_set_user_agent(zelf_config *config, const char *agent);
        void zelf_config_set_timeout_ms(zelf_config *config, uint32_t ms);
        void zelf_config_set_connect_timeout_ms(zelf_config *config, uint32_t ms);
        void zelf_config_set_max_attempts(zelf_config *config, uint32_t attempts);
        void zelf_config_set_ca_file(zelf_config *config, const char *pem_path);
        void zelf_config_set_ca_pem(zelf_config *config, const char *pem, size_t length);
        void zelf_config_add_pin(zelf_config *config, const char *spki_sha256_base64);
        void zelf_config_set_proxy(zelf_config *config, const char *url);
        void zelf_config_set_proxy_from_env(zelf_config *config, bool from_env);
        void zelf_config_set_log_callback(zelf_config *config, zelf_log_callback callback, void *user_data,
            zelf_destroy_callback destroy, zelf_log_level level);
        void zelf_config_set_dispatch(zelf_config *config, bool by_host);
        void zelf_config_free(zelf_config *config);
        zelf_client *zelf_client_new(const zelf_config *config, zelf_error **error);
        const char *zelf_client_base_url(const zelf_client *client);
        const char *zelf_client_origin(const zelf_client *client);
        zelf_status zelf_client_shutdown(zelf_client *client, uint32_t timeout_ms);
        int zelf_client_descriptor(zelf_client *client);
        zelf_status zelf_client_dispatch(zelf_client *client);
        void zelf_client_free(zelf_client *client);
        zelf_status zelf_identifier_derive(const char *device_id, char *out, size_t capacity);
        zelf_status zelf_identifier_random(char *out, size_t capacity);
        zelf_session_options *zelf_session_options_new(void);
        void zelf_session_options_set_identifier(zelf_session_options *options, const char *identifier);
        void zelf_session_options_set_type(zelf_session_options *options, zelf_session_type session_type);
        void zelf_session_options_set_web_extension(zelf_session_options *options, bool is_web_extension);
        void zelf_session_options_set_domain(zelf_session_options *options, const char *domain);
        void zelf_session_options_set_tag_name(zelf_session_options *options, const char *tag_name);
        void zelf_session_options_set_eth_address(zelf_session_options *options, const char *eth_address);
        void zelf_session_options_set_kill_session(zelf_session_options *options, bool kill_session);
        void zelf_session_options_set_confirm(zelf_session_options *options, bool confirm);
        void zelf_session_options_free(zelf_session_options *options);
        const char *zelf_session_token(const zelf_session *session);
        const char *zelf_session_authorization(const zelf_session *session);
        const char *zelf_session_id(const zelf_session *session);
        const char *zelf_session_identifier(const zelf_session *session);
        const char *zelf_session_domain(const zelf_session *session);
        const char *zelf_session_tag_name(const zelf_session *session);
        const char *zelf_session_eth_address(const zelf_session *session);
        int64_t zelf_session_activated_at(const zelf_session *session);
        int64_t zelf_session_expires_at(const zelf_session *session);
        int64_t zelf_session_seconds_left(const zelf_session *session);
        void zelf_session_free(zelf_session *session);
        void zelf_call_cancel(zelf_call *call);
        void zelf_call_free(zelf_call *call);
        zelf_session *zelf_session_create(zelf_client *client, const zelf_session_options *options,
            zelf_error **error);
        zelf_call *zelf_session_create_async(zelf_client *client, const zelf_session_options *options,
            zelf_session_callback callback, void *user_data, zelf_destroy_callback destroy,
            zelf_error **error);
        zelf_provider_options *zelf_provider_options_new(void);
        void zelf_provider_options_set_min_valid_s(zelf_provider_options *options, uint32_t seconds);
        void zelf_provider_options_set_renewal(zelf_provider_options *options, zelf_renewal renewal);
        void zelf_provider_options_set_background(zelf_provider_options *options, bool background);
        void zelf_provider_options_set_directory(zelf_provider_options *options, const char *path);
        void zelf_provider_options_set_renewed_callback(zelf_provider_options *options,
            zelf_renewed_callback callback, void *user_data, zelf_destroy_callback destroy);
        void zelf_provider_options_free(zelf_provider_options *options);
        zelf_session_provider *zelf_session_provider_new(zelf_client *client,
            const zelf_session_options *options, const zelf_provider_options *provider, zelf_error **error);
        zelf_session *zelf_session_provider_get(zelf_session_provider *provider, zelf_error **error);
        zelf_call *zelf_session_provider_get_async(zelf_session_provider *provider,
            zelf_session_callback callback, void *user_data, zelf_destroy_callback destroy,
            zelf_error **error);
        zelf_session *zelf_session_provider_current(zelf_session_provider *provider);
        bool zelf_session_provider_invalidate(zelf_session_provider *provider,
            const zelf_session *rejected);
        bool zelf_session_provider_invalidate_if_refused(zelf_session_provider *provider,
            const zelf_session *session, int32_t http_status, const void *body, size_t length);
        zelf_error *zelf_session_provider_last_error(const zelf_session_provider *provider);
        void zelf_session_provider_free(zelf_session_provider *provider);
        zelf_request *zelf_request_new(const char *method, const char *target);
        void zelf_request_set_header(zelf_request *request, const char *name, const char *value);
        void zelf_request_set_body(zelf_request *request, const void *bytes, size_t length,
            const char *content_type);
        void zelf_request_set_timeout_ms(zelf_request *request, uint32_t ms);
        void zelf_request_set_max_response_bytes(zelf_request *request, size_t bytes);
        void zelf_request_set_repeatable(zelf_request *request, bool repeatable);
        void zelf_request_free(zelf_request *request);
        int32_t zelf_response_http_status(const zelf_response *response);
        const char *zelf_response_header(const zelf_response *response, const char *name);
        const void *zelf_response_body(const zelf_response *response, size_t *length);
        const char *zelf_response_server_message(const zelf_response *response);
        void zelf_response_free(zelf_response *response);
        zelf_response *zelf_session_provider_send(zelf_session_provider *provider,
            const zelf_request *request, zelf_error **error);
        zelf_call *zelf_session_provider_send_async(zelf_session_provider *provider,
            const zelf_request *request, zelf_response_callback callback, void *user_data,
            zelf_destroy_callback destroy, zelf_error **error);
        zelf_response *zelf_session_send(zelf_client *client, const zelf_session *session,
            const zelf_request *request, zelf_error **error);
        zelf_call *zelf_session_send_async(zelf_client *client, const zelf_session *session,
            const zelf_request *request, zelf_response_callback callback, void *user_data,
            zelf_destroy_callback destroy, zelf_error **error);
        C;
}

// The end of what bindings/generate has written.

/** The loaded library. */
final class Library
{
    private static ?\FFI $ffi = null;
    private static ?\FFI $system = null;

    /**
     * Loads the library from this path or name, or from where the system's loader finds it.
     *
     * The first use of a class does it without a path.
     */
    public static function load(?string $path = null): void
    {
        if (self::$ffi !== null) {
            throw new \LogicException('The library is already loaded.');
        }
        $path ??= match (PHP_OS_FAMILY) {
            'Windows' => 'zelf.dll',
            'Darwin' => 'libzelf.dylib',
            default => 'libzelf.so.0',
        };
        // An older library lacks functions, so its version comes first.
        $version = \FFI::cdef('const char *zelf_version(void);', $path)->zelf_version();
        [$major, $minor] = \array_map('intval', \explode('.', $version));
        if ([$major, $minor] < [Abi::VERSION_MAJOR, Abi::VERSION_MINOR]) {
            $needed = Abi::VERSION;
            throw new \RuntimeException("$path has version $version, and $needed or newer is needed.");
        }
        self::$ffi = \FFI::cdef(Abi::DECLARATIONS, $path);
    }

    /** Returns the version of the library. */
    public static function version(): string
    {
        return self::ffi()->zelf_version();
    }

    /** @internal */
    public static function ffi(): \FFI
    {
        if (self::$ffi === null) {
            self::load();
        }
        return self::$ffi;
    }

    /**
     * Waits until a descriptor is readable, for so many milliseconds, or -1 for any time.
     *
     * @internal
     */
    public static function poll(int $descriptor, int $milliseconds): void
    {
        self::$system ??= \FFI::cdef('
            struct pollfd { int fd; short events, revents; };
            int poll(struct pollfd *fds, unsigned long count, int timeout);');
        $pollfd = self::$system->new('struct pollfd');
        $pollfd->fd = $descriptor;
        $pollfd->events = 1; // POLLIN
        self::$system->poll(\FFI::addr($pollfd), 1, $milliseconds);
    }

    /**
     * Calls the setters whose value is not null. A setter is called with the object first.
     *
     * @internal
     * @param array<string, string|int|bool|null> $settings
     */
    public static function set(\FFI\CData $object, string $setter, array $settings): void
    {
        foreach ($settings as $name => $value) {
            if ($value !== null) {
                self::ffi()->{$setter . $name}($object, self::checked($name, $value));
            }
        }
    }

    /**
     * Returns a value that C takes unchanged. C would cut the others: a string at its first
     * NUL, a number at 32 bits.
     *
     * @internal
     */
    public static function checked(string $name, string|int|bool $value): string|int|bool
    {
        [$least, $most] = match ($name) {
            'max_response_bytes' => [0, PHP_INT_MAX],
            'http_status' => [-0x80000000, 0x7FFFFFFF],
            default => [0, 0xFFFFFFFF],
        };
        $problem = match (true) {
            \is_string($value) && \str_contains($value, "\0") => 'must not contain any null bytes',
            \is_int($value) && ($value < $least || $value > $most) => "must be between $least and $most",
            default => null,
        };
        if ($problem !== null) {
            throw new \ValueError(\lcfirst(\str_replace('_', '', \ucwords($name, '_'))) . " $problem");
        }
        return $value;
    }

    /**
     * Returns a value of an array that must be a string, and one that C takes unchanged.
     *
     * @internal
     */
    public static function text(string $name, mixed $value): string
    {
        if (!\is_string($value)) {
            throw new \TypeError("$name must be of type string, " . \get_debug_type($value) . ' given');
        }
        return self::checked($name, $value);
    }

    /**
     * Frees an object of C once.
     *
     * If the handler of a signal throws at the end of a finally block that follows a return, PHP
     * runs the block a second time.
     *
     * @internal
     */
    public static function free(string $function, ?\FFI\CData &$object): void
    {
        $once = $object;
        $object = null;
        if ($once !== null) {
            self::ffi()->$function($once);
        }
    }

    /**
     * Calls a function of C that takes a zelf_error **, and returns its object.
     *
     * @internal
     */
    public static function call(string $function, mixed ...$arguments): \FFI\CData
    {
        $error = self::ffi()->new('zelf_error *');
        $object = self::ffi()->$function(...$arguments, ...[\FFI::addr($error)]);
        return $object ?? throw Error::take($error);
    }
}

/** Why a call failed. The classes in Zelf\Error are the kinds to catch. */
class Error extends \RuntimeException
{
    /**
     * @param int $status one of the Abi::ERROR_ numbers; a newer library may have others
     * @param string $name such as "ZELF_ERROR_TIMEOUT"
     * @param ?int $httpStatus of the answer, if one came
     * @param ?string $serverMessage the server's words
     * @param bool $retryable whether the same call may succeed later
     * @param ?float $retryAfter seconds to wait before that, if somebody asks for it
     */
    final public function __construct(
        string $message,
        public readonly int $status,
        public readonly string $name,
        public readonly ?int $httpStatus = null,
        public readonly ?string $serverMessage = null,
        public readonly bool $retryable = false,
        public readonly ?float $retryAfter = null,
    ) {
        parent::__construct($message, $status);
    }

    /**
     * Copies an error of C, and frees it.
     *
     * @internal
     */
    public static function take(\FFI\CData $pointer): self
    {
        $ffi = Library::ffi();
        $status = $ffi->zelf_error_status($pointer);
        $milliseconds = $ffi->zelf_error_retry_after_ms($pointer);
        $error = new (self::kind($status))(
            $ffi->zelf_error_message($pointer),
            $status,
            $ffi->zelf_status_name($status),
            $ffi->zelf_error_http_status($pointer) ?: null,
            $ffi->zelf_error_server_message($pointer),
            $ffi->zelf_error_is_retryable($pointer),
            match (true) {
                $milliseconds === 0 => null,
                // A uint64_t that does not fit.
                $milliseconds < 0 => INF,
                default => $milliseconds / 1000,
            },
        );
        $ffi->zelf_error_free($pointer);
        return $error;
    }

    /** @internal */
    public static function ofStatus(int $status): self
    {
        $ffi = Library::ffi();
        return new (self::kind($status))(
            $ffi->zelf_status_message($status),
            $status,
            $ffi->zelf_status_name($status),
        );
    }

    /** @return class-string<self> */
    private static function kind(int $status): string
    {
        return match ($status) {
            Abi::ERROR_INVALID_ARGUMENT => Error\InvalidArgument::class,
            Abi::ERROR_INVALID_CONFIG => Error\InvalidConfig::class,
            Abi::ERROR_CANCELLED => Error\Cancelled::class,
            Abi::ERROR_DNS, Abi::ERROR_CONNECT, Abi::ERROR_CONNECTION_LOST => Error\Connection::class,
            Abi::ERROR_TLS, Abi::ERROR_PIN_MISMATCH => Error\Tls::class,
            Abi::ERROR_TIMEOUT => Error\Timeout::class,
            Abi::ERROR_REJECTED_ORIGIN => Error\RejectedOrigin::class,
            Abi::ERROR_RATE_LIMITED => Error\RateLimited::class,
            Abi::ERROR_SERVER => Error\Server::class,
            default => self::class,
        };
    }
}

/** An object of C, until close or the end of the last reference frees it. */
abstract class Handle
{
    /** The name of the object, and the function that frees it. */
    protected const NAME = '';
    protected const FREE = '';

    /** @var ?\WeakMap<Handle, true> the objects that are not closed */
    private static ?\WeakMap $open = null;

    private ?\FFI\CData $pointer = null;

    /** @internal */
    protected function own(\FFI\CData $pointer): void
    {
        if (self::$open === null) {
            self::$open = new \WeakMap();
            \register_shutdown_function(self::endRequest(...));
        }
        self::$open[$this] = true;
        $this->pointer = $pointer;
    }

    /**
     * Frees all objects after a fatal error. PHP calls no destructors then, and the process may
     * live on for other requests.
     */
    private static function endRequest(): void
    {
        $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
        if (((\error_get_last()['type'] ?? 0) & $fatal) === 0) {
            return;
        }
        // After the shutdown functions of the program, which may use the objects.
        \register_shutdown_function(static function (): void {
            foreach (self::$open as $handle => $_) {
                $handle->__destruct();
            }
        });
    }

    /** @internal */
    public function pointer(): \FFI\CData
    {
        return $this->pointer ?? throw new \LogicException('The ' . static::NAME . ' is closed.');
    }

    /** Frees the object. It may be called again. */
    public function close(): void
    {
        $pointer = $this->pointer;
        $this->pointer = null;
        if ($pointer !== null) {
            unset(self::$open[$this]);
            $this->free($pointer);
        }
    }

    protected function free(\FFI\CData $pointer): void
    {
        Library::ffi()->{static::FREE}($pointer);
    }

    public function __destruct()
    {
        self::close();
    }

    private function __clone()
    {
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        return [];
    }

    /** @return array<string, mixed> */
    public function __serialize(): array
    {
        throw new \LogicException('A ' . static::NAME . ' cannot be serialized.');
    }
}

/** What to ask of a new session. zelf.h describes each option. */
final class SessionOptions
{
    public function __construct(
        public readonly ?string $identifier = null,
        public readonly ?SessionType $type = null,
        public readonly ?bool $webExtension = null,
        public readonly ?string $domain = null,
        public readonly ?string $tagName = null,
        public readonly ?string $ethAddress = null,
        public readonly ?bool $killSession = null,
        public readonly ?bool $confirm = null,
    ) {
    }

    /**
     * Calls a function with the options in C.
     *
     * @internal
     */
    public function use(callable $function): mixed
    {
        $object = Library::ffi()->zelf_session_options_new();
        try {
            Library::set($object, 'zelf_session_options_set_', [
                'identifier' => $this->identifier,
                'type' => $this->type?->value,
                'web_extension' => $this->webExtension,
                'domain' => $this->domain,
                'tag_name' => $this->tagName,
                'eth_address' => $this->ethAddress,
                'kill_session' => $this->killSession,
                'confirm' => $this->confirm,
            ]);
            return $function($object);
        } finally {
            Library::free('zelf_session_options_free', $object);
        }
    }
}

/** A session. The texts from its token are not verified. */
final class Session extends Handle
{
    protected const NAME = 'session';
    protected const FREE = 'zelf_session_free';

    /** @internal */
    public function __construct(\FFI\CData $pointer)
    {
        $this->own($pointer);
    }

    /** Returns the token, a secret. */
    public function token(): string
    {
        return Library::ffi()->zelf_session_token($this->pointer());
    }

    /** Returns the value of the Authorization header, a secret. */
    public function authorization(): string
    {
        return Library::ffi()->zelf_session_authorization($this->pointer());
    }

    public function id(): ?string
    {
        return Library::ffi()->zelf_session_id($this->pointer());
    }

    public function identifier(): ?string
    {
        return Library::ffi()->zelf_session_identifier($this->pointer());
    }

    public function domain(): ?string
    {
        return Library::ffi()->zelf_session_domain($this->pointer());
    }

    public function tagName(): ?string
    {
        return Library::ffi()->zelf_session_tag_name($this->pointer());
    }

    public function ethAddress(): ?string
    {
        return Library::ffi()->zelf_session_eth_address($this->pointer());
    }

    /** Returns when the session began, by the server's clock, or null if it did not say. */
    public function activatedAt(): ?\DateTimeImmutable
    {
        $seconds = Library::ffi()->zelf_session_activated_at($this->pointer());
        return $seconds === 0 ? null : new \DateTimeImmutable("@$seconds");
    }

    /** Returns when the session ends, by the server's clock. See secondsLeft. */
    public function expiresAt(): \DateTimeImmutable
    {
        return new \DateTimeImmutable('@' . Library::ffi()->zelf_session_expires_at($this->pointer()));
    }

    /** Returns how many seconds the session has left. It does not depend on the device's date. */
    public function secondsLeft(): int
    {
        return Library::ffi()->zelf_session_seconds_left($this->pointer());
    }
}

/** A request to any route of the server. zelf.h describes each setting. */
final class Request
{
    /**
     * @param string $target path and query; it begins with "/"
     * @param array<string, string> $headers
     * @param mixed $json a value that is encoded as JSON: the body, with its content type
     */
    public function __construct(
        public readonly string $method,
        public readonly string $target,
        public readonly array $headers = [],
        #[\SensitiveParameter]
        public readonly ?string $body = null,
        public readonly ?string $contentType = null,
        #[\SensitiveParameter]
        public readonly mixed $json = null,
        public readonly ?int $timeoutMs = null,
        public readonly ?int $maxResponseBytes = null,
        public readonly ?bool $repeatable = null,
    ) {
        if ($body !== null && $json !== null) {
            throw new \ValueError('a request has a body or json, not both');
        }
    }

    /**
     * Calls a function with the request in C.
     *
     * @internal
     */
    public function use(callable $function): mixed
    {
        $ffi = Library::ffi();
        $body = $this->body;
        $contentType = $this->contentType;
        if ($this->json !== null) {
            $body = \json_encode($this->json, JSON_THROW_ON_ERROR);
            $contentType ??= 'application/json';
        }
        $object = $ffi->zelf_request_new(
            Library::checked('method', $this->method),
            Library::checked('target', $this->target),
        );
        try {
            foreach ($this->headers as $name => $value) {
                $ffi->zelf_request_set_header(
                    $object,
                    Library::checked('a header', (string) $name),
                    Library::text((string) $name, $value),
                );
            }
            if ($body !== null) {
                Library::checked('contentType', $contentType ?? '');
                $ffi->zelf_request_set_body($object, $body, \strlen($body), $contentType);
            }
            Library::set($object, 'zelf_request_set_', [
                'timeout_ms' => $this->timeoutMs,
                'max_response_bytes' => $this->maxResponseBytes,
                'repeatable' => $this->repeatable,
            ]);
            return $function($object);
        } finally {
            Library::free('zelf_request_free', $object);
        }
    }
}

/** A complete answer of the server, with any status. */
final class Response extends Handle
{
    protected const NAME = 'response';
    protected const FREE = 'zelf_response_free';

    public readonly int $httpStatus;
    public readonly string $body;
    /** The server's words, if the status is 400 or more and there are any. */
    public readonly ?string $serverMessage;

    /** @internal */
    public function __construct(\FFI\CData $pointer)
    {
        $this->own($pointer);
        $ffi = Library::ffi();
        $length = $ffi->new('size_t');
        $bytes = $ffi->zelf_response_body($pointer, \FFI::addr($length));
        $this->body = \FFI::string($bytes, $length->cdata);
        $this->httpStatus = $ffi->zelf_response_http_status($pointer);
        $this->serverMessage = $ffi->zelf_response_server_message($pointer);
    }

    /** Returns the first header with this name, in any case. */
    public function header(string $name): ?string
    {
        return Library::ffi()->zelf_response_header($this->pointer(), Library::checked('name', $name));
    }

    /** Returns the body as a value. A body that is no JSON throws a JsonException. */
    public function json(): mixed
    {
        return \json_decode($this->body, true, 512, JSON_THROW_ON_ERROR);
    }

    public function __debugInfo(): array
    {
        return ['httpStatus' => $this->httpStatus, 'serverMessage' => $this->serverMessage];
    }
}

/** Creates sessions with one set of settings. zelf.h describes each setting. */
final class Client extends Handle
{
    protected const NAME = 'client';
    protected const FREE = 'zelf_client_free';

    /** The base URL of the API, without "/" at its end. */
    public readonly string $baseUrl;
    /** The Origin header, which the server requires. */
    public readonly string $origin;

    /**
     * Calls under way, by number.
     *
     * @var array<int, Call>
     */
    private array $pending = [];

    /** @param list<string> $pins */
    public function __construct(
        ?string $baseUrl = null,
        ?string $origin = null,
        ?string $userAgent = null,
        ?int $timeoutMs = null,
        ?int $connectTimeoutMs = null,
        ?int $maxAttempts = null,
        ?string $caFile = null,
        ?string $caPem = null,
        array $pins = [],
        #[\SensitiveParameter]
        ?string $proxy = null,
        ?bool $proxyFromEnv = null,
    ) {
        $ffi = Library::ffi();
        $config = $ffi->zelf_config_new();
        try {
            Library::set($config, 'zelf_config_set_', [
                'base_url' => $baseUrl,
                'origin' => $origin,
                'user_agent' => $userAgent,
                'timeout_ms' => $timeoutMs,
                'connect_timeout_ms' => $connectTimeoutMs,
                'max_attempts' => $maxAttempts,
                'ca_file' => $caFile,
                'proxy' => $proxy,
                'proxy_from_env' => $proxyFromEnv,
                // The library refuses it on Windows. There only blocking calls are available.
                'dispatch' => PHP_OS_FAMILY !== 'Windows',
            ]);
            if ($caPem !== null) {
                $ffi->zelf_config_set_ca_pem($config, $caPem, \strlen($caPem));
            }
            foreach ($pins as $pin) {
                $ffi->zelf_config_add_pin($config, Library::text('a pin', $pin));
            }
            $this->own(Library::call('zelf_client_new', $config));
        } finally {
            Library::free('zelf_config_free', $config);
        }
        $this->baseUrl = $ffi->zelf_client_base_url($this->pointer());
        $this->origin = $ffi->zelf_client_origin($this->pointer());
    }

    /** Creates a session, and blocks until it is there. */
    public function create(SessionOptions $options = new SessionOptions()): Session
    {
        return $options->use(fn ($object) => new Session(
            Library::call('zelf_session_create', $this->pointer(), $object),
        ));
    }

    /** Sends a request with a session, or with none. It renews nothing. */
    public function send(?Session $session, Request $request): Response
    {
        return $request->use(fn ($object) => new Response(
            Library::call('zelf_session_send', $this->pointer(), $session?->pointer(), $object),
        ));
    }

    /**
     * Starts to create a session.
     *
     * @return Call<Session>
     */
    public function start(SessionOptions $options = new SessionOptions()): Call
    {
        return $options->use(fn ($object) => $this->begin(
            Session::class,
            'zelf_session_create_async',
            $this->pointer(),
            $object,
        ));
    }

    /**
     * Starts to send a request with a session, or with none. It renews nothing.
     *
     * @return Call<Response>
     */
    public function startSend(?Session $session, Request $request): Call
    {
        return $request->use(fn ($object) => $this->begin(
            Response::class,
            'zelf_session_send_async',
            $this->pointer(),
            $session?->pointer(),
            $object,
        ));
    }

    /**
     * Starts a call of C that ends with callback, user_data, destroy and error.
     *
     * @internal
     * @template T of Session|Response
     * @param class-string<T> $class
     * @return Call<T>
     */
    public function begin(string $class, string $function, mixed ...$arguments): Call
    {
        if (PHP_OS_FAMILY === 'Windows') {
            throw new \LogicException('Asynchronous calls are not available on Windows.');
        }
        $hold = new SignalHold();
        [$callback, $number, $userData] = Callbacks::next($class);
        $pointer = Library::call($function, ...$arguments, ...[$callback, $userData, null]);
        $call = new Call($pointer, $this, $number, $class);
        Callbacks::$calls[$number] = \WeakReference::create($call);
        $this->pending[$number] = $call;
        $hold->end();
        return $call;
    }

    /** Returns a descriptor that is readable while results are there. Do not read from it. */
    public function descriptor(): int
    {
        $descriptor = Library::ffi()->zelf_client_descriptor($this->pointer());
        if ($descriptor < 0) {
            // The system has none left, or this is a forked child, which dispatch refuses.
            $this->dispatch();
            throw Error::ofStatus(Abi::ERROR_SYSTEM);
        }
        return $descriptor;
    }

    /**
     * Returns a stream for an event loop. It is readable while results are there.
     *
     * Its descriptor is a copy. PHP makes such a stream only on the command line.
     *
     * @return resource
     */
    public function stream()
    {
        if (PHP_SAPI !== 'cli') {
            throw new \LogicException('A stream is available only on the command line.');
        }
        $stream = \fopen('php://fd/' . $this->descriptor(), 'r');
        return $stream !== false ? $stream : throw Error::ofStatus(Abi::ERROR_SYSTEM);
    }

    /** Hands over the results that are there. */
    public function dispatch(): void
    {
        $this->check($this->run('zelf_client_dispatch', $this->pointer()));
    }

    /** Cancels all calls, hands their results over, and takes no more calls. */
    public function shutdown(int $timeoutMs = 0): void
    {
        Library::checked('timeoutMs', $timeoutMs);
        $this->check($this->run('zelf_client_shutdown', $this->pointer(), $timeoutMs));
    }

    /** Cancels all calls, hands their results over, and frees the client. */
    public function close(): void
    {
        parent::close();
        // Calls of the process that forked this one have no result here.
        foreach ($this->pending as $number => $call) {
            unset($this->pending[$number]);
            $call->settle(null, Error::ofStatus(Abi::ERROR_FORKED));
            Call::continueAll([$call]);
        }
    }

    protected function free(\FFI\CData $pointer): void
    {
        $this->run(self::FREE, $pointer);
    }

    public function __destruct()
    {
        // Nothing waits for these calls any more. A callback here would run as the script ends.
        foreach ($this->pending as $call) {
            $call->forget();
        }
        parent::__destruct();
    }

    /** Calls a function of C that runs callbacks, then hands the results over. */
    private function run(string $function, mixed ...$arguments): int
    {
        $hold = new SignalHold();
        $status = Library::ffi()->$function(...$arguments);
        $settled = [];
        foreach (Callbacks::take($this) as [$call, $pointer, $error]) {
            unset($this->pending[$call->number]);
            $call->settle($pointer, $error === null ? null : Error::take($error));
            $settled[] = $call;
        }
        try {
            $hold->end();
        } finally {
            Call::continueAll($settled);
        }
        // PHP has an object for void.
        return \is_int($status) ? $status : Abi::OK;
    }

    private function check(int $status): void
    {
        if ($status !== Abi::OK) {
            throw Error::ofStatus($status);
        }
    }
}

/**
 * A call under way. It needs no close: it frees its handle when it has a result.
 *
 * @template T of Session|Response
 */
final class Call extends Handle
{
    protected const NAME = 'call';
    protected const FREE = 'zelf_call_free';

    private bool $isSettled = false;
    /** @var ?T */
    private Session|Response|null $result = null;
    private ?Error $error = null;
    /** @var list<callable(?T, ?Error): mixed> */
    private array $continuations = [];

    /**
     * @internal
     * @param class-string<T> $class
     */
    public function __construct(
        ?\FFI\CData $pointer,
        /** @internal */
        public readonly Client $client,
        /** @internal */
        public readonly int $number,
        private readonly string $class,
    ) {
        if ($pointer !== null) {
            $this->own($pointer);
        }
    }

    /** Cancels the call: result throws an Error\Cancelled, unless it has another result. */
    public function cancel(): void
    {
        if (!$this->isSettled) {
            Library::ffi()->zelf_call_cancel($this->pointer());
        }
    }

    public function isSettled(): bool
    {
        return $this->isSettled;
    }

    /**
     * Calls a function with the session or response, or with null and the error.
     *
     * Client::dispatch does it, or another function that hands the result over: wait, shutdown,
     * close. If the result is there, it is done at once.
     *
     * @param callable(?T, ?Error): mixed $continuation
     * @return $this
     */
    public function onSettled(callable $continuation): static
    {
        if ($this->isSettled) {
            $continuation($this->result, $this->error);
        } else {
            $this->continuations[] = $continuation;
        }
        return $this;
    }

    /**
     * Waits for the result and returns it. After so many seconds without one it returns null.
     *
     * @return ?T
     */
    public function wait(?float $timeout = null): Session|Response|null
    {
        $deadline = $timeout === null ? null : \hrtime(true) / 1e9 + $timeout;
        while (true) {
            if (!$this->isSettled) {
                $this->client->dispatch();
            }
            if ($this->isSettled) {
                return $this->result();
            }
            $left = $deadline === null ? null : \max(0, $deadline - \hrtime(true) / 1e9);
            if ($left === 0) {
                return null;
            }
            $milliseconds = $left === null ? -1 : (int) \min(\ceil($left * 1000), 0x7FFFFFFF);
            Library::poll($this->client->descriptor(), $milliseconds);
        }
    }

    /**
     * Returns the result, or throws the error.
     *
     * @return T
     */
    public function result(): Session|Response
    {
        if (!$this->isSettled) {
            throw new \LogicException('The call has no result yet.');
        }
        return $this->result ?? throw $this->error;
    }

    /** @internal */
    public function settle(?\FFI\CData $pointer, ?Error $error): void
    {
        $this->isSettled = true;
        $this->result = $pointer === null ? null : new ($this->class)($pointer);
        $this->error = $error;
        $this->close();
    }

    /** @internal */
    public function forget(): void
    {
        $this->continuations = [];
    }

    /**
     * Calls all functions, then throws the first exception of them.
     *
     * @internal
     * @param list<Call> $calls
     */
    public static function continueAll(array $calls): void
    {
        $thrown = null;
        foreach ($calls as $call) {
            $continuations = $call->continuations;
            $call->continuations = [];
            foreach ($continuations as $continuation) {
                try {
                    $continuation($call->result, $call->error);
                } catch (\Throwable $exception) {
                    $thrown ??= $exception;
                }
            }
        }
        if ($thrown !== null) {
            throw $thrown;
        }
    }

    public function __debugInfo(): array
    {
        return ['isSettled' => $this->isSettled];
    }
}

/**
 * Holds the handlers of pcntl_async_signals back until its end.
 *
 * They may throw. PHP does not allow that in a callback, and elsewhere a result would be lost.
 *
 * @internal
 */
final class SignalHold
{
    private bool $isNeeded;

    public function __construct()
    {
        $this->isNeeded = \function_exists('pcntl_async_signals') && \pcntl_async_signals();
        if ($this->isNeeded) {
            try {
                \pcntl_async_signals(false);
            } catch (\Throwable $thrown) {
                // The handler of a signal that came just before. PHP does not run the destructor then.
                \pcntl_async_signals(true);
                throw $thrown;
            }
        }
    }

    /** Runs the handlers of the signals that have come. */
    public function end(): void
    {
        if ($this->isNeeded) {
            $this->isNeeded = false;
            \pcntl_async_signals(true);
            \pcntl_signal_dispatch();
        }
    }

    public function __destruct()
    {
        $this->end();
    }
}

/**
 * The two functions that C calls back, for all calls.
 *
 * They only keep the result. An exception must not leave them, a fiber cannot be suspended in
 * them, and PHP frees what it makes for a callback only at the end of the request.
 *
 * @internal
 */
final class Callbacks
{
    /**
     * Calls by number. A client holds its calls.
     *
     * @var array<int, \WeakReference<Call>>
     */
    public static array $calls = [];

    /** @var list<array{int, ?\FFI\CData, ?\FFI\CData, string}> */
    private static array $results = [];
    private static int $number = 0;
    private static ?\FFI\CData $functions = null;

    /**
     * Returns the callback for this class, the number of a new call, and its user_data.
     *
     * @return array{\FFI\CData, int, \FFI\CData}
     */
    public static function next(string $class): array
    {
        $ffi = Library::ffi();
        if (self::$functions === null) {
            self::$functions = $ffi->new(
                'struct { zelf_session_callback session; zelf_response_callback response; }',
            );
            self::$functions->session = self::keeper('zelf_session_free');
            self::$functions->response = self::keeper('zelf_response_free');
        }
        $userData = $ffi->new('void *');
        $ffi->cast('intptr_t *', \FFI::addr($userData))[0] = ++self::$number;
        $name = $class === Session::class ? 'session' : 'response';
        return [self::$functions->$name, self::$number, $userData];
    }

    private static function keeper(string $free): \Closure
    {
        return static function ($result, $error, $userData) use ($free): void {
            $number = Library::ffi()->cast('intptr_t *', \FFI::addr($userData))[0];
            self::$results[] = [$number, $result, $error, $free];
        };
    }

    /**
     * Takes the results of a client, and frees those of calls that nobody holds.
     *
     * @return list<array{Call, ?\FFI\CData, ?\FFI\CData}>
     */
    public static function take(Client $client): array
    {
        $taken = $others = [];
        foreach (self::$results as $result) {
            [$number, $pointer, $error, $free] = $result;
            $call = (self::$calls[$number] ?? null)?->get();
            if ($call !== null && $call->client !== $client) {
                $others[] = $result;
                continue;
            }
            unset(self::$calls[$number]);
            if ($call !== null) {
                $taken[] = [$call, $pointer, $error];
            } else {
                Library::ffi()->$free($pointer);
                Library::ffi()->zelf_error_free($error);
            }
        }
        self::$results = $others;
        return $taken;
    }
}

/** Keeps one session and renews it. zelf.h describes each option. */
final class SessionProvider extends Handle
{
    protected const NAME = 'session provider';
    protected const FREE = 'zelf_session_provider_free';

    public function __construct(
        private readonly Client $client,
        SessionOptions $options,
        ?int $minValidS = null,
        ?Renewal $renewal = null,
        ?bool $background = null,
        ?string $directory = null,
    ) {
        $ffi = Library::ffi();
        $object = $ffi->zelf_provider_options_new();
        try {
            Library::set($object, 'zelf_provider_options_set_', [
                'min_valid_s' => $minValidS,
                'renewal' => $renewal?->value,
                'background' => $background,
                'directory' => $directory,
            ]);
            $options->use(fn ($sessionOptions) => $this->own(Library::call(
                'zelf_session_provider_new',
                $client->pointer(),
                $sessionOptions,
                $object,
            )));
        } finally {
            Library::free('zelf_provider_options_free', $object);
        }
    }

    /** Returns a valid session. It blocks only while there is none. */
    public function get(): Session
    {
        return new Session(Library::call('zelf_session_provider_get', $this->pointer()));
    }

    /**
     * Starts to get a session. With a valid session the call is already settled.
     *
     * @return Call<Session>
     */
    public function startGet(): Call
    {
        $session = Library::ffi()->zelf_session_provider_current($this->pointer());
        if ($session !== null) {
            $call = new Call(null, $this->client, 0, Session::class);
            $call->settle($session, null);
            return $call;
        }
        return $this->client->begin(Session::class, 'zelf_session_provider_get_async', $this->pointer());
    }

    /** Tells the provider that a route refused this session. Returns whether it held it. */
    public function invalidate(Session $session): bool
    {
        return Library::ffi()->zelf_session_provider_invalidate($this->pointer(), $session->pointer());
    }

    /**
     * Invalidates the session if this answer refuses it, and returns whether it does.
     *
     * Then repeat the request once with the session of the next get.
     */
    public function invalidateIfRefused(Session $session, int $httpStatus, string $body): bool
    {
        return Library::ffi()->zelf_session_provider_invalidate_if_refused(
            $this->pointer(),
            $session->pointer(),
            Library::checked('http_status', $httpStatus),
            $body,
            \strlen($body),
        );
    }

    /** Returns why the last renewal failed, or null. */
    public function lastError(): ?Error
    {
        $error = Library::ffi()->zelf_session_provider_last_error($this->pointer());
        return $error === null ? null : Error::take($error);
    }

    /** Sends a request with the session, and renews that if the server refuses it. */
    public function send(Request $request): Response
    {
        return $request->use(fn ($object) => new Response(
            Library::call('zelf_session_provider_send', $this->pointer(), $object),
        ));
    }

    /**
     * Starts to send a request.
     *
     * @return Call<Response>
     */
    public function startSend(Request $request): Call
    {
        return $request->use(fn ($object) => $this->client->begin(
            Response::class,
            'zelf_session_provider_send_async',
            $this->pointer(),
            $object,
        ));
    }

    /**
     * Sends a request by another HTTP client, with the session, and once more if the answer
     * refuses the session.
     *
     * The function must not follow redirects to another host with these headers.
     *
     * @template A of array{int, string}
     * @param string $target a path that begins with "/": the token goes only to the base URL
     * @param callable(string $url, array<string, string> $headers): A $send returns the HTTP
     *     status, the body and anything else
     * @return A
     */
    public function sendBy(string $target, callable $send): array
    {
        if (!\str_starts_with($target, '/')) {
            throw new \ValueError('The target must begin with "/": the token goes only to the base URL.');
        }
        $attempt = fn (Session $session): array => $send($this->client->baseUrl . $target, [
            'Authorization' => $session->authorization(),
            'Origin' => $this->client->origin,
        ]);
        $session = $this->get();
        $answer = $attempt($session);
        $isRefused = $this->invalidateIfRefused($session, $answer[0], \substr($answer[1], 0, 65536));
        return $isRefused ? $attempt($this->get()) : $answer;
    }
}

/** Makes identifiers of devices. */
final class Identifier
{
    /** Derives an identifier from a device id, such as a serial number. Keep the result. */
    public static function derive(string $deviceId): string
    {
        return self::make('zelf_identifier_derive', Library::checked('deviceId', $deviceId));
    }

    /** Makes a random identifier. Keep it. */
    public static function random(): string
    {
        return self::make('zelf_identifier_random');
    }

    private static function make(string $function, string ...$arguments): string
    {
        $out = Library::ffi()->new('char[' . Abi::IDENTIFIER_SIZE . ']');
        $status = Library::ffi()->$function(...$arguments, ...[$out, Abi::IDENTIFIER_SIZE]);
        return $status === Abi::OK ? \FFI::string($out) : throw Error::ofStatus($status);
    }
}

namespace Zelf\Error;

use Zelf\Error;

/** An argument is unusable. The message names it. */
final class InvalidArgument extends Error
{
}

/** A setting of the client is unusable. The message names it. */
final class InvalidConfig extends Error
{
}

/** The call was cancelled. */
final class Cancelled extends Error
{
}

/** The name could not be resolved, no connection could be made, or it broke. */
final class Connection extends Error
{
}

/** No secure connection could be made, or the server's key is not pinned. */
final class Tls extends Error
{
}

/** A time limit has passed. */
final class Timeout extends Error
{
}

/** The server does not accept the origin. */
final class RejectedOrigin extends Error
{
}

/** There were too many requests: see retryAfter. */
final class RateLimited extends Error
{
}

/** The server failed. */
final class Server extends Error
{
}
