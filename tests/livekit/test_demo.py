"""Runs the tests of the page of `greenroom demo --livekit` on an event of their own."""

import json
import os
import subprocess
from pathlib import Path

LIMIT = 120


def test_the_page_of_the_demo_plays(meeting):
    answers = {}
    for name, kind in [("interpreter", "interpreter"), ("guest", "participant")]:
        # This makes the login token.
        meeting.ticket(kind)
        answers[name] = meeting.stage.app.create("/rtcsessions/", loginToken=f"event-{meeting.event}-{kind}")
    environment = {**os.environ, "ANSWERS": json.dumps(answers)}
    command = ["node", "--test", "demo.test.js"]
    subprocess.run(command, cwd=Path(__file__).parent, env=environment, check=True, timeout=LIMIT)
