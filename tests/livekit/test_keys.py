"""Two keys that live at once, while one replaces the other."""

import json

import jwt
from livekit_server import KEY, SECRET
from participant import REMOVED, until
from stage import Meeting, started

NEW_KEY, NEW_SECRET = "new-key", "another secret, which is to replace the first"
CONFIG = {"keys": {KEY: SECRET, NEW_KEY: NEW_SECRET}}
SETTINGS = {
    "LIVEKIT_API_KEY": json.dumps([NEW_KEY, KEY]),
    "LIVEKIT_API_SECRET": json.dumps([NEW_SECRET, SECRET]),
}


def test_the_first_key_signs_and_the_webhooks_of_the_second_count():
    with started(config=CONFIG, **SETTINGS) as stage:
        meeting = Meeting(stage)
        guest = meeting.join("participant")
        assert jwt.decode(guest.token, NEW_SECRET, algorithms=["HS256"])["iss"] == NEW_KEY
        # The server signs its webhooks with the old key.
        until("connected", lambda: meeting.state(guest) == ("connected", None))
        assert meeting.remove(guest) == 200
        assert guest.put_out() == REMOVED
        meeting.keeps_out(guest)
        meeting.end()
