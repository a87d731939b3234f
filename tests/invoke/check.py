"""Invokes every function with every file of `events/`, as `docs/lambda-locally.md` does it: `cargo lambda
invoke`, over the Runtime API of `cargo lambda watch`, on the table of a local server.

Who asks is the first user, in place of the one that the files name. The other placeholders stay as they are, so many
answers are refusals; what counts is that each file is answered by its function, in the form that its gateway takes.
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
# For a start and for an answer, on a machine that has other things to do.
PATIENCE = 60
# What they answer is a stream: its status is that of the invocation, which the command takes for a failure of the function
# where it is a refusal.
STREAMS, REFUSED = {"message-events"}, "invalid error payload"
REFUSALS = {"listen-for-json", "listen-without-credentials"}
# A run by the schedule, which nobody waits for.
SCHEDULED = {"housekeeping"}
# In `Authorization` of the files.
NOBODY = b"USERNAME@localhost:PASSWORD"


def main():
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = stack.enter_context(table(directory))
        port = free_port()
        runtime = [CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
        stack.enter_context(process(runtime, directory / "watch.log"))
        listening(port)
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
                event.write_text(file.read_text().replace(base64(NOBODY), base64(first)))
                if problem := wrong(function, file.stem, invoke(port, function, event)):
                    failed.append(f"{file.relative_to(ROOT)}: {problem}")
        if failed:
            print(*failed, sep="\n")
        return 1 if failed else 0


def invoke(port, function, event):
    """What the command comes to; `None` where it waits in vain."""
    arguments = ["-A", "127.0.0.1", "-P", str(port), function, "--data-file", event]
    try:
        command = [CARGO_LAMBDA, "lambda", "invoke", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return None


def wrong(function, name, ran):
    """What is wrong with what the command came to; `None` where nothing is."""
    if ran is None:
        return "no answer"
    if function in STREAMS:
        fits = REFUSED in ran.stderr if name in REFUSALS else ran.returncode == 0
        return None if fits else ran.stdout + ran.stderr
    if ran.returncode != 0:
        return ran.stderr
    answer = json.loads(ran.stdout)
    fits = answer is None if function in SCHEDULED else answer["statusCode"] < 500
    return None if fits else ran.stdout


def base64(credentials):
    return b64encode(credentials).decode()


@contextmanager
def table(directory):
    """The environment of functions on the table of a local server."""
    store, port = directory / "store", free_port()
    command = [BINARIES / "greenroom", "serve", "--data-dir", store, "--port", "0", "--dynamodb-port", str(port)]
    with process(command, directory / "serve.log"):
        listening(port)
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


def listening(port):
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at port {port}")


if __name__ == "__main__":
    sys.exit(main())
