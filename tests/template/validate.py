"""Checks the deployment template. Prints the findings and exits with 1 if there are any.

No single tool sees every fault. cfn-lint knows CloudFormation, but not the resources that SAM makes from a
function. SAM's translator refuses input that it cannot translate, but passes on properties that it does not
know. So this script lints the template, translates it and lints the translation, with the parameters' defaults
and with every parameter set. No tool knows this project's rules, so the script checks them itself. It checks
them on the translation, which includes SAM's own additions. `--translation FILE` saves the translation for
checkov.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rules import RULES, resources
from watching import WATCHING

ROOT = Path(__file__).parents[2]
# The translator needs a region, but sends nothing to it. Any region will do.
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

# Parameters that an operator may set. Each condition is true in one of these states and false in another.
STATES = {
    "with its defaults": {},
    "with everything set": {
        "PublicUrl": "https://greenroom.example.com",
        "DomainName": "api.example.com",
        "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "CorsOrigins": "https://app.example.com",
        "StreamsApiUrl": "https://media.example.com",
        "StreamsVhosts": "live.example.com=edge",
        "StreamsLifetime": "3600",
        "StreamsKeepViewers": "true",
        "ExistingTable": "restored",
        "TableKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012",
        "LogKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012",
        "Tracing": "xray",
        "EventStreamsMax": 100,
        "AlarmEmail": "operator@example.com",
    },
    "without alarms": {"Alarms": "disabled"},
}


def lint(path):
    """The findings of cfn-lint in one file."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "parseable", path]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    findings = (ended.stdout + ended.stderr).splitlines()
    if ended.returncode and not findings:
        findings = [f"cfn-lint exited with {ended.returncode} and printed nothing"]
    return findings


def translate(template):
    """SAM's translation of the template. The address of a package replaces the code, as it does when SAM packages."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.pop("Metadata", None)
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    try:
        # All uses of a YAML alias are one object. The JSON copy separates them, so the translator changes only one.
        return Translator({}, Parser()).translate(json.loads(json.dumps(template)), {}), []
    except InvalidDocumentException as error:
        return None, [f"SAM: {cause.message}" for cause in error.causes] or [f"SAM: {error.message}"]


def in_state(template, values):
    """The template with `values` as defaults, because the linter takes the defaults as the parameters' values."""
    template = copy.deepcopy(template)
    for name, value in values.items():
        template["Parameters"][name]["Default"] = value
    return template


def lint_translations(translation):
    findings = []
    with tempfile.TemporaryDirectory() as directory:
        for state, values in STATES.items():
            path = Path(directory) / f"translated {state}.json"
            path.write_text(json.dumps(in_state(translation, values), indent=2))
            findings += lint(path)
    return findings


def value_of(template, node):
    """The value of a condition or an assertion with the parameters' defaults."""
    if not isinstance(node, dict):
        return node
    ((name, operands),) = node.items()
    if name == "Ref":
        return template["Parameters"][operands]["Default"]
    if name == "Condition":
        return value_of(template, template["Conditions"][operands])
    values = [value_of(template, operand) for operand in operands]
    evaluate = {
        "Fn::Equals": lambda: str(values[0]) == str(values[1]),
        "Fn::Not": lambda: not values[0],
        "Fn::And": lambda: all(values),
        "Fn::Or": lambda: any(values),
    }
    return evaluate[name]()


def states(template):
    """Each condition is true in one state and false in another. The template accepts the parameters of every state."""
    seen = {name: set() for name in template["Conditions"]}
    for state, values in STATES.items():
        in_this_state = in_state(template, values)
        for name, condition in template["Conditions"].items():
            seen[name].add(value_of(in_this_state, condition))
        for name, rule in template["Rules"].items():
            applies = value_of(in_this_state, rule["RuleCondition"])
            if applies and not all(value_of(in_this_state, assertion["Assert"]) for assertion in rule["Assertions"]):
                yield f"{name}: refuses the parameters {state}"
    for name, values in seen.items():
        if values != {True, False}:
            yield f"{name}: is {values.pop()} in every state that is checked"


def check(translation):
    """The findings of this project's rules."""
    return [finding for rule in (states, *RULES, *WATCHING) for finding in rule(translation)]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("template", nargs="?", type=Path, default=ROOT / "template.yaml")
    arguments.add_argument("--translation", type=Path)
    arguments = arguments.parse_args()
    findings = lint(arguments.template)
    translation, refused = translate(yaml_parse(arguments.template.read_text()))
    findings += refused
    if translation:
        findings += lint_translations(translation) + check(translation)
        if arguments.translation:
            arguments.translation.parent.mkdir(parents=True, exist_ok=True)
            arguments.translation.write_text(json.dumps(translation, indent=2))
    if findings:
        sys.exit("\n".join(findings))
    count = len(resources(translation, "AWS::Lambda::Function"))
    print(f"{arguments.template.name}: {count} functions, {len(translation['Resources'])} resources, no findings")


if __name__ == "__main__":
    main()
