<?php

// Creates twenty sessions at once, each in a fiber, with an event loop of a few lines.
// Without ZELF_HTTPS it asks the public API.

require 'vendor/autoload.php';

use Zelf\{Call, Client, Error, Identifier, Session, SessionOptions};

/** Suspends the running fiber until the call has its result. */
function await(Call $call): Session
{
    if (!$call->isSettled()) {
        $fiber = Fiber::getCurrent();
        $call->onSettled(fn () => $fiber->resume());
        Fiber::suspend();
    }
    return $call->result();
}

$client = new Client(baseUrl: getenv('ZELF_HTTPS') ?: null, caFile: getenv('ZELF_CA') ?: null);
$fibers = [];
foreach (range(1, 20) as $number) {
    $fibers[] = $fiber = new Fiber(function (string $identifier) use ($client): void {
        try {
            $session = await($client->start(new SessionOptions(identifier: $identifier)));
            echo $identifier, ' ', $session->secondsLeft(), " s left\n";
        } catch (Error $error) {
            echo $identifier, ' ', $error->getMessage(), "\n";
        }
    });
    $fiber->start(Identifier::derive("fiber $number"));
}

// The loop waits for the stream, and dispatch resumes the fibers. A program that has other
// streams adds them here.
$stream = $client->stream();
while (array_filter($fibers, fn (Fiber $fiber) => !$fiber->isTerminated())) {
    [$read, $write, $except] = [[$stream], null, null];
    stream_select($read, $write, $except, null);
    $client->dispatch();
}
