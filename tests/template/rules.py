"""This project's rules for deployed resources: IAM roles, routes, logs, the DynamoDB table, scheduled functions."""

import json
import re

# The limits of CloudFormation for one stack, and of API Gateway for one HTTP API.
RESOURCES_MAX = 500
ROUTES_MAX = 300
# IAM cannot limit these actions to a resource. Roles may allow them under this condition only.
WITHOUT_RESOURCE = ("HasTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"])


def resources(template, kind):
    """The properties of all resources of one type, by resource name."""
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def functions(template):
    """The properties of the Lambda functions, by resource name."""
    return resources(template, "AWS::Lambda::Function")


def role_of(function):
    """The resource name of a function's IAM role."""
    return function["Role"]["Fn::GetAtt"][0]


def policies(role):
    """A role's policies, each with its CloudFormation condition, or `None`."""
    for policy in role.get("Policies", []):
        condition, policy, _ = policy.get("Fn::If", (None, policy, None))
        yield condition, policy


def statements(template):
    """The policy statements of all IAM roles, each with the role's name and the policy's condition."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        for condition, policy in policies(role):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, condition, statement


def wildcards(template):
    """Roles contain all policies, and no policy statement has `*` in an action or a resource."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name}: has a managed policy"
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"):
        yield from (f"{name}: is a policy outside of a role" for name in resources(template, kind))
    for name, condition, statement in statements(template):
        if statement["Resource"] == "*" and (condition, statement["Action"]) == WITHOUT_RESOURCE:
            continue
        if "*" in json.dumps([statement["Action"], statement["Resource"]]):
            yield f"{name}: allows a wildcard in {json.dumps(statement)}"


def roles(template):
    """Each function has its own IAM role, with the policies that depend on a parameter.

    Every role has `traces`. A role has `table-key` if it may access the table, and only then.
    """
    of_functions = {name: role_of(function) for name, function in functions(template).items()}
    for name, role in of_functions.items():
        if list(of_functions.values()).count(role) > 1:
            yield f"{name}: shares {role} with another function"
    table_roles = {
        name for name, _, statement in statements(template) if "dynamodb:" in json.dumps(statement["Action"])
    }
    with_condition = {(name, condition) for name, condition, _ in statements(template)}
    for role in of_functions.values():
        if (role, "HasTraces") not in with_condition:
            yield f"{role}: lacks the policy traces"
        if (role in table_roles) != ((role, "HasTableKey") in with_condition):
            yield f"{role}: {'lacks' if role in table_roles else 'does not need'} the policy table-key"


def keys(template):
    """Roles may access the table only by listed kinds of partition keys, and not without a partition key.

    `ForAllValues` is also true for a request without a partition key. So it takes `Null` to refuse a scan.
    """
    for name, _, statement in statements(template):
        if "dynamodb:" not in json.dumps(statement["Action"]):
            continue
        condition = dict(statement.get("Condition", {}))
        patterns = condition.pop("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
        if not isinstance(patterns, list) or not patterns:
            yield f"{name}: is not limited to partition keys in {json.dumps(statement['Action'])}"
        elif any(not re.match("[A-Z]+(#|$)", pattern) for pattern in patterns):
            yield f"{name}: allows partition keys of any kind in {json.dumps(patterns)}"
        if condition != {"Null": {"dynamodb:LeadingKeys": "false"}}:
            yield f"{name}: allows requests without a partition key in {json.dumps(statement['Action'])}"


def routes(template):
    """Each route uses payload format 2.0. Each except the root exists with and without a slash at the end.

    Both spellings of a route lead to the same function.
    """
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
            if path not in ("$default", "/") and target != integration.get("uri"):
                yield f"{name}: {method} {path} and {method} {other} do not lead to the same function"
        # The function of the default route answers CORS preflights too. API Gateway would answer them itself if the
        # API had a CORS configuration.
        if ("$default", "x-amazon-apigateway-any-method") not in served:
            yield f"{name}: has no default route"
        if "x-amazon-apigateway-cors" in api["Body"] or "CorsConfiguration" in api:
            yield f"{name}: answers CORS preflights itself, instead of the functions"
    if len(apis) != 1:
        yield f"{len(apis)} HTTP APIs"


def stages(template):
    """The API has throttling and an access log. Its domain, if any, leads to the root and requires TLS 1.2."""
    for name, stage in resources(template, "AWS::ApiGatewayV2::Stage").items():
        limits = stage.get("DefaultRouteSettings", {})
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= limits.keys():
            yield f"{name}: is not throttled"
        if "AccessLogSettings" not in stage:
            yield f"{name}: has no access log"
        # A query may contain a secret, and a path contains ids.
        elif any(word in json.dumps(stage["AccessLogSettings"]) for word in ("query", "$context.path")):
            yield f"{name}: logs the path or the query"
    for name, domain in resources(template, "AWS::ApiGatewayV2::DomainName").items():
        if any(one["SecurityPolicy"] != "TLS_1_2" for one in domain["DomainNameConfigurations"]):
            yield f"{name}: accepts old TLS"
    for name, mapping in resources(template, "AWS::ApiGatewayV2::ApiMapping").items():
        if mapping.get("ApiMappingKey"):
            yield f"{name}: has a path, but clients drop it"


def logs(template):
    """Each function has its own log group. Every log group has a retention period and may have a KMS key."""
    groups = resources(template, "AWS::Logs::LogGroup")
    seen = set()
    for name, function in functions(template).items():
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in groups or group in seen:
            yield f"{name}: has no log group of its own"
        seen.add(group)
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name}: keeps its logs for ever"
        if group.get("KmsKeyId", {}).get("Fn::If", [None])[0] != "HasLogKey":
            yield f"{name}: has no KmsKeyId: *LogKey"


def table(template):
    """The table is protected against loss. All functions and roles use the same table."""
    for name, properties in resources(template, "AWS::DynamoDB::Table").items():
        resource = template["Resources"][name]
        if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} != {"Retain"}:
            yield f"{name}: is deleted with the stack"
        if not properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]:
            yield f"{name}: has no point-in-time recovery"
        if "DeletionProtectionEnabled" not in properties or not properties["SSESpecification"]["SSEEnabled"]:
            yield f"{name}: lacks deletion protection or encryption"
    names, arns = {}, {}
    for name, function in functions(template).items():
        variables = function["Environment"]["Variables"]
        if "TABLE_NAME" in variables:
            names[json.dumps(variables["TABLE_NAME"])] = name
    for name, _, statement in statements(template):
        if "dynamodb:" in json.dumps(statement["Action"]):
            arns[json.dumps(statement["Resource"])] = name
    for found, what in ((names, "TABLE_NAME"), (arns, "Resource for the table")):
        if len(found) > 1:
            yield f"{', '.join(found.values())}: do not all have the same {what}"


def scheduled(template):
    """A scheduled function sends failed events to a dead-letter queue, may write to it and is not retried."""
    sending_statements = [(name, one) for name, _, one in statements(template) if "sqs:SendMessage" in one["Action"]]
    allowed = {(name, json.dumps(one["Resource"])) for name, one in sending_statements}
    configurations = resources(template, "AWS::Lambda::EventInvokeConfig").values()
    configured = {one["FunctionName"]["Ref"]: one for one in configurations}
    all_functions = functions(template)
    for rule, properties in resources(template, "AWS::Events::Rule").items():
        for target in properties["Targets"]:
            name = target["Arn"]["Fn::GetAtt"][0]
            function = all_functions[name]
            queue = function.get("DeadLetterConfig", {}).get("TargetArn")
            if not queue or target.get("DeadLetterConfig", {}).get("Arn") != queue:
                yield f"{name}: has no dead-letter queue for failed events of {rule}"
            elif (role_of(function), json.dumps(queue)) not in allowed:
                yield f"{role_of(function)}: may not write to the dead-letter queue"
            if configured.get(name, {}).get("MaximumRetryAttempts") != 0:
                yield f"{name}: is retried, although the next run does the remaining work"
    for name, queue in resources(template, "AWS::SQS::Queue").items():
        if not queue.get("SqsManagedSseEnabled") or queue.get("MessageRetentionPeriod") != 1209600:
            yield f"{name}: is not encrypted, or does not keep messages for 14 days"


def parameters(template):
    """Every parameter has a description and a default, and is in one parameter group."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    for name, parameter in template["Parameters"].items():
        if grouped.count(name) != 1:
            yield f"{name}: is in {grouped.count(name)} parameter groups"
        if not parameter.get("Description"):
            yield f"{name}: has no description"
        if "Default" not in parameter:
            yield f"{name}: has no default"


def size(template):
    """The stack and its HTTP API stay within the limits of CloudFormation and API Gateway."""
    count = len(template["Resources"])
    if count > RESOURCES_MAX:
        yield f"{count} resources"
    for name, api in resources(template, "AWS::ApiGatewayV2::Api").items():
        count = sum(len(operations) for operations in api["Body"]["paths"].values())
        if count > ROUTES_MAX:
            yield f"{name}: {count} routes"


RULES = (wildcards, roles, keys, routes, stages, logs, table, scheduled, parameters, size)
