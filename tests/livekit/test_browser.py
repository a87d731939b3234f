"""Runs the tests in a browser on an event of their own."""

import json
import os
import subprocess
from pathlib import Path

from stage import OPERATOR, identity

LIMIT = 120


def test_the_whole_path_in_a_browser(meeting):
    interpreter, guest = meeting.ticket("interpreter"), meeting.ticket("participant")
    streams = f"/v1/vhosts/default/apps/{meeting.event}/streams/{meeting.session}/sessions"
    told = {
        "greenroom": meeting.stage.url,
        "operator": OPERATOR,
        "organiser": meeting.stage.organiser.http.headers["Authorization"],
        "event": f"/api/v2/events/{meeting.event}/",
        "connection": f"{streams}/{identity(guest['token'])}",
        "interpreter": interpreter,
        "guest": guest,
    }
    environment = {**os.environ, "MEETING": json.dumps(told)}
    # What it prints is shown where it fails.
    subprocess.run(["npm", "test"], cwd=Path(__file__).parent, env=environment, check=True, timeout=LIMIT)
    assert not meeting.present()
