#!/bin/sh
# Push results and reports to https://<host given as argument>/sms.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/smsoutbox/set_config" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD" \
  --data-urlencode "enable=1" \
  --data-urlencode "url_http=https" \
  --data-urlencode "url_host=$1" \
  --data-urlencode "url_path=/sms"
