"""Show where results and reports are pushed to."""

import json
import os
import sys
import urllib.error
import urllib.request

body = {
    "username": os.environ["SPANBRIDGE_USER"],
    "password": os.environ["SPANBRIDGE_PASSWORD"],
}
request = urllib.request.Request(
    os.environ["SPANBRIDGE_URL"] + "/smsoutbox/get_config",
    data=json.dumps(body).encode(),
    headers={"Content-Type": "application/json"},
)
try:
    answer = json.load(urllib.request.urlopen(request, timeout=30))
except urllib.error.HTTPError as error:
    answer = json.load(error)  # every answer is an envelope, whatever the status
print(json.dumps(answer, ensure_ascii=False))
sys.exit(0 if answer["code"] == 0 else answer["msg"])
