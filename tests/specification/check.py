"""Tests local servers against two specifications, with all checks of schemathesis: `openapi.json`, and the
specification that MongooseIM publishes of its client API. An independent validator checks `openapi.json` first.

Each run has its own server. To repeat a test case from the output, use the curl command that schemathesis prints.
`st replay` does not know the server of the run.
"""

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "clients"))

from greenroom import (  # noqa: E402
    ADMIN_PASSWORD,
    API_TOKEN,
    OPENVIDU_SECRET,
    STREAMS_ACCESS_TOKEN,
    serving,
)

JID = "admin@localhost"
ROOM = {"name": "A room", "subject": "What rooms are about"}
PROVIDER_SECRET = "secret of the media provider's callbacks"
LIVEKIT = {
    "LIVEKIT_URL": "http://127.0.0.1:1",
    "LIVEKIT_API_KEY": "key of the media server",
    "LIVEKIT_API_SECRET": "secret of the media server's key",
}
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# `GET /api/sse` never ends.
PARTS = {
    "conversations": ["--include-tag", "Conversations", "--exclude-path", "/api/sse"],
    "session management": ["--include-tag", "Session management"],
    "everything else": ["--exclude-tag", "Conversations", "--exclude-tag", "Session management"],
}


def main():
    document = json.loads((ROOT / "openapi.json").read_text())
    OpenAPIV31SpecValidator(document).validate()
    with ThreadPoolExecutor(2) as pool:
        runs = {"published": pool.submit(published), **{part: pool.submit(ours, part) for part in PARTS}}
    for name in runs:
        print((directory(name) / "log").read_text())
    return max(run.result() for run in runs.values())


def published():
    with serving() as url:
        made = requests.post(f"{url}/api/rooms", json=ROOM, auth=(JID, ADMIN_PASSWORD), timeout=20)
        made.raise_for_status()
        return schemathesis(
            "published", HERE / "published.toml", HERE / "mongooseim-client.yaml", f"{url}/api",
            ["--auth", f"{JID}:{ADMIN_PASSWORD}"], ROOM=made.json()["id"],
        )


def ours(part):
    with serving(OPENTOK_WEBHOOK_SECRET=PROVIDER_SECRET, **LIVEKIT) as url:
        place = directory(part)
        settings = place / "schemathesis.toml"
        settings.write_text((HERE / "ours.toml").read_text() + credentials(url))
        arguments = [*PARTS[part], "--phases", "examples,coverage,fuzzing", "--continue-on-failure", *sys.argv[1:]]
        return schemathesis(part, settings, ROOT / "openapi.json", url, arguments, URL=url, PROVIDER_SECRET=PROVIDER_SECRET, **LIVEKIT)


def schemathesis(name, settings, document, url, arguments, **environment):
    hooks = HERE / ("published_hooks.py" if name == "published" else "ours_hooks.py")
    command = [SCHEMATHESIS, "--config-file", settings, "run", document, "--url", url, "--checks", "all", "--seed", "1"]
    environment = {**os.environ, **environment, "SCHEMATHESIS_HOOKS": str(hooks), "PYTHONPATH": str(HERE.parent / "clients")}
    with (directory(name) / "log").open("w") as log:
        command = [*command, "--no-color", *arguments]
        ended = subprocess.run(command, env=environment, cwd=directory(name), stdout=log, stderr=subprocess.STDOUT)
    return ended.returncode


def directory(name):
    place = ROOT / "target" / "specification" / name.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    return place


def credentials(url):
    """The credentials for each security scheme of the document. The hooks sign requests and log the admin in."""
    device = requests.post(f"{url}/api/sessions", json={"identifier": "a device"}, timeout=20).json()["data"]["token"]
    operator = base64.b64encode(STREAMS_ACCESS_TOKEN.encode()).decode()
    schemes = {
        "account": {"username": JID, "password": ADMIN_PASSWORD},
        "openvidu": {"username": "OPENVIDUAPP", "password": OPENVIDU_SECRET},
        "deviceToken": {"bearer": device},
        "operator": {"api_key": f"Basic {operator}"},
        "jwt": {"api_key": "JWT CURRENT"},
        "apiToken": {"api_key": f"Token {API_TOKEN}"},
        "mediaServer": {"api_key": "SIGNATURE"},
        "mediaProvider": {"bearer": "SIGNATURE"},
        "liveKit": {"api_key": "LIVEKIT SIGNATURE"},
    }
    values = lambda scheme: "\n".join(f"{key} = {json.dumps(value)}" for key, value in scheme.items())
    return "".join(f"\n[auth.openapi.{name}]\n{values(scheme)}\n" for name, scheme in schemes.items())


if __name__ == "__main__":
    sys.exit(main())
