<?php

// Tests of the installed package against the sandbox of the ZELF_ variables. ZELF_HEADER is the
// path of zelf.h, ZELF_LIBRARY that of the library, ZELF_OUT a folder with libraries that the
// tests need.

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Zelf\{Abi, Client, Error, Identifier, Library, Renewal, Request, SessionOptions, SessionProvider, SessionType};

final class ZelfTest extends TestCase
{
    private const STALL = ['kind' => 'stall', 'stage' => 'headers', 'path' => '/api/sessions'];

    private static Client $client;

    public static function setUpBeforeClass(): void
    {
        Library::load(getenv('ZELF_LIBRARY'));
        self::$client = self::client();
    }

    protected function tearDown(): void
    {
        self::sandbox('DELETE', '/faults');
    }

    private static function client(mixed ...$settings): Client
    {
        return new Client(...$settings + ['baseUrl' => getenv('ZELF_HTTPS'), 'caFile' => getenv('ZELF_CA')]);
    }

    private static function identifier(string $identifier): SessionOptions
    {
        return new SessionOptions(identifier: "php-$identifier");
    }

    private static function sandbox(string $method, string $path, ?array $value = null): mixed
    {
        $answer = file_get_contents(getenv('ZELF_CONTROL') . "/sandbox$path", false, stream_context_create([
            'http' => [
                'method' => $method,
                'header' => 'Content-Type: application/json',
                'content' => $value === null ? '' : json_encode((object) $value),
            ],
        ]));
        self::assertIsString($answer);
        return json_decode($answer, true);
    }

    private static function fault(array $fault): void
    {
        self::sandbox('POST', '/faults', $fault);
    }

    private static function answer(int $status, array $more): void
    {
        self::fault(['kind' => 'answer', 'status' => $status, 'path' => '/api/sessions'] + $more);
    }

    /** Counts the requests that the sandbox got. */
    private static function requests(string $path): int
    {
        $requests = self::sandbox('GET', '/requests')['requests'];
        return count(array_filter($requests, fn ($request) => str_starts_with($request['path'], $path)));
    }

    /** Returns what a function throws, which has this class. */
    private static function thrown(string $class, callable $run): Throwable
    {
        try {
            $run();
        } catch (Throwable $thrown) {
            self::assertSame($class, $thrown::class, (string) $thrown);
            return $thrown;
        }
        self::fail("no $class was thrown");
    }

    /** Returns the error of a function, which has this status. */
    private static function error(string $class, string $name, callable $run): Error
    {
        $error = self::thrown($class, $run);
        self::assertSame("ZELF_$name", $error->name);
        self::assertSame(constant("Zelf\\Abi::$name"), $error->status);
        self::assertSame($error->status, $error->getCode());
        self::assertNotSame('', $error->getMessage());
        return $error;
    }

    private static function assertBetween(float $low, float $high, float $value): void
    {
        self::assertGreaterThanOrEqual($low, $value);
        self::assertLessThanOrEqual($high, $value);
    }

    private static function descriptors(): int
    {
        return count(scandir('/proc/self/fd'));
    }

    /** Runs a function in a forked child and returns what it returns: a number from 0 to 255. */
    private static function inChild(callable $run): int
    {
        $pid = pcntl_fork();
        if ($pid === 0) {
            $status = 255;
            try {
                $status = $run();
            } catch (Throwable $thrown) {
                fwrite(STDERR, "$thrown\n");
            }
            // Without the destructors and the output of PHPUnit.
            FFI::cdef('void _exit(int status);')->_exit($status);
        }
        pcntl_waitpid($pid, $status);
        return pcntl_wexitstatus($status);
    }

    /** Runs a program of PHP in another process. Returns its status, output and duration. */
    private static function program(string $text): array
    {
        $path = getenv('ZELF_OUT') . '/program.php';
        $autoload = getcwd() . '/vendor/autoload.php';
        file_put_contents($path, "<?php require '$autoload'; use Zelf\\{Client, Error, Library, SessionOptions};\n$text");
        $begin = microtime(true);
        // A signal gives 128 and its number.
        exec("timeout 20 php $path 2>&1", $output, $status);
        return [$status, implode("\n", $output), microtime(true) - $begin];
    }

    // The table

    private static function header(): string
    {
        // Without the functions that exist on Android only.
        return preg_replace('/^#if defined\(__ANDROID__\)\n.*?^#endif\n/ms', '', file_get_contents(getenv('ZELF_HEADER')));
    }

    /** @testdox PHP declares every function of the header, and the library has it */
    public function testFunctions(): void
    {
        $count = preg_match_all('/[\s*](zelf_\w+)\([^)]*\);/', self::header(), $matches);
        self::assertGreaterThan(70, $count);
        foreach ($matches[1] as $name) {
            // FFI resolves all functions of its declarations when it loads.
            self::assertStringContainsString("$name(", Abi::DECLARATIONS);
            self::assertIsObject(Library::ffi()->$name);
        }
    }

    /** @testdox PHP has every constant of the header, with its value */
    public function testConstants(): void
    {
        preg_match_all('/^#define ZELF_([A-Z_]+) (["\d].*)$/m', self::header(), $matches, PREG_SET_ORDER);
        self::assertGreaterThanOrEqual(50, count($matches));
        foreach ($matches as [, $name, $value]) {
            self::assertSame(json_decode($value), constant("Zelf\\Abi::$name"), $name);
        }
        self::assertSame(Abi::SESSION_TYPE_IMPORT_WALLET, SessionType::ImportWallet->value);
        self::assertCount(4, SessionType::cases());
        self::assertSame(Abi::RENEWAL_EARLY, Renewal::Early->value);
        self::assertCount(3, Renewal::cases());
    }

    /** @testdox PHP has every setting of the header but those with callbacks */
    public function testSettings(): void
    {
        $classes = [
            'config' => Client::class, 'session_options' => SessionOptions::class,
            'provider_options' => SessionProvider::class, 'request' => Request::class,
        ];
        $others = ['dispatch' => null, 'header' => 'headers'];
        $count = preg_match_all('/void zelf_([a-z_]+?)_set_([a-z_]+)\(/', self::header(), $matches, PREG_SET_ORDER);
        self::assertGreaterThan(25, $count);
        foreach ($matches as [, $object, $name]) {
            $name = array_key_exists($name, $others) ? $others[$name] : $name;
            if ($name === null || str_ends_with($name, 'callback')) {
                continue;
            }
            $parameters = (new ReflectionMethod($classes[$object], '__construct'))->getParameters();
            $names = array_map(fn ($parameter) => $parameter->getName(), $parameters);
            self::assertContains(lcfirst(str_replace('_', '', ucwords($name, '_'))), $names);
        }
    }

    /** @testdox PHP refuses a library that is too old, with its version */
    public function testOldLibrary(): void
    {
        [, $output] = self::program("Library::load(getenv('ZELF_OUT') . '/old.so');");
        self::assertStringContainsString('has version 0.0.9, and ' . Abi::VERSION, $output);
    }

    /** @testdox a newer library may have a status that PHP does not know */
    public function testNewerLibrary(): void
    {
        [$status, $output] = self::program('
            Library::load(getenv("ZELF_OUT") . "/newer.so");
            try {
                new Client(baseUrl: "ftp://x");
            } catch (Error $error) {
                echo get_class($error), $error->status, $error->name;
            }');
        self::assertSame([0, 'Zelf\Error999ZELF_ERROR_UNKNOWN'], [$status, $output]);
    }

    // Sessions

    /** @testdox PHP creates a session over HTTPS, with its token and times */
    public function testSession(): void
    {
        $session = self::$client->create(self::identifier('session'));
        self::assertStringStartsWith('eyJ', $session->token());
        self::assertSame("Bearer {$session->token()}", $session->authorization());
        self::assertSame('php-session', $session->identifier());
        self::assertBetween(590, 600, $session->secondsLeft());
        $began = $session->activatedAt()->getTimestamp();
        self::assertSame(600, $session->expiresAt()->getTimestamp() - $began);
        self::assertBetween(time() - 60, time() + 60, $began);
        self::assertNotSame('', $session->id());
    }

    /** @testdox a session of PHP has the options that were asked for */
    public function testOptions(): void
    {
        $session = self::$client->create(new SessionOptions(
            identifier: 'php-options',
            type: SessionType::CreateWallet,
            webExtension: true,
            domain: 'avax',
            tagName: 'php.avax',
            ethAddress: '0x00',
            confirm: true,
        ));
        self::assertSame('avax', $session->domain());
        self::assertSame('php.avax', $session->tagName());
        self::assertSame('0x00', $session->ethAddress());
        self::assertNull(self::$client->create(self::identifier('plain'))->tagName());
        $other = self::$client->create(new SessionOptions(identifier: 'php-plain', killSession: true));
        self::assertNotSame(self::$client->create(self::identifier('options'))->id(), $other->id());
    }

    /** @testdox a client of PHP takes certificates and pins from memory */
    public function testSettingsOfClient(): void
    {
        $client = self::client(
            caFile: null,
            caPem: file_get_contents(getenv('ZELF_CA')),
            pins: [getenv('ZELF_PIN'), str_repeat('A', 43) . '='],
            userAgent: 'php-test',
            origin: 'https://app.example',
            timeoutMs: 10000,
            connectTimeoutMs: 5000,
            maxAttempts: 2,
            proxyFromEnv: false,
        );
        $client->create(self::identifier('pinned'));
        $headers = json_encode(self::sandbox('GET', '/requests')['requests'], JSON_UNESCAPED_SLASHES);
        self::assertStringContainsString('php-test', $headers);
        self::assertStringContainsString('https://app.example', $headers);
    }

    /** @testdox a client of PHP has the base URL in normal form, and the origin */
    public function testBaseUrl(): void
    {
        $url = getenv('ZELF_HTTPS');
        $client = self::client(baseUrl: strtoupper($url) . '/');
        self::assertSame([$url, $url], [$client->baseUrl, $client->origin]);
        self::assertSame('https://app.example', self::client(origin: 'https://app.example')->origin);
    }

    /** @testdox PHP derives identifiers and makes random ones */
    public function testIdentifiers(): void
    {
        self::assertSame(32, strlen(Identifier::derive('serial 1')));
        self::assertSame(Identifier::derive('serial 1'), Identifier::derive('serial 1'));
        self::assertNotSame(Identifier::random(), Identifier::random());
        self::error(Error\InvalidArgument::class, 'ERROR_INVALID_ARGUMENT', fn () => Identifier::derive(''));
    }

    // Errors

    /** @testdox an origin that the server rejects is an Error\RejectedOrigin */
    public function testRejectedOrigin(): void
    {
        self::answer(403, ['error' => 'rejected']);
        $error = self::error(Error\RejectedOrigin::class, 'ERROR_REJECTED_ORIGIN', fn () => self::$client->create());
        self::assertSame([403, 'rejected', false, null], [
            $error->httpStatus, $error->serverMessage, $error->retryable, $error->retryAfter,
        ]);
    }

    /** @testdox a time-out is an Error\Timeout, after the time limit */
    public function testTimeout(): void
    {
        self::fault(self::STALL);
        $client = self::client(timeoutMs: 300);
        $begin = microtime(true);
        $error = self::error(Error\Timeout::class, 'ERROR_TIMEOUT', fn () => $client->create());
        self::assertBetween(0.25, 5, microtime(true) - $begin);
        self::assertTrue($error->retryable);
        self::assertNull($error->httpStatus);
    }

    /** @testdox a certificate of another CA is an Error\Tls */
    public function testTls(): void
    {
        $client = self::client(caFile: getenv('ZELF_OTHER_CA'));
        self::error(Error\Tls::class, 'ERROR_TLS', fn () => $client->create());
    }

    /** @testdox another key than the pinned one is an Error\Tls, too */
    public function testPin(): void
    {
        $client = self::client(pins: [str_repeat('A', 43) . '=']);
        self::error(Error\Tls::class, 'ERROR_PIN_MISMATCH', fn () => $client->create());
    }

    /** @testdox an argument that the library refuses is an Error\InvalidArgument */
    public function testInvalidArgument(): void
    {
        foreach (['', "php-\xFF"] as $identifier) {
            $options = new SessionOptions(identifier: $identifier);
            $create = fn () => self::$client->create($options);
            $error = self::error(Error\InvalidArgument::class, 'ERROR_INVALID_ARGUMENT', $create);
            self::assertStringContainsString('identifier', $error->getMessage());
        }
    }

    /** @testdox a setting that the library refuses is an Error\InvalidConfig */
    public function testInvalidConfig(): void
    {
        $new = fn () => new Client(baseUrl: 'http://example.com');
        self::error(Error\InvalidConfig::class, 'ERROR_INVALID_CONFIG', $new);
    }

    /** @testdox too many requests are an Error\RateLimited, with the delay in seconds */
    public function testRateLimited(): void
    {
        self::answer(429, ['headers' => ['Retry-After' => '7']]);
        $client = self::client(maxAttempts: 1);
        $error = self::error(Error\RateLimited::class, 'ERROR_RATE_LIMITED', fn () => $client->create());
        self::assertSame([7.0, true], [$error->retryAfter, $error->retryable]);
    }

    /** @testdox a server that fails is an Error\Server */
    public function testServer(): void
    {
        self::answer(500, ['error' => 'broken']);
        $client = self::client(maxAttempts: 1);
        $error = self::error(Error\Server::class, 'ERROR_SERVER', fn () => $client->create());
        self::assertSame('broken', $error->serverMessage);
    }

    /** @testdox a server that is not there, or goes away, is an Error\Connection */
    public function testConnection(): void
    {
        // A port that nobody listens on: this socket is bound only.
        $socket = socket_create(AF_INET, SOCK_STREAM, 0);
        socket_bind($socket, '127.0.0.1');
        socket_getsockname($socket, $address, $port);
        $absent = new Client(baseUrl: "http://127.0.0.1:$port", maxAttempts: 1);
        self::error(Error\Connection::class, 'ERROR_CONNECT', fn () => $absent->create());
        self::fault(['kind' => 'close', 'stage' => 'body', 'path' => '/api/sessions']);
        $client = self::client(maxAttempts: 1);
        self::error(Error\Connection::class, 'ERROR_CONNECTION_LOST', fn () => $client->create());
    }

    /** @testdox every class of Zelf\Error is a Zelf\Error */
    public function testBase(): void
    {
        $kinds = array_filter(get_declared_classes(), fn ($class) => str_starts_with($class, 'Zelf\Error\\'));
        self::assertCount(9, $kinds);
        foreach ($kinds as $kind) {
            self::assertTrue(is_subclass_of($kind, Error::class));
        }
    }

    /** @testdox a NUL in a string and a number out of range, and a body with json, are a ValueError */
    public function testMisuse(): void
    {
        $misuses = [
            'identifier must not contain any null bytes' => fn () => self::$client->create(self::identifier("a\0b")),
            'timeoutMs must be between 0 and 4294967295' => fn () => new Client(timeoutMs: -1),
            'minValidS must be between 0 and 4294967295' =>
                fn () => new SessionProvider(self::$client, self::identifier('x'), minValidS: 1 << 32),
            'x-a must not contain any null bytes' =>
                fn () => self::$client->send(null, new Request('GET', '/', headers: ['x-a' => "\0"])),
            'a request has a body or json, not both' => fn () => new Request('POST', '/', body: '', json: [1]),
            'method must not contain any null bytes' => fn () => self::$client->send(null, new Request("G\0", '/')),
        ];
        foreach ($misuses as $message => $misuse) {
            self::assertSame($message, self::thrown(ValueError::class, $misuse)->getMessage());
        }
    }

    /** @testdox a header and a pin of another type than string are a TypeError in PHP */
    public function testTypes(): void
    {
        $misuses = [
            'x-a must be of type string, int given' =>
                fn () => self::$client->send(null, new Request('GET', '/', headers: ['x-a' => 5])),
            'x-b must be of type string, array given' =>
                fn () => self::$client->send(null, new Request('GET', '/', headers: ['x-b' => ['a']])),
            'a pin must be of type string, null given' => fn () => new Client(pins: [null]),
        ];
        foreach ($misuses as $message => $misuse) {
            self::assertSame($message, self::thrown(TypeError::class, $misuse)->getMessage());
        }
    }

    /** @testdox a closed object of PHP throws a LogicException that says so */
    public function testClosed(): void
    {
        $client = self::client();
        $provider = new SessionProvider($client, self::identifier('closed'));
        $session = $provider->get();
        $request = new Request('GET', '/sandbox/echo');
        $response = $client->send($session, $request);
        foreach ([$session, $response, $provider, $client] as $object) {
            $object->close();
            $object->close();
        }
        $uses = [
            'client' => [
                fn () => $client->create(), fn () => $client->start(), fn () => $client->dispatch(),
                fn () => $client->descriptor(), fn () => $client->stream(), fn () => $client->shutdown(),
                fn () => $client->send(null, $request), fn () => new SessionProvider($client, self::identifier('x')),
            ],
            'session provider' => [
                fn () => $provider->get(), fn () => $provider->startGet(), fn () => $provider->lastError(),
                fn () => $provider->send($request), fn () => $provider->startSend($request),
                fn () => $provider->invalidate($session), fn () => $provider->sendBy('/', fn () => [200, '']),
            ],
            'session' => [fn () => $session->token(), fn () => $session->secondsLeft()],
            'response' => [fn () => $response->header('date')],
        ];
        foreach ($uses as $name => $functions) {
            foreach ($functions as $use) {
                self::assertSame("The $name is closed.", self::thrown(LogicException::class, $use)->getMessage());
            }
        }
    }

    // Secrets

    /** @testdox a token is in no text form of a session, a provider, a call or an error of PHP */
    public function testSecrets(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('secret'));
        $session = $provider->get();
        $call = $provider->startGet();
        $call->wait(10);
        self::answer(403, ['error' => "no {$session->token()}"]);
        $error = self::thrown(Error::class, fn () => self::$client->create());
        foreach ([$session, $provider, $call, self::$client, $error] as $object) {
            ob_start();
            var_dump($object);
            $texts = ob_get_clean() . print_r($object, true) . json_encode($object);
            $texts .= $object === $session ? var_export($object, true) . print_r((array) $object, true) : '';
            $texts .= $object instanceof Error ? (string) $object : '';
            self::assertStringNotContainsString($session->token(), $texts);
        }
        foreach ([$session, $provider, $call, self::$client] as $object) {
            $message = self::thrown(LogicException::class, fn () => serialize($object))->getMessage();
            self::assertStringContainsString('cannot be serialized', $message);
            self::thrown(\Error::class, fn () => clone $object);
        }
    }

    // Asynchronous calls

    /** @testdox an asynchronous call of PHP has its session after wait */
    public function testAsync(): void
    {
        $call = self::$client->start(self::identifier('async'));
        self::thrown(LogicException::class, fn () => $call->result());
        self::assertSame('php-async', $call->wait(10)->identifier());
        self::assertTrue($call->isSettled());
        self::assertSame($call->wait(), $call->result());
    }

    /** @testdox wait of PHP returns null while there is no result */
    public function testWait(): void
    {
        self::fault(self::STALL);
        $call = self::$client->start(self::identifier('wait'));
        self::assertNull($call->wait(0));
        $begin = microtime(true);
        self::assertNull($call->wait(0.2));
        self::assertBetween(0.19, 5, microtime(true) - $begin);
        $call->cancel();
        self::error(Error\Cancelled::class, 'ERROR_CANCELLED', fn () => $call->wait(10));
    }

    /** @testdox a call of PHP is cancelled at once while the server stalls */
    public function testCancel(): void
    {
        self::fault(self::STALL);
        $call = self::$client->start(self::identifier('cancel'));
        $begin = microtime(true);
        $call->cancel();
        self::error(Error\Cancelled::class, 'ERROR_CANCELLED', fn () => $call->wait(10));
        self::assertLessThan(2, microtime(true) - $begin);
        $call->cancel();
    }

    /** @testdox twenty calls of PHP run at once */
    public function testTwenty(): void
    {
        self::fault(['kind' => 'delay', 'ms' => 500, 'path' => '/api/sessions']);
        $begin = microtime(true);
        $start = fn ($number) => self::$client->start(self::identifier("twenty-$number"));
        $calls = array_map($start, range(0, 19));
        foreach ($calls as $number => $call) {
            self::assertSame("php-twenty-$number", $call->wait(20)->identifier());
        }
        self::assertBetween(0.5, 5, microtime(true) - $begin);
    }

    /** @testdox onSettled gets the session or the error, also after the end of the call */
    public function testOnSettled(): void
    {
        $seen = [];
        $see = function ($session, $error) use (&$seen) {
            $seen[] = $session?->identifier() ?? $error->name;
        };
        $call = self::$client->start(self::identifier('settled'))->onSettled($see);
        $call->wait(10);
        $call->onSettled($see);
        self::answer(403, ['error' => 'rejected']);
        $failing = self::$client->start(self::identifier('settled-2'))->onSettled($see);
        self::thrown(Error\RejectedOrigin::class, fn () => $failing->wait(10));
        self::assertSame(['php-settled', 'php-settled', 'ZELF_ERROR_REJECTED_ORIGIN'], $seen);
    }

    /** @testdox an exception of onSettled reaches the caller of dispatch, and no other result is lost */
    public function testException(): void
    {
        $client = self::client();
        self::fault(self::STALL);
        $count = 0;
        $first = $client->start()->onSettled(fn () => throw new DomainException('first'));
        $second = $client->start()->onSettled(function () use (&$count) {
            $count++;
        });
        self::assertSame('first', self::thrown(DomainException::class, fn () => $client->shutdown(5000))->getMessage());
        self::assertSame([1, true, true], [$count, $first->isSettled(), $second->isSettled()]);
    }

    /** @testdox a function of onSettled may close its client, and other calls are cancelled */
    public function testCloseInside(): void
    {
        $client = self::client();
        self::fault(self::STALL);
        $names = [];
        $close = function ($session, $error) use ($client, &$names) {
            $names[] = $error->name;
            $client->close();
        };
        $start = fn ($number) => $client->start(self::identifier("close-$number"))->onSettled($close);
        $calls = array_map($start, [1, 2, 3]);
        $calls[0]->cancel();
        self::thrown(Error\Cancelled::class, fn () => $calls[0]->wait(10));
        self::thrown(Error\Cancelled::class, fn () => $calls[2]->wait(10));
        self::assertSame(array_fill(0, 3, 'ZELF_ERROR_CANCELLED'), $names);
        self::thrown(LogicException::class, fn () => $client->dispatch());
    }

    /** @testdox an event loop waits for the stream of a client, and fibers wait for their calls */
    public function testFibers(): void
    {
        $client = self::client();
        $identifiers = [];
        $await = function ($call) {
            if (!$call->isSettled()) {
                $fiber = Fiber::getCurrent();
                $call->onSettled(fn () => $fiber->resume());
                Fiber::suspend();
            }
            return $call->result();
        };
        foreach (range(1, 5) as $number) {
            (new Fiber(function () use ($client, $await, $number, &$identifiers) {
                $await($client->start(self::identifier('fiber')));
                $identifiers[] = $await($client->start(self::identifier("fiber-$number")))->identifier();
            }))->start();
        }
        $stream = $client->stream();
        while (count($identifiers) < 5) {
            [$read, $write, $except] = [[$stream], null, null];
            self::assertSame(1, stream_select($read, $write, $except, 10));
            $client->dispatch();
        }
        sort($identifiers);
        self::assertSame('php-fiber-1 php-fiber-2 php-fiber-3 php-fiber-4 php-fiber-5', implode(' ', $identifiers));
    }

    /** @testdox shutdown of PHP cancels the calls under way and ends the client */
    public function testShutdown(): void
    {
        $client = self::client();
        self::fault(self::STALL);
        $call = $client->start(self::identifier('shutdown'));
        $client->shutdown(5000);
        self::thrown(Error\Cancelled::class, fn () => $call->wait());
        self::error(Error::class, 'ERROR_SHUT_DOWN', fn () => $client->create());
        self::error(Error::class, 'ERROR_SHUT_DOWN', fn () => $client->start());
    }

    /** @testdox a client of PHP that nobody holds is freed, and its calls are cancelled */
    public function testForgotten(): void
    {
        self::fault(self::STALL);
        $open = self::descriptors();
        $settled = 0;
        foreach (range(1, 10) as $number) {
            self::client()->start(self::identifier("forgotten-$number"))->onSettled(function () use (&$settled) {
                $settled++;
            });
        }
        self::assertGreaterThan($open, self::descriptors());
        gc_collect_cycles();
        $end = microtime(true) + 10;
        while (self::descriptors() > $open && microtime(true) < $end) {
            usleep(1000);
        }
        self::assertLessThanOrEqual($open, self::descriptors());
        self::assertSame(0, $settled);
    }

    /** @testdox a handler of signals may throw while PHP waits for calls */
    public function testSignals(): void
    {
        [$status, $output] = self::program('
            pcntl_async_signals(true);
            $isInside = false;
            pcntl_signal(SIGUSR1, function () use (&$isInside) {
                if ($isInside) { throw new DomainException(); }
            });
            Library::load(getenv("ZELF_LIBRARY"));
            $client = new Client(baseUrl: getenv("ZELF_HTTPS"), caFile: getenv("ZELF_CA"));
            $parent = getmypid();
            if (($child = pcntl_fork()) === 0) {
                while (posix_kill($parent, SIGUSR1)) { usleep(20); }
                posix_kill(getmypid(), SIGKILL);
            }
            $caught = $sessions = 0;
            $call = null;
            while ($sessions < 300) {
                try {
                    $isInside = true;
                    $call ??= $client->start(new SessionOptions(identifier: "php-signals"));
                    $sessions += $call->wait(10) ? 1 : 0;
                    $call = null;
                    $isInside = false;
                } catch (DomainException) {
                    $isInside = false;
                    $caught++;
                }
            }
            posix_kill($child, SIGKILL);
            echo $caught > 100 ? "caught" : $caught;');
        self::assertSame([0, 'caught'], [$status, $output]);
    }

    // Session providers

    /** @testdox a provider of PHP hands out one session until it expires, then another one */
    public function testExpiry(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('expiry'), minValidS: 597);
        $first = $provider->get();
        self::assertSame($first->token(), $provider->get()->token());
        self::sandbox('POST', '/age', ['identifier' => 'php-expiry', 'seconds' => 595]);
        $end = microtime(true) + 10;
        // The session has 597 s left for some seconds: then the provider asks the server.
        while ($provider->get()->id() === $first->id() && microtime(true) < $end) {
            usleep(10000);
        }
        $second = $provider->get();
        self::assertNotSame($first->id(), $second->id());
        self::assertBetween(590, 600, $second->secondsLeft());
    }

    /** @testdox a provider of PHP replaces a session that a route has refused */
    public function testRejection(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('refused'));
        $first = $provider->get();
        self::sandbox('POST', '/use', ['identifier' => 'php-refused']);
        $search = new Request('GET', '/api/zelf-name-service/v2/search?zelfName=abc.zelf');
        self::assertSame(403, self::$client->send($first, $search)->httpStatus);
        self::assertTrue($provider->invalidate($first));
        self::assertFalse($provider->invalidate($first));
        $second = $provider->get();
        self::assertNotSame($first->id(), $second->id());
        self::assertSame(200, self::$client->send($second, $search)->httpStatus);
    }

    /** @testdox invalidateIfRefused judges the answers to other HTTP clients of PHP */
    public function testJudge(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('judge'));
        $first = $provider->get();
        self::assertFalse($provider->invalidateIfRefused($first, 200, '{}'));
        self::assertFalse($provider->invalidateIfRefused($first, 401, '{"error":"Invalid session"}'));
        self::assertSame($first->token(), $provider->get()->token());
        $refusal = '{"validationError":"Session is not active"}';
        self::assertTrue($provider->invalidateIfRefused($first, 403, $refusal));
        self::assertNotSame($first->token(), $provider->get()->token());
    }

    /** @testdox invalidateIfRefused takes no status of more than 32 bits in PHP */
    public function testJudgeRange(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('range'));
        $session = $provider->get();
        $refusal = '{"validationError":"Session is not active"}';
        foreach ([(1 << 32) + 403, -(1 << 32) + 403] as $status) {
            self::thrown(ValueError::class, fn () => $provider->invalidateIfRefused($session, $status, $refusal));
        }
        self::assertSame($session->token(), $provider->get()->token());
    }

    /** @testdox a provider of PHP says why the last renewal failed */
    public function testLastError(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('last'));
        self::assertNull($provider->lastError());
        self::answer(403, ['error' => 'rejected']);
        self::thrown(Error\RejectedOrigin::class, fn () => $provider->get());
        self::assertSame(Error\RejectedOrigin::class, $provider->lastError()::class);
        self::assertBetween(0.1, 10, $provider->lastError()->retryAfter);
    }

    /** @testdox an asynchronous get of PHP has the provider's session */
    public function testStartGet(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('start-get'), background: true);
        self::assertSame($provider->startGet()->wait(10)->token(), $provider->get()->token());
    }

    /** @testdox an asynchronous get of PHP has a valid session at once, without a call of the client */
    public function testCurrent(): void
    {
        $client = self::client();
        $provider = new SessionProvider($client, self::identifier('current'));
        $session = $provider->get();
        // The client now refuses calls.
        $client->shutdown(1000);
        $call = $provider->startGet();
        self::assertTrue($call->isSettled());
        self::assertSame($session->token(), $call->wait()->token());
        $call->cancel();
        $call->onSettled(function (?Zelf\Session $got) use ($session, &$token): void {
            $token = $got->token();
        });
        self::assertSame($session->token(), $token);
        $provider->invalidate($session);
        self::error(Error::class, 'ERROR_SHUT_DOWN', fn () => $provider->startGet());
    }

    /** @testdox a provider of PHP with a directory finds the session of the one before */
    public function testDirectory(): void
    {
        $directory = getenv('ZELF_OUT') . '/sessions';
        mkdir($directory, 0700);
        $provider = fn () => new SessionProvider(
            self::client(),
            self::identifier('directory'),
            renewal: Renewal::NeverKill,
            directory: $directory,
        );
        $first = $provider()->get();
        self::sandbox('DELETE', '/sessions');
        self::assertSame($first->token(), $provider()->get()->token());
    }

    // Requests

    /** @testdox an authenticated request of PHP sends JSON and returns JSON */
    public function testJson(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('json'));
        $response = $provider->send(new Request(
            'POST',
            '/sandbox/echo?check=session',
            headers: ['X-PHP' => 'yes'],
            json: ['name' => 'Zoë', 'list' => [1, 2]],
            timeoutMs: 10000,
            maxResponseBytes: 1000,
            repeatable: true,
        ));
        self::assertSame(200, $response->httpStatus);
        self::assertSame(['name' => 'Zoë', 'list' => [1, 2]], $response->json());
        self::assertStringContainsString('application/json', $response->header('CONTENT-type'));
        self::assertNull($response->header('x-none'));
        self::assertNull($response->serverMessage);
    }

    /** @testdox a body of any bytes arrives in PHP */
    public function testBytes(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('bytes'));
        $body = str_repeat("\0\1\xFF", 1000);
        $target = '/sandbox/echo?check=token';
        $request = new Request('POST', $target, body: $body, contentType: 'application/octet-stream');
        self::assertSame($body, $provider->send($request)->body);
        self::assertSame('', self::$client->send(null, new Request('GET', '/sandbox/echo'))->body);
    }

    /** @testdox a request of PHP is sent again with a new session when the server refuses the first */
    public function testRenewed(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('renewed'));
        $first = $provider->get();
        self::sandbox('POST', '/use', ['identifier' => 'php-renewed']);
        self::sandbox('DELETE', '/requests');
        $path = '/api/zelf-name-service/v2/search';
        $response = $provider->send(new Request('GET', "$path?zelfName=renewed.zelf"));
        self::assertSame(200, $response->httpStatus);
        self::assertSame('renewed.zelf', $response->json()['data']['zelfName']);
        self::assertSame(2, self::requests($path));
        self::assertNotSame($first->token(), $provider->get()->token());
    }

    /** @testdox an answer of any status is a response in PHP, with the server's words */
    public function testStatus(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('status'));
        $response = $provider->send(new Request('GET', '/api/tags/search'));
        self::assertSame(409, $response->httpStatus);
        self::assertNotSame('', $response->serverMessage ?? '');
    }

    /** @testdox an asynchronous request of PHP has its response, and one that stalls is cancelled */
    public function testStartSend(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('start-send'));
        $request = new Request('POST', '/sandbox/echo?check=token&id=php-start-send', body: 'hello');
        self::assertSame('hello', $provider->startSend($request)->wait(10)->body);
        self::fault(['kind' => 'stall', 'stage' => 'headers', 'query' => 'id=php-start-send']);
        $call = $provider->startSend($request);
        self::assertNull($call->wait(0.1));
        $call->cancel();
        self::error(Error\Cancelled::class, 'ERROR_CANCELLED', fn () => $call->wait(10));
    }

    /** @testdox an asynchronous request of a client of PHP sends a session's token, and renews nothing */
    public function testStartSendOfClient(): void
    {
        $options = self::identifier('client-send');
        $session = self::$client->create($options);
        $request = new Request('GET', '/sandbox/echo?check=session&id=php-client-send');
        self::assertSame(200, self::$client->startSend($session, $request)->wait(10)->httpStatus);
        self::sandbox('POST', '/use', ['identifier' => 'php-client-send']);
        $refused = self::$client->startSend($session, $request)->wait(10);
        self::assertSame(403, $refused->httpStatus);
        self::assertStringContainsString('not active', $refused->serverMessage);
        self::assertSame(401, self::$client->startSend(null, $request)->wait(10)->httpStatus);
        self::assertSame($session->token(), self::$client->create($options)->token());
        self::fault(['kind' => 'stall', 'stage' => 'headers', 'query' => 'id=php-client-send']);
        $call = self::$client->startSend($session, $request);
        self::assertNull($call->wait(0.1));
        $begin = microtime(true);
        $call->cancel();
        self::error(Error\Cancelled::class, 'ERROR_CANCELLED', fn () => $call->wait(10));
        self::assertBetween(0, 2, microtime(true) - $begin);
    }

    /** @testdox the streams of PHP send a request with the session, and once more after a refusal */
    public function testSendBy(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('by'));
        $attempts = 0;
        $send = function ($url, $headers) use (&$attempts) {
            $attempts++;
            $body = file_get_contents($url, false, stream_context_create([
                'http' => [
                    'header' => array_map(fn ($name, $value) => "$name: $value", array_keys($headers), $headers),
                    'ignore_errors' => true,
                    'follow_location' => 0,
                ],
                'ssl' => ['cafile' => getenv('ZELF_CA')],
            ]));
            return [(int) explode(' ', $http_response_header[0])[1], $body, 'more'];
        };
        $by = fn (string $target) => $provider->sendBy($target, $send);
        $target = '/api/zelf-name-service/v2/search?zelfName=by.zelf';
        [$status, $body, $more] = $by($target);
        self::assertSame([200, 'more', 1], [$status, $more, $attempts]);
        self::assertSame('by.zelf', json_decode($body, true)['data']['zelfName']);
        self::sandbox('POST', '/use', ['identifier' => 'php-by']);
        self::assertSame(200, $by($target)[0]);
        self::assertSame(3, $attempts);
        // A refusal of the second session is the answer.
        self::fault(['kind' => 'refusal', 'as' => 'not_active', 'query' => 'by.zelf']);
        [$status, $body] = $by($target);
        self::assertSame([403, 5], [$status, $attempts]);
        self::assertStringContainsString('not active', $body);
        self::thrown(ValueError::class, fn () => $by('@other.example/'));
    }

    // Forks and ends

    /** @testdox a forked child of PHP goes on with the client and the provider */
    public function testFork(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('fork'));
        $provider->get();
        self::assertSame(7, self::inChild(function () use ($provider) {
            $session = self::$client->create(self::identifier('fork-child'));
            $response = $provider->send(new Request('GET', '/sandbox/echo?check=session'));
            return $session->identifier() === 'php-fork-child' && $response->httpStatus === 200 ? 7 : 1;
        }));
        self::$client->create(self::identifier('fork'));
    }

    /** @testdox a forked child of PHP is told that asynchronous calls stay with the parent */
    public function testForkAsync(): void
    {
        self::fault(self::STALL);
        $call = self::$client->start(self::identifier('forked-call'));
        self::assertSame(7, self::inChild(function () use ($call) {
            self::error(Error::class, 'ERROR_FORKED', fn () => self::$client->start());
            self::error(Error::class, 'ERROR_FORKED', fn () => self::$client->descriptor());
            self::error(Error::class, 'ERROR_FORKED', fn () => $call->wait(10));
            self::$client->close();
            self::error(Error::class, 'ERROR_FORKED', fn () => $call->wait(10));
            $own = self::client(timeoutMs: 200);
            self::error(Error\Timeout::class, 'ERROR_TIMEOUT', fn () => $own->start()->wait(10));
            return 7;
        }));
        self::assertNull($call->wait(0));
        $call->cancel();
        self::error(Error\Cancelled::class, 'ERROR_CANCELLED', fn () => $call->wait(10));
    }

    /** @testdox a script of PHP ends with calls under way, with status 0 in under 2 s */
    public function testEnd(): void
    {
        self::fault(self::STALL);
        // A forked child ends, too: by exit, with the objects of its parent.
        foreach (['', 'exit(0);', 'if (!pcntl_fork()) { exit(9); } pcntl_wait($s); exit(pcntl_wexitstatus($s) - 9);'] as $end) {
            [$status, $output, $duration] = self::program('
                Library::load(getenv("ZELF_LIBRARY"));
                $client = new Client(baseUrl: getenv("ZELF_HTTPS"), caFile: getenv("ZELF_CA"));
                foreach (range(1, 20) as $number) {
                    $client->start(new SessionOptions(identifier: "php-end-$number"))
                        ->onSettled(fn () => throw new Exception("late"));
                }
                if ($client->start(new SessionOptions(identifier: "php-end"))->wait(0.2)) { exit(1); }' . $end);
            self::assertSame([0, ''], [$status, $output]);
            self::assertBetween(0.2, 2, $duration);
        }
    }

    /** @testdox a fatal error of PHP frees the client and its calls, after other shutdown functions */
    public function testFatalError(): void
    {
        self::fault(self::STALL);
        $fatals = [
            'str_repeat("x", PHP_INT_MAX >> 8);' => 'Allowed memory size',
            'while (true) { $filled[] = [1]; }' => 'Allowed memory size',
            'ini_set("max_execution_time", "1"); while (true) { }' => 'Maximum execution time',
            'throw new Exception("mine");' => 'mine',
        ];
        foreach ($fatals as $fatal => $message) {
            [$status, $output] = self::program('
                ini_set("memory_limit", "16M");
                ini_set("display_errors", "stderr");
                Library::load(getenv("ZELF_LIBRARY"));
                function threads() { return count(scandir("/proc/self/task")) - 2; }
                $client = new Client(baseUrl: getenv("ZELF_HTTPS"), caFile: getenv("ZELF_CA"));
                register_shutdown_function(function () use ($client) {
                    echo "open: ", $client->descriptor() > 0 ? "yes" : "no", "\n";
                    // One that is registered by one of these runs after the last of Zelf.php.
                    register_shutdown_function(fn () => register_shutdown_function(function () {
                        for ($end = microtime(true) + 10; threads() > 1 && microtime(true) < $end;) { usleep(1000); }
                        echo "threads: ", threads(), "\n";
                    }));
                });
                $call = $client->start(new SessionOptions(identifier: "php-fatal"))->onSettled(fn () => print("late"));
                if (threads() < 2) { echo "no thread\n"; }' . $fatal);
            self::assertSame(255, $status);
            self::assertStringContainsString($message, $output);
            self::assertStringEndsWith("open: yes\nthreads: 1", $output);
            self::assertStringNotContainsString('late', $output);
            self::assertStringNotContainsString('no thread', $output);
        }
    }

    // Memory

    /** Runs a function 11000 times. The last 10000 may take this much memory, and no descriptors. */
    private static function staysFlat(int $mostKib, callable $run): void
    {
        $resident = fn () => (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4;
        for ($i = 0; $i < 1000; $i++) {
            $run();
        }
        [$kib, $open] = [$resident(), self::descriptors()];
        for ($i = 0; $i < 10000; $i++) {
            $run();
        }
        self::assertLessThanOrEqual($open + 1, self::descriptors());
        self::assertLessThan($mostKib, $resident() - $kib);
    }

    /** @testdox 10000 sessions of PHP take no more memory and descriptors than 1000 */
    public function testFlat(): void
    {
        $options = self::identifier('flat');
        self::staysFlat(1024, fn () => self::$client->create($options)->identifier());
    }

    /** @testdox 10000 failed calls of PHP take no more memory and descriptors than 1000 */
    public function testFlatErrors(): void
    {
        $options = new SessionOptions(identifier: '');
        self::staysFlat(256, fn () => self::thrown(
            Error\InvalidArgument::class,
            fn () => self::$client->create($options),
        ));
    }

    /** @testdox 10000 asynchronous calls of PHP take no more memory and descriptors than 1000 */
    public function testFlatAsync(): void
    {
        $options = self::identifier('flat');
        self::staysFlat(1024, fn () => self::$client->start($options)->wait(20)->identifier());
    }

    /** @testdox 10000 sessions and some responses of a provider take no more memory in PHP than 1000 */
    public function testFlatProvider(): void
    {
        $provider = new SessionProvider(self::$client, self::identifier('flat-provider'));
        $request = new Request('GET', '/sandbox/bytes/100000');
        $count = 0;
        // The responses have 20000 KiB together.
        self::staysFlat(2048, function () use ($provider, $request, &$count) {
            $provider->get();
            if (++$count % 50 === 0) {
                self::assertSame(100000, strlen($provider->send($request)->body));
            }
        });
    }
}
