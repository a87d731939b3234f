"""Runs `openapi.json` against local servers, with all checks of schemathesis: each API with its own credential."""

import base64
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from greenroom import (
    ADMIN_PASSWORD,
    API_TOKEN,
    OPENVIDU_SECRET,
    STREAMS_ACCESS_TOKEN,
    organiser,
    serving,
    token_of,
)
import requests

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
JID = "admin@localhost"

# One run for each: what a run deletes, no other one misses. By `operationId`.
PARTS = {
    "conversations": r"^(list|add|delete|change)Contacts?$|Message|Room|inviteUser|removeUser",
}


def credentials(url):
    """The configuration's `auth` of every security scheme."""
    device = requests.post(f"{url}/api/sessions", json={"identifier": "schemathesis"}, timeout=20).json()
    token = base64.b64encode(STREAMS_ACCESS_TOKEN.encode()).decode()
    return f"""
[auth.openapi.account]
username = "{JID}"
password = "{ADMIN_PASSWORD}"
[auth.openapi.openvidu]
username = "OPENVIDUAPP"
password = "{OPENVIDU_SECRET}"
[auth.openapi.deviceToken]
bearer = "{device['data']['token']}"
[auth.openapi.operator]
api_key = "Basic {token}"
[auth.openapi.jwt]
api_key = "JWT {token_of(url, 'admin', ADMIN_PASSWORD)}"
[auth.openapi.apiToken]
api_key = "Token {API_TOKEN}"
[auth.openapi.mediaServer]
api_key = "signed"
[auth.openapi.videoProvider]
bearer = "signed"
"""


def run(part):
    target = ROOT / "target" / "specification" / part
    target.mkdir(parents=True, exist_ok=True)
    with serving(OPENTOK_WEBHOOK_SECRET="secret of the video provider") as url:
        config = target / "schemathesis.toml"
        config.write_text((HERE / "own.toml").read_text() + credentials(url))
        command = [SCHEMATHESIS, "--config-file", config, "run", ROOT / "openapi.json", "--url", url]
        command += ["--checks", "all", "--seed", "1", "--no-color", "--phases", "examples,coverage,fuzzing"]
        command += ["--continue-on-failure", *sys.argv[1:]]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "own_hooks.py"), "SERVER": url}
        return subprocess.run(command, env=environment, cwd=target).returncode


def main():
    return run("all")


if __name__ == "__main__":
    sys.exit(main())
