"""Send a text to one number or several: send.py "+4917012345,+4917012346" "Hello" [key]

With the same key a repeat sends nothing and gets the first answer again.
"""

import json
import os
import sys
import urllib.error
import urllib.request
import uuid

body = {
    "username": os.environ["SPANBRIDGE_USER"],
    "password": os.environ["SPANBRIDGE_PASSWORD"],
    "dest_num": sys.argv[1],
    "msg": sys.argv[2],
    "request_id": sys.argv[3] if len(sys.argv) > 3 else str(uuid.uuid4()),
}
request = urllib.request.Request(
    os.environ["SPANBRIDGE_URL"] + "/sms/send",
    data=json.dumps(body).encode(),
    headers={"Content-Type": "application/json"},
)
try:
    answer = json.load(urllib.request.urlopen(request, timeout=30))
except urllib.error.HTTPError as error:
    answer = json.load(error)  # every answer is an envelope, whatever the status
print(json.dumps(answer, ensure_ascii=False))
sys.exit(0 if answer["code"] == 0 else answer["msg"])
