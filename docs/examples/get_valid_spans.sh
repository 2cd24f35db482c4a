#!/bin/sh
# List the spans of the account.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/sms/get_valid_spans" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD"
