#!/bin/sh
# List today's messages to numbers that begin with +49.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/smsoutbox/get" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD" \
  --data-urlencode "phone_number_filter=+49*" \
  --data-urlencode "start_datetime_filter=$(date -u +%Y-%m-%d)" \
  --data-urlencode "current_page=1"
