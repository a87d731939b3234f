"""Checks the deployment template: exits with 1 and the findings unless there are none.

No single tool sees every fault. cfn-lint knows CloudFormation but not what SAM makes of a function;
SAM's translator refuses what it cannot translate but passes on what it does not know. So the template
is linted, translated, and the translation linted again. What no tool can know, the rules of this
project, is checked on the translation, where SAM's own additions show too.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "template.yaml")
RESOURCES_MAX = 500
ROUTES_MAX = 300
# The translator wants a region, any region; nothing is sent to it.
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


def lint(path):
    """cfn-lint's findings on one file."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "parseable", path]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    findings = (ended.stdout + ended.stderr).splitlines()
    if ended.returncode and not findings:
        findings = [f"cfn-lint ended with {ended.returncode} and said nothing"]
    return findings


def translate(template):
    """What SAM makes of the template; code is replaced by a package's address, as packaging does."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.pop("Metadata", None)
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    try:
        return Translator({}, Parser()).translate(template, {}), []
    except InvalidDocumentException as error:
        return None, [f"SAM: {cause.message}" for cause in error.causes] or [f"SAM: {error.message}"]


def resources(template, kind):
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def wildcards(template):
    """Permissions are written out: no `*` in an action or a resource, no managed policy."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name}: has a managed policy"
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in json.dumps([statement["Action"], statement["Resource"]]):
                    yield f"{name}: a wildcard in {json.dumps(statement)}"


def routes(template):
    """Each route exists in both spellings, leads to one function and speaks payload 2.0."""
    apis = resources(template, "AWS::ApiGatewayV2::Api")
    for name, api in apis.items():
        paths = api["Body"]["paths"]
        served = {
            (path, method): operation.get("x-amazon-apigateway-integration", {})
            for path, operations in paths.items()
            for method, operation in operations.items()
        }
        for (path, method), integration in served.items():
            version = integration.get("payloadFormatVersion")
            if version != "2.0":
                yield f"{name}: {method} {path} has payload {version}"
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            target = served.get((other, method), {}).get("uri")
            if path != "$default" and target != integration.get("uri"):
                yield f"{name}: {method} {path} and {method} {other} are not the same"
        if ("$default", "x-amazon-apigateway-any-method") not in served:
            yield f"{name}: has no default route"
    if len(apis) != 1:
        yield f"{len(apis)} HTTP APIs"


def logs(template):
    """Each function writes to a log group of its own, and every group forgets."""
    groups = resources(template, "AWS::Logs::LogGroup")
    seen = set()
    for name, function in resources(template, "AWS::Lambda::Function").items():
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in groups or group in seen:
            yield f"{name}: has no log group of its own"
        seen.add(group)
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name}: keeps its logs for ever"


def size(template):
    """CloudFormation takes this many resources in one stack, and an HTTP API this many routes."""
    count = len(template["Resources"])
    if count > RESOURCES_MAX:
        yield f"{count} resources"
    for name, api in resources(template, "AWS::ApiGatewayV2::Api").items():
        count = sum(len(operations) for operations in api["Body"]["paths"].values())
        if count > ROUTES_MAX:
            yield f"{name}: {count} routes"


def main():
    findings = lint(TEMPLATE)
    translation, refused = translate(yaml_parse(TEMPLATE.read_text()))
    findings += refused
    if translation:
        with tempfile.TemporaryDirectory() as directory:
            translated = Path(directory) / "translated.json"
            translated.write_text(json.dumps(translation, indent=2))
            findings += lint(translated)
        for rule in (wildcards, routes, logs, size):
            findings += rule(translation)
    if findings:
        sys.exit("\n".join(findings))
    count = len(resources(translation, "AWS::Lambda::Function"))
    print(f"{TEMPLATE.name}: {count} functions, {len(translation['Resources'])} resources, no findings")


if __name__ == "__main__":
    main()
