"""Checks `greenroom doctor` and `greenroom key` on a stack that moto simulates. Prints the findings and exits
with 1 if there are any. Needs target/debug/greenroom.

The stack has the table, the functions and the secrets of template.yaml. Its ApiUrl leads to a local
`greenroom serve` on that table, through a proxy that can inject faults. Everything listens on free loopback
ports.
"""

import base64
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
import yaml
from moto.awslambda.models import LambdaFunction
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.server import ThreadedMotoServer

# moto logs every request.
logging.disable()

ROOT = Path(__file__).parent.parent.parent
GREENROOM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "greenroom"
STACK = "greenroom"
PREFIX = "stage/"
# The settings in each secret.
SECRETS = {
    "signing-keys": ["SIGNING_KEYS"],
    "openvidu": ["OPENVIDU_SECRET"],
    "opentok": ["OPENTOK_API_KEY", "OPENTOK_API_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
    "opentok-webhook": ["OPENTOK_WEBHOOK_SECRET"],
    "streams-token": ["STREAMS_ACCESS_TOKEN"],
    "streams-webhook": ["STREAMS_WEBHOOK_SECRET"],
    "streams-api": ["STREAMS_API_TOKEN"],
    "smtp": ["SMTP_URL"],
}
SECRET_OF = {setting: secret for secret, settings in SECRETS.items() for setting in settings}
PARAMETERS = ["SecretsPrefix", "CorsOrigins", "PublicUrl", "VideoProvider", "LivekitUrl"]
ORIGIN = "https://app.greenroom.test"
FORWARDED = ["content-type", "authorization", "origin", "access-control-request-method"]

wrong = []


def expect(what, found, wanted):
    if found != wanted:
        wrong.append(f"{what}: {found!r} instead of {wanted!r}")


def update_with_time(function, changes, update=LambdaFunction.update_configuration):
    """Records the time of an update, as Lambda does. moto does not."""
    function.last_modified = iso_8601_datetime_with_nanoseconds()
    return update(function, changes)


LambdaFunction.update_configuration = update_with_time


class Proxy(BaseHTTPRequestHandler):
    """The server at ApiUrl. It forwards requests to the local server and can inject faults."""

    protocol_version = "HTTP/1.1"
    server_port = None
    # The faults: statuses by method and path, seconds that the date is wrong by, whether CORS headers pass.
    statuses, late, cors = {}, 0, True

    def forward(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        upstream = HTTPConnection("127.0.0.1", Proxy.server_port, timeout=20)
        headers = {name: self.headers[name] for name in FORWARDED if self.headers[name]}
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response_only(Proxy.statuses.get((self.command, self.path), answer.status))
        for name, value in answer.getheaders():
            skipped = ["date", "content-length", "transfer-encoding", "connection"]
            if name.lower() not in skipped and (Proxy.cors or not name.lower().startswith("access-control")):
                self.send_header(name, value)
        date = datetime.now(timezone.utc) + timedelta(seconds=Proxy.late)
        self.send_header("date", format_datetime(date, usegmt=True))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = forward

    def log_message(self, *_):
        pass


class Loader(yaml.SafeLoader):
    """Loads YAML with CloudFormation's tags. It drops their values, which are not needed here."""


Loader.add_multi_constructor("!", lambda loader, tag, node: None)


def template(api_url):
    """The part of template.yaml that moto can deploy."""
    ours = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    resources = {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": ours["Table"]["Properties"]}, "Role": role}
    for name, resource in ours.items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = {
                "Runtime": "provided.al2023",
                "Architectures": ["arm64"],
                "Handler": "bootstrap",
                "Code": {"ZipFile": "nothing"},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": {"TABLE_NAME": {"Ref": "Table"}}},
            }
            resources[name] = {"Type": "AWS::Lambda::Function", "Properties": properties}
    outputs = {"ApiUrl": api_url, "EventsUrl": api_url + "/", "TableName": {"Ref": "Table"}}
    return {
        "Parameters": {name: {"Type": "String", "Default": ""} for name in PARAMETERS},
        "Resources": resources,
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }


def values():
    """Settings in which the doctor finds no fault."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "OPENVIDU_SECRET": secrets.token_hex(32),
        "SIGNING_KEYS": [{"kid": "1", "secret": key, "createdAt": now}],
        "OPENTOK_API_KEY": "12345678",
        "OPENTOK_API_SECRET": secrets.token_hex(20),
        "STREAMS_ACCESS_TOKEN": [{"secret": secrets.token_hex(32), "createdAt": now}],
        "STREAMS_WEBHOOK_SECRET": secrets.token_hex(32),
    }


class Deployment:
    """A stack that moto simulates."""

    def __init__(self, endpoint, api_url):
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
        }
        client = lambda service: boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.dynamodb, self.functions, self.keeper = client("dynamodb"), client("lambda"), client("secretsmanager")
        self.make_secrets()
        parameters = {"SecretsPrefix": PREFIX, "CorsOrigins": ORIGIN, "PublicUrl": api_url, "VideoProvider": "offline"}
        self.formation, self.parameters = client("cloudformation"), parameters
        self.template = json.dumps(template(api_url))
        self.deploy(self.formation.create_stack)
        outputs = self.formation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        self.table = {output["OutputKey"]: output["OutputValue"] for output in outputs}["TableName"]
        self.expire(True)
        self.protect(True)

    def deploy(self, call, **parameters):
        parameters = {**self.parameters, **parameters}
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        call(StackName=STACK, TemplateBody=self.template, Parameters=given)

    def make_secrets(self):
        """Creates the secrets from a single one, as an operator does whose stack had only one."""
        whole = values()
        self.keeper.create_secret(Name="whole", SecretString=json.dumps(whole))
        made = self.run("key", "create", "--secrets", PREFIX, "--from", "whole", stack=False)
        expect("lines about created secrets", len(made.stdout.splitlines()), len(SECRETS))
        for setting, value in whole.items():
            expect(f"{setting} in its new secret", self.secret()[setting], value)
            for part in secret_values({setting: value}):
                if part in made.stdout + made.stderr:
                    wrong.append(f"creating the secret of {setting} prints its value")
        for empty in ["opentok-webhook", "streams-api", "smtp"]:
            expect(f"content of {empty}", self.content(empty), {})
        again = self.run("key", "create", "--secrets", PREFIX, stack=False)
        expect("secrets that stay unchanged", again.stdout.count("left as it is"), len(SECRETS))
        self.put({"OPENVIDU_SECRET": whole["OPENVIDU_SECRET"], "of somebody else's": {"stays": ["as", "it", "is"]}})

    def content(self, name):
        return json.loads(self.current(name)["SecretString"])

    def secret(self):
        """The settings of all secrets together."""
        return {setting: value for name in SECRETS for setting, value in self.content(name).items()}

    def current(self, name):
        return self.keeper.get_secret_value(SecretId=PREFIX + name, VersionStage="AWSCURRENT")

    def put(self, changes):
        """Changes settings in the secrets that hold them, where the value differs. A setting that is not ours goes to
        the openvidu secret.

        moto confuses the versions of a secret if AWSCURRENT is not moved by hand."""
        by_secret = {}
        for setting, value in changes.items():
            by_secret.setdefault(SECRET_OF.get(setting, "openvidu"), {})[setting] = value
        for name, change in by_secret.items():
            content = {**self.content(name), **change}
            if content == self.content(name):
                continue
            new = self.keeper.put_secret_value(
                SecretId=PREFIX + name, SecretString=json.dumps(content), VersionStages=["NEW"]
            )
            labels = {"VersionStage": "AWSCURRENT", "RemoveFromVersionId": self.current(name)["VersionId"]}
            self.keeper.update_secret_version_stage(
                SecretId=PREFIX + name, MoveToVersionId=new["VersionId"], **labels
            )

    def expire(self, enabled):
        specification = {"Enabled": enabled, "AttributeName": "expiresAt"}
        self.dynamodb.update_time_to_live(TableName=self.table, TimeToLiveSpecification=specification)

    def protect(self, enabled):
        specification = {"PointInTimeRecoveryEnabled": enabled}
        self.dynamodb.update_continuous_backups(
            TableName=self.table, PointInTimeRecoverySpecification=specification
        )

    def roll_out(self):
        for function in self.functions.list_functions()["Functions"]:
            self.functions.update_function_configuration(FunctionName=function["FunctionName"], Timeout=20)
        self.rolled_out = time.time()

    def run(self, *arguments, stack=True, **options):
        command = [GREENROOM, *arguments, *(["--stack", STACK] if stack else [])]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, **options)

    def doctor(self):
        """The checks whose result is not `ok`, by name."""
        answer = self.run("doctor", "--json")
        try:
            checks = json.loads(answer.stdout)["checks"]
        except ValueError:
            wrong.append(f"the doctor says {answer.stdout!r} {answer.stderr!r}")
            return {}
        found = {check["check"]: (check["result"], check["detail"]) for check in checks}
        failed = any(result == "fail" for result, _ in found.values())
        expect("exit status of the doctor", answer.returncode, int(failed))
        return {name: what for name, what in found.items() if what[0] != "ok"}

    def broken(self, what, check, result, words):
        """Expects that one check finds a fault and all others are `ok`."""
        found = self.doctor()
        # The functions have not read the secrets that this test changes, so this check may fail too.
        found.pop("roll-out", None)
        expect(f"{what}: checks that are not ok", sorted(found), [check])
        outcome, detail = found.get(check, ("", ""))
        expect(f"{what}: result", outcome, result)
        if words not in detail:
            wrong.append(f"{what}: {detail!r} does not say {words!r}")


def check_stack(stack):
    expect("a healthy stack", stack.doctor(), {})
    text = stack.run("doctor").stdout
    expect("header of the table", text.split("\n")[0].split(), ["CHECK", "RESULT", "DETAIL"])
    stack.expire(False)
    stack.broken("TTL off", "table TTL", "fail", "enable it for expiresAt")
    stack.expire(True)
    stack.protect(False)
    stack.broken("PITR off", "table PITR", "fail", "enable point-in-time recovery")
    stack.protect(True)
    Proxy.statuses = {("GET", "/api/v2/events"): 404}
    stack.broken("a route is missing", "routes", "fail", "GET /api/v2/events 404")
    Proxy.statuses = {("DELETE", "/api/rooms/0/users/0/"): 500, ("POST", "/api/tokens"): 403}
    stack.broken("routes fail", "routes", "fail", "DELETE /api/rooms/{id}/users/{user}/ 500")
    Proxy.statuses, Proxy.late = {}, 20
    stack.broken("a clock is slow", "clock", "warn", "set this machine's clock")
    Proxy.late = -3600
    stack.broken("a clock is wrong", "clock", "fail", "set this machine's clock")
    Proxy.late, Proxy.cors = 0, False
    stack.broken("CORS is off", "CORS", "fail", f"{ORIGIN} is not allowed")
    Proxy.cors = True
    function = stack.functions.list_functions()["Functions"][0]["FunctionName"]
    stack.functions.update_function_configuration(FunctionName=function, Runtime="provided.al2")
    stack.broken("an old runtime", "functions", "fail", "runs on provided.al2,")
    stack.functions.update_function_configuration(FunctionName=function, Runtime="provided.al2023")


def check_secret(stack):
    good = stack.secret()
    for change, words in [
        ({"OPENVIDU_SECRET": "MY_SECRET"}, "OPENVIDU_SECRET: must be a secret of one's own of at least 16"),
        ({"OPENVIDU_SECRET": "please-changeme-soon"}, "OPENVIDU_SECRET: must be a secret of one's own, made at random"),
        ({"OPENVIDU_SECRET": good["STREAMS_WEBHOOK_SECRET"]}, "STREAMS_WEBHOOK_SECRET: must not be that of OPENVIDU"),
        ({"SIGNING_KEYS": [{"kid": "1", "secret": base64.b64encode(bytes(range(32))).decode()}]}, "SIGNING_KEYS: each"),
        ({"OPENTOK_API_KEY": ""}, "OPENTOK_API_KEY: missing"),
    ]:
        stack.put(change)
        stack.broken(f"a bad {[*change]}", "secret content", "fail", words)
        stack.put(good)
    stack.keeper.delete_secret(SecretId=PREFIX + "smtp", ForceDeleteWithoutRecovery=True)
    stack.broken("a secret is gone", f"secret {PREFIX}smtp", "fail", "greenroom key create")
    stack.run("key", "create", "--secrets", PREFIX, stack=False)
    old = [{**good["SIGNING_KEYS"][0], "createdAt": "2020-01-01T00:00:00Z"}]
    stack.put({"SIGNING_KEYS": old})
    stack.broken("an old key", "key signing-keys", "warn", "greenroom key rotate signing-keys")
    stack.put(good)


def check_livekit(stack):
    # Nobody listens on port 1.
    stack.deploy(stack.formation.update_stack, LivekitUrl="wss://127.0.0.1:1")
    stack.broken("no key of LiveKit", "LiveKit settings", "fail", "LIVEKIT_API_KEY: missing")
    stack.put({"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": secrets.token_hex(32)})
    stack.broken("a LiveKit that is away", "LiveKit server", "fail", "https://127.0.0.1:1 Connection refused")
    stack.deploy(stack.formation.update_stack, LivekitUrl="")


def key(stack, *arguments, refused=None, **options):
    answer = stack.run("key", *arguments, **options)
    expect(f"exit status of {arguments}", answer.returncode, 0 if refused is None else 1)
    if refused is not None and refused not in answer.stderr:
        wrong.append(f"{arguments}: {answer.stderr!r} does not say {refused!r}")
    for value in secret_values(stack.secret()):
        if value in answer.stderr or (arguments[0] != "show" and value in answer.stdout):
            wrong.append(f"{arguments} prints a secret")
    return answer.stdout


def secret_values(content):
    """The secret values of these settings."""
    for setting in ["OPENVIDU_SECRET", "SIGNING_KEYS", "STREAMS_ACCESS_TOKEN", "STREAMS_WEBHOOK_SECRET"]:
        entries = content.get(setting, [])
        entries = entries if isinstance(entries, list) else [entries]
        yield from (entry["secret"] if isinstance(entry, dict) else entry for entry in entries)


def kids(stack):
    return [entry["kid"] for entry in stack.secret()["SIGNING_KEYS"]]


def check_signing_keys(stack):
    [old] = kids(stack)
    key(stack, "promote", refused="signing-keys has one live value")
    if "greenroom key promote --stack greenroom" not in key(stack, "rotate"):
        wrong.append("rotating a key does not print the next command")
    [first, new] = kids(stack)
    expect("the key that signs before the promotion", first, old)
    key(stack, "rotate", refused="signing-keys has two live values")
    age_functions(stack)
    key(stack, "promote", refused="roll out first")
    stack.roll_out()
    key(stack, "retire", "signing-keys", refused="does not sign yet")
    key(stack, "promote")
    key(stack, "promote", refused="stands first already")
    expect("the keys after promoting", kids(stack), [new, old])
    stack.roll_out()
    key(stack, "retire", "signing-keys")
    expect("the keys after retiring the old one", kids(stack), [new])
    expect("the setting that is not ours", stack.secret()["of somebody else's"], {"stays": ["as", "it", "is"]})


def age_functions(stack):
    """Makes the signing keys newer than the functions. A secret's date of change has whole seconds, so this repeats."""
    name = "signing-keys"
    changed = lambda: stack.keeper.describe_secret(SecretId=PREFIX + name)["LastChangedDate"].timestamp()
    while changed() <= stack.rolled_out:
        # A space at the end makes a new version with the same content.
        text = stack.current(name)["SecretString"] + " "
        new = stack.keeper.put_secret_value(SecretId=PREFIX + name, SecretString=text, VersionStages=["NEW"])
        labels = {"VersionStage": "AWSCURRENT", "RemoveFromVersionId": stack.current(name)["VersionId"]}
        stack.keeper.update_secret_version_stage(SecretId=PREFIX + name, MoveToVersionId=new["VersionId"], **labels)


def check_secrets_in_use(stack, url):
    """A back-end uses the old secret, then the new one."""
    [old] = [stack.secret()["OPENVIDU_SECRET"]]
    key(stack, "rotate", "openvidu")
    stack.roll_out()
    new = key(stack, "show", "openvidu").strip()
    expect("the secrets", [entry for entry in secret_values(stack.secret())][:2], [new, old])
    listed = [line.split() for line in key(stack, "list").splitlines()]
    rows = [row for row in listed if row[0] == "openvidu"]
    expect("uses of the secrets", [row[-1] for row in rows], ["known", "hour"])
    key(stack, "retire", "openvidu", refused="was used")
    key(stack, "retire", "openvidu", "--force")
    expect("the secret after retiring the old one", [entry for entry in secret_values(stack.secret())][:1], [new])
    key(stack, "rotate", "opentok-webhook", refused="standard input", input="")
    key(stack, "rotate", "opentok-webhook", input="given by OpenTok's people\n")
    expect("the given secret", stack.secret()["OPENTOK_WEBHOOK_SECRET"][0]["secret"], "given by OpenTok's people")
    key(stack, "show", "signing-keys", refused="are not shown")


def check_two_at_once(stack):
    """When two commands change a secret at the same time, one of them is refused."""
    command = [GREENROOM, "key", "rotate", "streams-webhook", "--stack", STACK]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(command, env=stack.environment, **quiet) for _ in range(2)]
    expect("number of commands that succeed", [process.wait() for process in running].count(0), 1)
    expect("values of the secret", len(stack.secret()["STREAMS_WEBHOOK_SECRET"]), 2)


def check_commands(stack):
    """Commands work on the table of a stack and print which table they used."""
    on_stack = lambda *arguments: command(stack, *arguments)
    password = on_stack("user", "create", "ada", "--role", "manager").strip()
    if len(password) < 8:
        wrong.append(f"a user is created with the password {password!r}")
    if "ada" not in on_stack("user", "list"):
        wrong.append("a created user is not listed")
    on_stack("user", "block", "ada")
    on_stack("user", "delete", "ada")
    if "ada" in on_stack("user", "list"):
        wrong.append("a deleted user is listed")
    on_stack("api-token", "create", "stage displays")
    if "stage displays" not in on_stack("api-token", "list"):
        wrong.append("a created token is not listed")
    expect("bookings that were not sent", on_stack("bookings", "list"), "")
    on_stack("live", "list")
    expect("sessions that were moved", on_stack("sessions", "move"), "moved 0, there already 0, failed 0\n")


def command(stack, *arguments):
    """The output of a command that has to succeed."""
    answer = stack.run(*arguments)
    expect(f"exit status of {arguments}", answer.returncode, 0)
    if stack.table not in answer.stderr or STACK not in answer.stderr:
        wrong.append(f"{arguments} does not say which store it used: {answer.stderr!r}")
    return answer.stdout


def serve(stack, directory):
    """Starts a local server on the stack's table, with its secrets. Returns the process and the port."""
    settings = {name: value if isinstance(value, str) else json.dumps(value) for name, value in stack.secret().items()}
    environment = {**settings, **stack.environment, "TABLE_NAME": stack.table, "CORS_ORIGINS": ORIGIN}
    command = [GREENROOM, "serve", "--port", "0", "--data-dir", directory]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    first = server.stdout.readline()
    threading.Thread(target=server.stdout.read, daemon=True).start()
    return server, int(first.rsplit(":", 1)[1])


def main():
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    api_url = f"http://127.0.0.1:{proxy.server_port}"
    stack = Deployment(f"http://{host}:{port}", api_url)
    with tempfile.TemporaryDirectory() as directory:
        server, Proxy.server_port = serve(stack, directory)
        try:
            credentials = base64.b64encode(f"OPENVIDUAPP:{stack.secret()['OPENVIDU_SECRET']}".encode()).decode()
            request = Request(f"{api_url}/api/sessions", headers={"Authorization": f"Basic {credentials}"})
            expect("status of a back-end's request", urlopen(request).status, 200)
            check_stack(stack)
            check_secrets_in_use(stack, api_url)
            check_signing_keys(stack)
            check_two_at_once(stack)
            check_secret(stack)
            check_livekit(stack)
            check_commands(stack)
        finally:
            server.terminate()
            server.wait()
            proxy.shutdown()
            moto.stop()
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


sys.exit(main())
