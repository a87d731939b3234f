"""Plants faults in the translation, one at a time, and looks whether the rules find them."""

import copy
import json
import sys
import unittest

from rules import resources
from validate import ROOT, check, translate
from watching import metrics_of
from samtranslator.yaml_helper import yaml_parse

TRANSLATION, _ = translate(yaml_parse((ROOT / "template.yaml").read_text()))


def statements_of(template, role):
    return properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"]


def statement(template, role):
    return statements_of(template, role)[0]


def forbid(template, role, actions):
    """Takes away what allows actions that begin so."""
    all_of_them = statements_of(template, role)
    all_of_them[:] = [one for one in all_of_them if not one["Action"][0].startswith(actions)]


def conditional(template, role, condition):
    """The policy that a role has under a condition."""
    (policy,) = [one for one in properties(template, role)["Policies"] if one.get("Fn::If", [None])[0] == condition]
    return policy


def keys_of(statement):
    return statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]


def properties(template, name):
    return template["Resources"][name]["Properties"]


def allow_more(policy):
    policy["PolicyDocument"]["Statement"][0]["Action"].append("logs:PutLogEvents")


def drop_from_alarm(template, alarm, function):
    queries = properties(template, alarm)["Metrics"]
    queries[:] = [query for query in queries if function not in json.dumps(query)]


def on_dashboard(template, old, new):
    body = properties(template, "Dashboard")["DashboardBody"]["Fn::Sub"]
    assert old in body[0]
    body[0] = body[0].replace(old, new, 1)


# What is done to the template, and words of the finding.
FAULTS = {
    "a wildcard": (
        lambda t: statement(t, "UsersRole").update(Resource="*"),
        "UsersRole: a wildcard",
    ),
    "a wildcard beside traces": (
        lambda t: allow_more(conditional(t, "UsersRole", "HasTraces")["Fn::If"][1]),
        "UsersRole: a wildcard",
    ),
    "traces for everybody": (
        lambda t: properties(t, "UsersRole")["Policies"].append(conditional(t, "UsersRole", "HasTraces")["Fn::If"][1]),
        "UsersRole: a wildcard",
    ),
    "a role without traces": (
        lambda t: properties(t, "UsersRole")["Policies"].remove(conditional(t, "UsersRole", "HasTraces")),
        "UsersRole: has no - *Traces",
    ),
    "a role without the table's key": (
        lambda t: properties(t, "UsersRole")["Policies"].remove(conditional(t, "UsersRole", "HasTableKey")),
        "UsersRole: has no - *TableKey",
    ),
    "the table's key without the table": (
        lambda t: forbid(t, "IssueTokenRole", "dynamodb:"),
        "IssueTokenRole: has no use for - *TableKey",
    ),
    "a policy outside of roles": (
        lambda t: t["Resources"].update(More={"Type": "AWS::IAM::Policy", "Properties": {}}),
        "More: stands outside of the role",
    ),
    "a role for two": (
        lambda t: properties(t, "Users").update(Role=properties(t, "Rooms")["Role"]),
        "Users: shares RoomsRole",
    ),
    "a function that knows another table": (
        lambda t: properties(t, "Users")["Environment"]["Variables"].update(TABLE_NAME={"Ref": "Table"}),
        "not all have TABLE_NAME: *TableName",
    ),
    "a role for another table": (
        lambda t: statement(t, "UsersRole").update(Resource={"Fn::GetAtt": ["Table", "Arn"]}),
        "not all have Resource: *TableArn",
    ),
    "a role for every item": (
        lambda t: statement(t, "UsersRole")["Condition"].pop("ForAllValues:StringLike"),
        "UsersRole: is not limited to keys",
    ),
    "a role for items of every kind": (
        lambda t: keys_of(statement(t, "UsersRole")).append("*"),
        "UsersRole: is limited to keys of any kind",
    ),
    "a role that may scan the table": (
        lambda t: statement(t, "UsersRole")["Condition"].pop("Null"),
        "UsersRole: may ask without a key",
    ),
    "a table that goes with the stack": (
        lambda t: t["Resources"]["Table"].update(DeletionPolicy="Delete"),
        "Table: goes with the stack",
    ),
    "a table without deletion protection": (
        lambda t: properties(t, "Table").pop("DeletionProtectionEnabled"),
        "Table: is not protected",
    ),
    "logs without the key": (
        lambda t: properties(t, "UsersLogs").pop("KmsKeyId"),
        "UsersLogs: has no KmsKeyId",
    ),
    "logs for ever": (
        lambda t: properties(t, "AccessLogs").pop("RetentionInDays"),
        "AccessLogs: keeps its logs for ever",
    ),
    "housekeeping without a queue": (
        lambda t: properties(t, "Housekeeping").pop("DeadLetterConfig"),
        "Housekeeping: what fails of HousekeepingEveryMinute is lost",
    ),
    "a schedule without a queue": (
        lambda t: properties(t, "HousekeepingEveryMinute")["Targets"][0].pop("DeadLetterConfig"),
        "Housekeeping: what fails of HousekeepingEveryMinute is lost",
    ),
    "housekeeping that may not write to its queue": (
        lambda t: forbid(t, "HousekeepingRole", "sqs:SendMessage"),
        "HousekeepingRole: may not write to the queue",
    ),
    "a queue in clear": (
        lambda t: properties(t, "DeadLetters").pop("SqsManagedSseEnabled"),
        "DeadLetters: is not encrypted",
    ),
    "CORS in API Gateway": (
        lambda t: properties(t, "Api")["Body"].update({"x-amazon-apigateway-cors": {}}),
        "Api: answers CORS preflights itself",
    ),
    "an API without throttling": (
        lambda t: properties(t, "ApiApiGatewayDefaultStage").pop("DefaultRouteSettings"),
        "ApiApiGatewayDefaultStage: is not throttled",
    ),
    "a domain with a path": (
        lambda t: properties(t, "DomainMapping").update(ApiMappingKey="v1"),
        "DomainMapping: has a path",
    ),
    "old TLS": (
        lambda t: properties(t, "Domain")["DomainNameConfigurations"][0].update(SecurityPolicy="TLS_1_0"),
        "Domain: takes old TLS",
    ),
    "a function that nobody watches": (
        lambda t: drop_from_alarm(t, "EventErrorsAlarm", "Users"),
        "Users: 0 alarms look at its Errors",
    ),
    "throttles that nobody watches": (
        lambda t: drop_from_alarm(t, "ConversationThrottlesAlarm", "MessageEvents"),
        "MessageEvents: 0 alarms look at its Throttles",
    ),
    "an alarm that tells nobody": (
        lambda t: properties(t, "DeadLettersAlarm").pop("AlarmActions"),
        "DeadLettersAlarm: tells nobody",
    ),
    "an alarm that is not explained": (
        lambda t: properties(t, "DeadLettersAlarm").update(AlarmDescription="Oh. docs/operations.md, Dead."),
        "DeadLettersAlarm: is not explained",
    ),
    "a metric that there is not": (
        lambda t: properties(t, "ServerErrorsAlarm").update(MetricName="ServerError"),
        "ServerErrorsAlarm: there is no metric Greenroom ServerError of Service",
    ),
    "a dimension that there is not": (
        lambda t: properties(t, "TableErrorsAlarm")["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"].pop(),
        "TableErrorsAlarm: there is no metric AWS/DynamoDB SystemErrors of TableName",
    ),
    "eleven metrics": (
        lambda t: properties(t, "EventErrorsAlarm")["Metrics"].append(properties(t, "EventErrorsAlarm")["Metrics"][1]),
        "EventErrorsAlarm: looks at 11 metrics",
    ),
    "a dashboard that is no JSON": (
        lambda t: on_dashboard(t, '"widgets": [', '"widgets": [,'),
        "Dashboard: is no dashboard",
    ),
    "a graph of nothing": (
        lambda t: on_dashboard(t, '"TableRetries"', '"Retries"'),
        "there is no metric Greenroom Retries of Service",
    ),
    "a search for nothing": (
        lambda t: on_dashboard(t, 'MetricName=\\"ReadUnits\\"', 'MetricName=\\"Reads\\"'),
        "there is no metric Greenroom Reads",
    ),
    "a function that is on no graph": (
        lambda t: on_dashboard(t, '"Errors", "FunctionName", "${Users}"', '"Errors", "FunctionName", "${Rooms}"'),
        "Dashboard: lacks Throttles of Users",
    ),
    "widgets on each other": (
        lambda t: on_dashboard(t, '"x": 8, "y": 4', '"x": 7, "y": 4'),
        "does not fit in",
    ),
    "an alarm that the dashboard lacks": (
        lambda t: on_dashboard(t, '"${DeadLettersAlarm.Arn}", ', ""),
        "Dashboard: lacks ${DeadLettersAlarm.Arn}",
    ),
    "a condition that is never met": (
        lambda t: t["Conditions"].update(HasTraces={"Fn::Equals": [{"Ref": "Tracing"}, "Active"]}),
        "HasTraces: is False in every state",
    ),
    "a rule that refuses what is right": (
        lambda t: t["Rules"]["AZoneIsOfADomain"]["Assertions"][0].update(Assert={"Fn::Equals": ["a", "b"]}),
        "AZoneIsOfADomain: does not hold with everything set",
    ),
    "a parameter in no group": (
        lambda t: t["Parameters"].update(Another={"Type": "String", "Default": "", "Description": "…"}),
        "Another: is in 0 groups",
    ),
}


class Faults(unittest.TestCase):
    def test_there_is_none_before(self):
        self.assertEqual(check(TRANSLATION), [])

    def test_each_is_found(self):
        for fault, (plant, finding) in FAULTS.items():
            with self.subTest(fault):
                template = copy.deepcopy(TRANSLATION)
                plant(template)
                found = check(template)
                self.assertTrue(any(finding in line for line in found), found)

    def test_there_is_something_to_look_at(self):
        alarms = resources(TRANSLATION, "AWS::CloudWatch::Alarm").values()
        self.assertGreater(sum(len(list(metrics_of(alarm))) for alarm in alarms), 60)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
