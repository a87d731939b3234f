"""Runs the examples of the documentation, where every request begins with `{protocol}://{host}/api/v2`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from answers import read
from organisation import fill

from greenroom import serving

LIMIT = 60
HTTPIE_ADDRESS = re.compile(r"(?<=^http )(GET|POST) (\S+)")
# The documentation shows head and body of an answer, without colours. Settings do this, so that the examples need no
# options. Standard input is not a terminal here, so httpie would send it as the request's body.
HTTPIE_SETTINGS = {
    "default_options": ["--print=hb", "--pretty=none", "--ignore-stdin"],
    "disable_update_warnings": True,
}
CURL_SETTINGS = "include\nsilent\nshow-error\n"


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Fills in an example's placeholders and runs it in a shell, with the server at `url`."""
    settings = tmp_path_factory.mktemp("settings")
    (settings / "config.json").write_text(json.dumps(HTTPIE_SETTINGS))
    (settings / ".curlrc").write_text(CURL_SETTINGS)
    # The `http` of this Python environment has to come before another one on the machine.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HTTPIE_CONFIG_DIR": str(settings), "CURL_HOME": str(settings)}

    def run(url, example, placeholders):
        command = fill_in(with_address(example, url), placeholders)
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        # The shell exits with 127 if the program is missing. So no test passes without the program.
        assert done.returncode == 0, (done.returncode, command, done.stderr)
        return read(done.stdout)

    return run


def with_address(example, url):
    """The example with the address of the server under test."""
    if example.startswith("curl "):
        # The documentation doubles the backslash at the end of a line, because its mark-up requires it.
        assert "\\\\\n" in example
        return fill_in(example.replace("\\\\\n", "\\\n"), {"http://localhost:8001": url})

    def full(match):
        method, address = match.groups()
        if address.startswith(":8000/"):
            address = address.replace(":8000", f":{url.rsplit(':', 1)[1]}")
        elif address.startswith("/api/v2/"):
            address = url + address
        else:
            address = f"{url}/api/v2{address}"
        # The documentation omits these quotes, but a shell ends the command at `&`.
        return f"{method} '{address}'"

    command, found = HTTPIE_ADDRESS.subn(full, example)
    assert found == 1, example
    return command


def fill_in(command, placeholders):
    for placeholder, value in placeholders.items():
        assert placeholder in command, (placeholder, command)
        command = command.replace(placeholder, value)
    return command


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    with serving(MAIL_DIR=str(tmp_path_factory.mktemp("mail"))) as url:
        yield url


@pytest.fixture(scope="session")
def token(url):
    """The JWT of user 12, on a server with the objects that the examples use."""
    return fill(url)
