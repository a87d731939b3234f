"""The rules of this project for what is deployed: permissions, routes, logs, the table, what runs by itself."""

import json
import re

# What CloudFormation takes in one stack, and an HTTP API.
RESOURCES_MAX = 500
ROUTES_MAX = 300
# The actions that have no resource, and the condition they may be allowed under.
WITHOUT_RESOURCE = ("HasTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"])


def resources(template, kind):
    """The properties of the resources of one type, by their names."""
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def functions(template):
    """The functions, by their names."""
    return resources(template, "AWS::Lambda::Function")


def role_of(function):
    """The name of a function's role."""
    return function["Role"]["Fn::GetAtt"][0]


def policies(role):
    """A role's policies, each with the condition under which it has it."""
    for policy in role.get("Policies", []):
        condition, policy, _ = policy.get("Fn::If", (None, policy, None))
        yield condition, policy


def statements(template):
    """What roles allow, each with the name of the role and the condition."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        for condition, policy in policies(role):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, condition, statement


def wildcards(template):
    """Permissions are written out in roles: no `*` in an action or a resource, no policy elsewhere."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name}: has a managed policy"
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"):
        yield from (f"{name}: stands outside of the role" for name in resources(template, kind))
    for name, condition, statement in statements(template):
        if statement["Resource"] == "*" and (condition, statement["Action"]) == WITHOUT_RESOURCE:
            continue
        if "*" in json.dumps([statement["Action"], statement["Resource"]]):
            yield f"{name}: a wildcard in {json.dumps(statement)}"


def roles(template):
    """Each function has a role of its own, which allows what a parameter may ask of the function."""
    of_functions = {name: role_of(function) for name, function in functions(template).items()}
    for name, role in of_functions.items():
        if list(of_functions.values()).count(role) > 1:
            yield f"{name}: shares {role}"
    at_table = {name for name, _, statement in statements(template) if "dynamodb:" in json.dumps(statement["Action"])}
    having = {(name, condition) for name, condition, _ in statements(template)}
    for role in of_functions.values():
        if (role, "HasTraces") not in having:
            yield f"{role}: has no - *Traces"
        if (role in at_table) != ((role, "HasTableKey") in having):
            yield f"{role}: {'has no' if role in at_table else 'has no use for'} - *TableKey"


def keys(template):
    """What roles allow in the table is limited to partition keys, and a request that names none is refused.

    `ForAllValues` is true of no values; it is `Null` that refuses a scan.
    """
    for name, _, statement in statements(template):
        if "dynamodb:" not in json.dumps(statement["Action"]):
            continue
        condition = dict(statement.get("Condition", {}))
        patterns = condition.pop("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
        if not isinstance(patterns, list) or not patterns:
            yield f"{name}: is not limited to keys in {json.dumps(statement['Action'])}"
        elif any(not re.match("[A-Z]+(#|$)", pattern) for pattern in patterns):
            yield f"{name}: is limited to keys of any kind in {json.dumps(patterns)}"
        if condition != {"Null": {"dynamodb:LeadingKeys": "false"}}:
            yield f"{name}: may ask without a key in {json.dumps(statement['Action'])}"


def routes(template):
    """Each route but the root exists in both spellings, leads to one function and speaks payload 2.0."""
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
                yield f"{name}: {method} {path} and {method} {other} are not the same"
        # It answers CORS preflights too: API Gateway would answer them itself if the API had a configuration of CORS.
        if ("$default", "x-amazon-apigateway-any-method") not in served:
            yield f"{name}: has no default route"
        if "x-amazon-apigateway-cors" in api["Body"] or "CorsConfiguration" in api:
            yield f"{name}: answers CORS preflights itself, not as the functions do"
    if len(apis) != 1:
        yield f"{len(apis)} HTTP APIs"


def stages(template):
    """The API is throttled and logs what it does, and its name, if it has one, is at the root and speaks TLS 1.2."""
    for name, stage in resources(template, "AWS::ApiGatewayV2::Stage").items():
        limits = stage.get("DefaultRouteSettings", {})
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= limits.keys():
            yield f"{name}: is not throttled"
        if "AccessLogSettings" not in stage:
            yield f"{name}: has no access log"
        # A query may be a secret, and a path has ids in it.
        elif any(word in json.dumps(stage["AccessLogSettings"]) for word in ("query", "$context.path")):
            yield f"{name}: logs what may not be logged"
    for name, domain in resources(template, "AWS::ApiGatewayV2::DomainName").items():
        if any(one["SecurityPolicy"] != "TLS_1_2" for one in domain["DomainNameConfigurations"]):
            yield f"{name}: takes old TLS"
    for name, mapping in resources(template, "AWS::ApiGatewayV2::ApiMapping").items():
        if mapping.get("ApiMappingKey"):
            yield f"{name}: has a path, which clients drop"


def logs(template):
    """Each function writes to a log group of its own; every group forgets, and may have a key."""
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
    """There is one table, which is hard to lose, and functions know one table only, whichever it is."""
    for name, properties in resources(template, "AWS::DynamoDB::Table").items():
        resource = template["Resources"][name]
        if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} != {"Retain"}:
            yield f"{name}: goes with the stack"
        if not properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]:
            yield f"{name}: has no point-in-time recovery"
        if "DeletionProtectionEnabled" not in properties or not properties["SSESpecification"]["SSEEnabled"]:
            yield f"{name}: is not protected"
    names, arns = {}, {}
    for name, function in functions(template).items():
        variables = function["Environment"]["Variables"]
        if "TABLE_NAME" in variables:
            names[json.dumps(variables["TABLE_NAME"])] = name
    for name, _, statement in statements(template):
        if "dynamodb:" in json.dumps(statement["Action"]):
            arns[json.dumps(statement["Resource"])] = name
    for found, expression in ((names, "TABLE_NAME: *TableName"), (arns, "Resource: *TableArn")):
        if len(found) > 1:
            yield f"{', '.join(found.values())}: not all have {expression}"


def unasked(template):
    """What no request waits for leaves what failed in a queue, is not repeated, and may write to that queue."""
    sending = [(name, one) for name, _, one in statements(template) if "sqs:SendMessage" in one["Action"]]
    allowed = {(name, json.dumps(one["Resource"])) for name, one in sending}
    configurations = resources(template, "AWS::Lambda::EventInvokeConfig").values()
    configured = {one["FunctionName"]["Ref"]: one for one in configurations}
    all_functions = functions(template)
    for rule, properties in resources(template, "AWS::Events::Rule").items():
        for target in properties["Targets"]:
            name = target["Arn"]["Fn::GetAtt"][0]
            function = all_functions[name]
            queue = function.get("DeadLetterConfig", {}).get("TargetArn")
            if not queue or target.get("DeadLetterConfig", {}).get("Arn") != queue:
                yield f"{name}: what fails of {rule} is lost"
            elif (role_of(function), json.dumps(queue)) not in allowed:
                yield f"{role_of(function)}: may not write to the queue of dead letters"
            if configured.get(name, {}).get("MaximumRetryAttempts") != 0:
                yield f"{name}: is repeated, though the next run does what is left"
    for name, queue in resources(template, "AWS::SQS::Queue").items():
        if not queue.get("SqsManagedSseEnabled") or queue.get("MessageRetentionPeriod") != 1209600:
            yield f"{name}: is not encrypted, or forgets before 14 days"


def parameters(template):
    """Every parameter says what it means and stands in one group."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    for name, parameter in template["Parameters"].items():
        if grouped.count(name) != 1:
            yield f"{name}: is in {grouped.count(name)} groups of parameters"
        if not parameter.get("Description"):
            yield f"{name}: has no description"
        if "Default" not in parameter:
            yield f"{name}: has no default"


def size(template):
    """CloudFormation takes this many resources in one stack, and an HTTP API this many routes."""
    count = len(template["Resources"])
    if count > RESOURCES_MAX:
        yield f"{count} resources"
    for name, api in resources(template, "AWS::ApiGatewayV2::Api").items():
        count = sum(len(operations) for operations in api["Body"]["paths"].values())
        if count > ROUTES_MAX:
            yield f"{name}: {count} routes"


RULES = (wildcards, roles, keys, routes, stages, logs, table, unasked, parameters, size)
