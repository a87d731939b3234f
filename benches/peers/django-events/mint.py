"""Session tokens per second of the official SDK, on one thread: prints the number of tokens and the nanoseconds.

`mint.py KEY SECRET SESSION_ID SECONDS`
"""

import sys
import time
import uuid

from opentok import Client, Roles

key, secret, session_id, seconds = sys.argv[1:]
opentok = Client(key, secret)
data = str(uuid.uuid4())
minted, begun = 0, time.perf_counter_ns()
while (elapsed := time.perf_counter_ns() - begun) < float(seconds) * 1e9:
    expires = int(time.time()) + 86_400
    opentok.generate_token(session_id, Roles.publisher, expires, data, use_jwt=False)
    minted += 1
print(minted, elapsed)
