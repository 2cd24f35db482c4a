<?php
// Show where results and reports are pushed to.

$body = [
    'username' => getenv('SPANBRIDGE_USER'),
    'password' => getenv('SPANBRIDGE_PASSWORD'),
];
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => 'Content-Type: application/json',
    'content' => json_encode($body, JSON_THROW_ON_ERROR),
    'timeout' => 30,
    'ignore_errors' => true, // every answer is an envelope, whatever the status
]]);
$text = file_get_contents(getenv('SPANBRIDGE_URL') . '/smsoutbox/get_config', false, $context);
echo $text, "\n";
$answer = json_decode((string) $text, true);
exit(($answer['code'] ?? -1) === 0 ? 0 : 1);
