<?php

// Creates a session and shows it. Without ZELF_HTTPS it asks the public API.
$settings = array_filter(['baseUrl' => getenv('ZELF_HTTPS'), 'caFile' => getenv('ZELF_CA')]);

require 'vendor/autoload.php';
$client = new Zelf\Client(...$settings);
$session = $client->create(new Zelf\SessionOptions(identifier: '5f0c6a3e8d2b4c71'));
echo 'Authorization: ', $session->authorization(), "\n";
echo $session->secondsLeft(), " s left\n";
