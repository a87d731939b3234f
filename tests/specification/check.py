"""Runs the published specification of MongooseIM's client API against a local server, with all checks of schemathesis."""

import os
import subprocess
import sys
from pathlib import Path

import requests

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "clients"))

from greenroom import ADMIN_PASSWORD, serving  # noqa: E402

JID = "admin@localhost"
ROOM = {"name": "A room", "subject": "What rooms are about"}
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def main():
    with serving() as url:
        made = requests.post(f"{url}/api/rooms", json=ROOM, auth=(JID, ADMIN_PASSWORD), timeout=20)
        made.raise_for_status()
        command = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run", HERE / "mongooseim-client.yaml"]
        command += ["--url", f"{url}/api", "--auth", f"{JID}:{ADMIN_PASSWORD}", "--checks", "all", "--seed", "1", "--no-color"]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "ROOM": made.json()["id"]}
        return subprocess.run(command, env=environment, cwd=HERE.parents[1] / "target").returncode


if __name__ == "__main__":
    sys.exit(main())
