<?php
// Verify that a push is from us. PHP 7.1 or later, no extension.
//
// $payload is what came over the wire, unchanged: file_get_contents('php://input') for a POST,
// $_SERVER['REQUEST_URI'] for a GET. $headers has lower-case names: array_change_key_case(getallheaders()).

function verify(string $secret, array $headers, string $payload, ?int $now = null, int $tolerance = 300): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (!preg_match('/^[0-9]+$/D', $timestamp) || abs(($now ?? time()) - (int) $timestamp) > $tolerance) {
        return false;
    }
    $key = strncmp($secret, 'whsec_', 6) === 0 ? base64_decode(substr($secret, 6)) : $secret;
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$payload", $key, true));
    // While the secret is being changed there are two signatures, separated by a blank.
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $given) {
        if (hash_equals($expected, $given)) {
            return true;
        }
    }
    return false;
}
