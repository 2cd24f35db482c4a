#!/bin/sh
# List the newest received messages.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/smsinbox/get" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD" \
  --data-urlencode "current_page=1"
