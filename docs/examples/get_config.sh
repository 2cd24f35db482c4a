#!/bin/sh
# Show where results and reports are pushed to.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/smsoutbox/get_config" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD"
