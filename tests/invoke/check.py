"""Sends every file of `events/` to its function, as `docs/lambda-locally.md` describes: with `cargo lambda invoke`,
over the Runtime API of `cargo lambda watch`, on the table of a local server.

The check replaces the credentials in the files by those of the first user. The other placeholders stay as they are,
so many answers are refusals. The check only requires that each function answers its files in the form that its
gateway accepts.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
BINARIES = Path(os.environ.get("BINARIES") or ROOT / "target" / "debug")
CARGO_LAMBDA = Path(sys.executable).with_name("cargo-lambda")
# Seconds to wait for a start and for an answer. The limit is long, because the machine may be busy.
TIMEOUT = 60
# These functions answer with a stream, whose status becomes the status of the invocation. So `cargo lambda invoke`
# reports a refusal as a failure of the function.
STREAMS, REFUSED = {"message-events"}, "invalid error payload"
REFUSALS = {"listen-for-json", "listen-without-credentials"}
# The function that runs on a schedule. It has no caller and answers `null`.
SCHEDULED = {"housekeeping"}
# The placeholder in the `Authorization` headers of the files.
PLACEHOLDER = b"USERNAME@localhost:PASSWORD"


def main():
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = stack.enter_context(table(directory))
        port = free_port()
        runtime = [CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
        stack.enter_context(process(runtime, directory / "watch.log"))
        wait_for_listener(port)
        functions = sorted(place.name for place in (ROOT / "events").iterdir())
        for function in functions:
            settings = {
                **environment,
                "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/{function}",
                "AWS_LAMBDA_FUNCTION_NAME": function,
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            }
            stack.enter_context(process([BINARIES / function], directory / f"{function}.log", settings))
        first = f"admin@localhost:{environment['ADMIN_PASSWORD']}".encode()
        failed = []
        for function in functions:
            for file in sorted((ROOT / "events" / function).iterdir()):
                event = directory / "event.json"
                event.write_text(file.read_text().replace(base64(PLACEHOLDER), base64(first)))
                if problem := fault_in(function, file.stem, invoke(port, function, event)):
                    failed.append(f"{file.relative_to(ROOT)}: {problem}")
        if failed:
            print(*failed, sep="\n")
        return 1 if failed else 0


def invoke(port, function, event):
    """The result of the command, or `None` if it gets no answer in time."""
    arguments = ["-A", "127.0.0.1", "-P", str(port), function, "--data-file", event]
    try:
        command = [CARGO_LAMBDA, "lambda", "invoke", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return None


def fault_in(function, name, result):
    """The fault in the result of the command, or `None`."""
    if result is None:
        return "no answer"
    if function in STREAMS:
        fits = REFUSED in result.stderr if name in REFUSALS else result.returncode == 0
        return None if fits else result.stdout + result.stderr
    if result.returncode != 0:
        return result.stderr
    answer = json.loads(result.stdout)
    fits = answer is None if function in SCHEDULED else answer["statusCode"] < 500
    return None if fits else result.stdout


def base64(credentials):
    return b64encode(credentials).decode()


@contextmanager
def table(directory):
    """Starts a local server. Yields the environment for functions that use its table."""
    store, port = directory / "store", free_port()
    command = [BINARIES / "greenroom", "serve", "--data-dir", store, "--port", "0", "--dynamodb-port", str(port)]
    with process(command, directory / "serve.log"):
        wait_for_listener(port)
        secrets = dict(word.split("=", 1) for word in shlex.split((store / "secrets.env").read_text()) if "=" in word)
        access = {"AWS_ACCESS_KEY_ID": secrets["LOCAL_DYNAMODB_KEY"], "AWS_SECRET_ACCESS_KEY": "any"}
        place = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}", "AWS_REGION": "us-east-1", "TABLE_NAME": "greenroom"}
        yield {**secrets, **access, **place, "MAIL_DIR": str(directory)}


@contextmanager
def process(command, log, environment=None):
    with log.open("w") as output:
        running = subprocess.Popen(
            command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            yield running
        finally:
            running.kill()
            running.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_listener(port):
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at port {port}")


if __name__ == "__main__":
    sys.exit(main())
