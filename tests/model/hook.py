"""What runs before each start. The user's ~/mode says how it ends: "hook fail" (status 1), "hook hang" (never), "hook refuse" (403),
"hook nonsense" (no JSON), "hook answer" (a variable for the server); anything else leaves the start as it is."""
import json
import os
import sys
import time

question = json.load(sys.stdin)
user = question["user"]["name"]
try:
    with open(os.path.join(sys.argv[1], user, "mode")) as file:
        mode = file.read().strip()
except OSError:
    mode = "ok"
if mode == "hook fail":
    sys.exit(1)
if mode == "hook hang":
    time.sleep(600)
if mode == "hook refuse":
    print(json.dumps({"error": {"status_code": 403, "message": "not today"}}))
if mode == "hook nonsense":
    print("{what")
if mode == "hook answer":
    print(json.dumps({"environment": {"MODEL": "answered"}}))
