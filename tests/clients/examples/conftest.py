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
# What the text prints of an answer: head and body, without the colours. Settings do it, so that the examples need no
# options of their own. Standard input is no terminal here, and httpie would take it for the request's body.
HTTPIE_SETTINGS = {
    "default_options": ["--print=hb", "--pretty=none", "--ignore-stdin"],
    "disable_update_warnings": True,
}
CURL_SETTINGS = "include\nsilent\nshow-error\n"


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Runs an example in a shell, on the server at `url`, with its placeholders filled in."""
    settings = tmp_path_factory.mktemp("settings")
    (settings / "config.json").write_text(json.dumps(HTTPIE_SETTINGS))
    (settings / ".curlrc").write_text(CURL_SETTINGS)
    # The `http` of this environment, not another one of the machine.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HTTPIE_CONFIG_DIR": str(settings), "CURL_HOME": str(settings)}

    def run(url, example, placeholders):
        command = fill_in(addressed(example, url), placeholders)
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        # A shell that does not find the program ends with 127: no test passes without it.
        assert done.returncode == 0, (done.returncode, command, done.stderr)
        return read(done.stdout)

    return run


def addressed(example, url):
    """The example with the address of the server that is to be asked."""
    if example.startswith("curl "):
        # The text writes the backslash at the end of a line twice, as its own mark-up wants it.
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
        # In quotes, which the text leaves out: to a shell `&` is the end of a command.
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
    """The JWT of user 12, on a server that has what the examples speak of."""
    return fill(url)
