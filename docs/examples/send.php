<?php
// Send a text to one number or several: send.php "+4917012345,+4917012346" "Hello" [key]
// With the same key a repeat sends nothing and gets the first answer again.

$body = [
    'username' => getenv('SPANBRIDGE_USER'),
    'password' => getenv('SPANBRIDGE_PASSWORD'),
    'dest_num' => $argv[1],
    'msg' => $argv[2],
    'request_id' => $argv[3] ?? bin2hex(random_bytes(16)),
];
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => 'Content-Type: application/json',
    'content' => json_encode($body, JSON_THROW_ON_ERROR),
    'timeout' => 30,
    'ignore_errors' => true, // every answer is an envelope, whatever the status
]]);
$text = file_get_contents(getenv('SPANBRIDGE_URL') . '/sms/send', false, $context);
echo $text, "\n";
$answer = json_decode((string) $text, true);
exit(($answer['code'] ?? -1) === 0 ? 0 : 1);
