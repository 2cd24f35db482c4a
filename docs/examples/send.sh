#!/bin/sh
# Send a text to one number or several: send.sh "+4917012345,+4917012346" "Hello" [key]
# With the same key a repeat sends nothing and gets the first answer again.
set -eu
curl -sS --fail-with-body "$SPANBRIDGE_URL/sms/send" \
  --data-urlencode "username=$SPANBRIDGE_USER" \
  --data-urlencode "password=$SPANBRIDGE_PASSWORD" \
  --data-urlencode "dest_num=$1" \
  --data-urlencode "msg=$2" \
  --data-urlencode "request_id=${3:-$(date +%s)-$$}"
