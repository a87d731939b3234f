"""Checks the deployment template: exits with 1 and the findings unless there are none.

No single tool sees every fault. cfn-lint knows CloudFormation but not what SAM makes of a function;
SAM's translator refuses what it cannot translate but passes on what it does not know. So the template
is linted, translated, and the translation linted again, with the parameters' defaults and with every
parameter set. What no tool can know, the rules of this project, is checked on the translation, where
SAM's own additions show too. With `--translation FILE` the translation is left there for checkov.
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
# The translator wants a region, any region; nothing is sent to it.
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

# What an operator may set; with these and the defaults every condition is met once, and once it is not.
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
        # What stands behind an alias is one object, which the translator must not change for all.
        return Translator({}, Parser()).translate(json.loads(json.dumps(template)), {}), []
    except InvalidDocumentException as error:
        return None, [f"SAM: {cause.message}" for cause in error.causes] or [f"SAM: {error.message}"]


def in_state(template, values):
    """The template with other defaults, which is what the linter takes for the parameters' values."""
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


def meaning(template, node):
    """What a condition or an assertion comes to with the parameters' defaults."""
    if not isinstance(node, dict):
        return node
    ((name, operands),) = node.items()
    if name == "Ref":
        return template["Parameters"][operands]["Default"]
    if name == "Condition":
        return meaning(template, template["Conditions"][operands])
    values = [meaning(template, operand) for operand in operands]
    evaluate = {
        "Fn::Equals": lambda: str(values[0]) == str(values[1]),
        "Fn::Not": lambda: not values[0],
        "Fn::And": lambda: all(values),
        "Fn::Or": lambda: any(values),
    }
    return evaluate[name]()


def states(template):
    """Every condition is looked at in both its states, in none of which the template refuses its parameters."""
    seen = {name: set() for name in template["Conditions"]}
    for state, values in STATES.items():
        told = in_state(template, values)
        for name, condition in template["Conditions"].items():
            seen[name].add(meaning(told, condition))
        for name, rule in template["Rules"].items():
            applies = meaning(told, rule["RuleCondition"])
            if applies and not all(meaning(told, assertion["Assert"]) for assertion in rule["Assertions"]):
                yield f"{name}: does not hold {state}"
    for name, values in seen.items():
        if values != {True, False}:
            yield f"{name}: is {values.pop()} in every state that is checked"


def check(translation):
    """What the rules of this project find."""
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
