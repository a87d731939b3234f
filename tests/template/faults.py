"""Plants faults in the translated template, one at a time, and checks that the rules find them."""

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


def remove_statements(template, role, actions):
    """Removes the policy statements whose first action begins with `actions`."""
    all_statements = statements_of(template, role)
    all_statements[:] = [one for one in all_statements if not one["Action"][0].startswith(actions)]


def policy_under(template, role, condition):
    """The policy that a role has under a CloudFormation condition."""
    (policy,) = [one for one in properties(template, role)["Policies"] if one.get("Fn::If", [None])[0] == condition]
    return policy


def partition_keys(statement):
    return statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]


def properties(template, name):
    return template["Resources"][name]["Properties"]


def allow_more(policy):
    policy["PolicyDocument"]["Statement"][0]["Action"].append("logs:PutLogEvents")


def drop_from_alarm(template, alarm, function):
    queries = properties(template, alarm)["Metrics"]
    queries[:] = [query for query in queries if function not in json.dumps(query)]


def edit_dashboard(template, old, new):
    body = properties(template, "Dashboard")["DashboardBody"]["Fn::Sub"]
    assert old in body[0]
    body[0] = body[0].replace(old, new, 1)


# For each fault: the change to the template, and a part of the expected finding.
FAULTS = {
    "a wildcard": (
        lambda t: statement(t, "UsersRole").update(Resource="*"),
        "UsersRole: allows a wildcard",
    ),
    "a wildcard in the policy for traces": (
        lambda t: allow_more(policy_under(t, "UsersRole", "HasTraces")["Fn::If"][1]),
        "UsersRole: allows a wildcard",
    ),
    "a policy for traces without its condition": (
        lambda t: properties(t, "UsersRole")["Policies"].append(policy_under(t, "UsersRole", "HasTraces")["Fn::If"][1]),
        "UsersRole: allows a wildcard",
    ),
    "a role without the policy for traces": (
        lambda t: properties(t, "UsersRole")["Policies"].remove(policy_under(t, "UsersRole", "HasTraces")),
        "UsersRole: lacks the policy traces",
    ),
    "a role without the policy for the table's key": (
        lambda t: properties(t, "UsersRole")["Policies"].remove(policy_under(t, "UsersRole", "HasTableKey")),
        "UsersRole: lacks the policy table-key",
    ),
    "a policy for the table's key without access to the table": (
        lambda t: remove_statements(t, "IssueTokenRole", "dynamodb:"),
        "IssueTokenRole: does not need the policy table-key",
    ),
    "a policy outside of roles": (
        lambda t: t["Resources"].update(More={"Type": "AWS::IAM::Policy", "Properties": {}}),
        "More: is a policy outside of a role",
    ),
    "a role of two functions": (
        lambda t: properties(t, "Users").update(Role=properties(t, "Rooms")["Role"]),
        "Users: shares RoomsRole",
    ),
    "a function with another table": (
        lambda t: properties(t, "Users")["Environment"]["Variables"].update(TABLE_NAME={"Ref": "Table"}),
        "not all have the same TABLE_NAME",
    ),
    "a role for another table": (
        lambda t: statement(t, "UsersRole").update(Resource={"Fn::GetAtt": ["Table", "Arn"]}),
        "not all have the same Resource for the table",
    ),
    "a role for every partition key": (
        lambda t: statement(t, "UsersRole")["Condition"].pop("ForAllValues:StringLike"),
        "UsersRole: is not limited to partition keys",
    ),
    "a role for partition keys of any kind": (
        lambda t: partition_keys(statement(t, "UsersRole")).append("*"),
        "UsersRole: allows partition keys of any kind",
    ),
    "a role that may scan the table": (
        lambda t: statement(t, "UsersRole")["Condition"].pop("Null"),
        "UsersRole: allows requests without a partition key",
    ),
    "a table that is deleted with the stack": (
        lambda t: t["Resources"]["Table"].update(DeletionPolicy="Delete"),
        "Table: is deleted with the stack",
    ),
    "a table without deletion protection": (
        lambda t: properties(t, "Table").pop("DeletionProtectionEnabled"),
        "Table: lacks deletion protection or encryption",
    ),
    "logs without the KMS key": (
        lambda t: properties(t, "UsersLogs").pop("KmsKeyId"),
        "UsersLogs: has no KmsKeyId",
    ),
    "logs that are kept for ever": (
        lambda t: properties(t, "AccessLogs").pop("RetentionInDays"),
        "AccessLogs: keeps its logs for ever",
    ),
    "housekeeping without a dead-letter queue": (
        lambda t: properties(t, "Housekeeping").pop("DeadLetterConfig"),
        "Housekeeping: has no dead-letter queue for failed events of HousekeepingEveryMinute",
    ),
    "a schedule without a dead-letter queue": (
        lambda t: properties(t, "HousekeepingEveryMinute")["Targets"][0].pop("DeadLetterConfig"),
        "Housekeeping: has no dead-letter queue for failed events of HousekeepingEveryMinute",
    ),
    "housekeeping that may not write to its dead-letter queue": (
        lambda t: remove_statements(t, "HousekeepingRole", "sqs:SendMessage"),
        "HousekeepingRole: may not write to the dead-letter queue",
    ),
    "a queue without encryption": (
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
        "Domain: accepts old TLS",
    ),
    "a function whose errors no alarm watches": (
        lambda t: drop_from_alarm(t, "EventErrorsAlarm", "Users"),
        "Users: 0 alarms watch its Errors",
    ),
    "a function whose throttles no alarm watches": (
        lambda t: drop_from_alarm(t, "ConversationThrottlesAlarm", "MessageEvents"),
        "MessageEvents: 0 alarms watch its Throttles",
    ),
    "an alarm that notifies nobody": (
        lambda t: properties(t, "DeadLettersAlarm").pop("AlarmActions"),
        "DeadLettersAlarm: notifies nobody",
    ),
    "an alarm that is not explained": (
        lambda t: properties(t, "DeadLettersAlarm").update(AlarmDescription="Oh. docs/operations.md, Dead."),
        "DeadLettersAlarm: is not explained",
    ),
    "an unknown metric": (
        lambda t: properties(t, "ServerErrorsAlarm").update(MetricName="ServerError"),
        "ServerErrorsAlarm: there is no metric Greenroom ServerError of Service",
    ),
    "an unknown set of dimensions": (
        lambda t: properties(t, "TableErrorsAlarm")["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"].pop(),
        "TableErrorsAlarm: there is no metric AWS/DynamoDB SystemErrors of TableName",
    ),
    "an alarm with eleven metrics": (
        lambda t: properties(t, "EventErrorsAlarm")["Metrics"].append(properties(t, "EventErrorsAlarm")["Metrics"][1]),
        "EventErrorsAlarm: uses 11 metrics",
    ),
    "a dashboard that is not JSON": (
        lambda t: edit_dashboard(t, '"widgets": [', '"widgets": [,'),
        "Dashboard: is not a valid dashboard",
    ),
    "a graph of an unknown metric": (
        lambda t: edit_dashboard(t, '"TableRetries"', '"Retries"'),
        "there is no metric Greenroom Retries of Service",
    ),
    "a search for an unknown metric": (
        lambda t: edit_dashboard(t, 'MetricName=\\"ReadUnits\\"', 'MetricName=\\"Reads\\"'),
        "there is no metric Greenroom Reads",
    ),
    "a function without a graph": (
        lambda t: edit_dashboard(t, '"Errors", "FunctionName", "${Users}"', '"Errors", "FunctionName", "${Rooms}"'),
        "Dashboard: lacks Throttles of Users",
    ),
    "overlapping widgets": (
        lambda t: edit_dashboard(t, '"x": 8, "y": 4', '"x": 7, "y": 4'),
        "overlaps another widget",
    ),
    "an alarm that the dashboard lacks": (
        lambda t: edit_dashboard(t, '"${DeadLettersAlarm.Arn}", ', ""),
        "Dashboard: lacks ${DeadLettersAlarm.Arn}",
    ),
    "a condition that is never true": (
        lambda t: t["Conditions"].update(HasTraces={"Fn::Equals": [{"Ref": "Tracing"}, "Active"]}),
        "HasTraces: is False in every state",
    ),
    "a rule that refuses valid parameters": (
        lambda t: t["Rules"]["AZoneIsOfADomain"]["Assertions"][0].update(Assert={"Fn::Equals": ["a", "b"]}),
        "AZoneIsOfADomain: refuses the parameters with everything set",
    ),
    "a parameter in no group": (
        lambda t: t["Parameters"].update(Another={"Type": "String", "Default": "", "Description": "…"}),
        "Another: is in 0 parameter groups",
    ),
}


class Faults(unittest.TestCase):
    def test_the_template_without_faults_has_no_findings(self):
        self.assertEqual(check(TRANSLATION), [])

    def test_the_rules_find_each_fault(self):
        for fault, (plant, finding) in FAULTS.items():
            with self.subTest(fault):
                template = copy.deepcopy(TRANSLATION)
                plant(template)
                found = check(template)
                self.assertTrue(any(finding in line for line in found), found)

    def test_the_alarms_use_many_metrics(self):
        alarms = resources(TRANSLATION, "AWS::CloudWatch::Alarm").values()
        self.assertGreater(sum(len(list(metrics_of(alarm))) for alarm in alarms), 60)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
