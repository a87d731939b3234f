"""This project's rules for monitoring: CloudWatch alarms and the dashboard."""

import json
import re
from pathlib import Path

from rules import functions, resources

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
# CloudWatch allows ten metrics in an alarm on an expression.
METRICS_MAX = 10
# The metrics that exist. An unknown name makes an empty graph, or an alarm that never starts.
KNOWN = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents",
        "SystemErrors",
    },  # fmt: skip
    "AWS/Lambda": {
        "Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "ClaimedAccountConcurrency",
    },  # fmt: skip
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    # The code names the metrics that the functions send.
    "Greenroom": {
        *re.findall(r'\b(?:routed|(?:rarely_)?only)\("(\w+)"', (ROOT / "shared/telemetry/src/metrics.rs").read_text()),
        *re.findall(r'=> \("\w+", "(\w+)"\)', (ROOT / "shared/media/src/audit.rs").read_text()),
    },
}
# The dimensions that each service gives its metrics. A metric with other dimensions does not exist.
DIMENSIONS = {
    "AWS/ApiGateway": [{"ApiId"}],
    "AWS/DynamoDB": [{"TableName"}],
    "AWS/Lambda": [{"FunctionName"}],
    "AWS/SQS": [{"QueueName"}],
    "Greenroom": [{"Service"}, {"Service", "Route"}],
}
# Metrics whose dimensions differ from those of their service.
DIMENSIONS_OF = {
    "SystemErrors": [{"TableName", "Operation"}],
    "ClaimedAccountConcurrency": [set()],
    "ConcurrentExecutions": [set(), {"FunctionName"}],
}


def metrics_of(alarm):
    """Namespace, name and dimensions of each metric that an alarm uses."""
    single = [alarm] if "MetricName" in alarm else []
    several = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in single + several:
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
        yield metric["Namespace"], metric["MetricName"], dimensions


def own_metrics(template):
    """The metrics that the stack's metric filters make from its logs."""
    filters = resources(template, "AWS::Logs::MetricFilter").values()
    made = [metric for one in filters for metric in one["MetricTransformations"]]
    return {(json.dumps(metric["MetricNamespace"]), metric["MetricName"]) for metric in made}


def is_known(namespace, name, dimensions):
    expected = DIMENSIONS_OF.get(name, DIMENSIONS.get(namespace, []))
    return name in KNOWN.get(namespace, ()) and set(dimensions) in expected


def alarms(template):
    """Each alarm uses known metrics, notifies somebody and names the section that explains it."""
    sections = {line.lstrip("# ") for line in OPERATIONS.read_text().splitlines() if line.startswith("#")}
    own = own_metrics(template)
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        if not alarm.get("AlarmActions") or alarm.get("AlarmActions") != alarm.get("OKActions"):
            yield f"{name}: notifies nobody when it starts, or when it ends"
        if "TreatMissingData" not in alarm:
            yield f"{name}: does not say how it treats missing data"
        section = re.search(r"docs/operations\.md, (.+)\.$", alarm.get("AlarmDescription", ""))
        if not section or section[1] not in sections:
            yield f"{name}: is not explained in docs/operations.md"
        found = list(metrics_of(alarm))
        if not 0 < len(found) <= METRICS_MAX:
            yield f"{name}: uses {len(found)} metrics"
        for namespace, metric, dimensions in found:
            if (json.dumps(namespace), metric) not in own and not is_known(namespace, metric, dimensions):
                yield f"{name}: there is no metric {namespace} {metric} of {', '.join(dimensions) or 'the account'}"


def alarms_of_functions(template):
    """Exactly one alarm watches each function's errors, and exactly one its throttles."""
    seen = {(name, metric): [] for name in functions(template) for metric in ("Errors", "Throttles")}
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        for namespace, metric, dimensions in metrics_of(alarm):
            function = dimensions.get("FunctionName", {}).get("Ref")
            if namespace == "AWS/Lambda" and (function, metric) in seen:
                seen[function, metric].append(name)
    for (function, metric), found in seen.items():
        if len(found) != 1:
            yield f"{function}: {len(found)} alarms watch its {metric}"


def dashboard(template):
    """The dashboard is valid, has every alarm and every function, and shows only known metrics."""
    own = {name for _, name in own_metrics(template)}
    for name, board in resources(template, "AWS::CloudWatch::Dashboard").items():
        body = board["DashboardBody"]["Fn::Sub"]
        text = body if isinstance(body, str) else body[0]
        try:
            widgets = json.loads(text)["widgets"]
        except (ValueError, KeyError) as error:
            yield f"{name}: is not a valid dashboard: {error}"
            continue
        shown = {alarm for widget in widgets for alarm in widget["properties"].get("alarms", [])}
        existing = {f"${{{alarm}.Arn}}" for alarm in resources(template, "AWS::CloudWatch::Alarm")}
        for alarm in sorted(shown ^ existing):
            yield f"{name}: {'lacks' if alarm in existing else 'shows the unknown alarm'} {alarm}"
        yield from overlaps(name, widgets)
        for widget in widgets:
            title = widget["properties"]["title"]
            for namespace, metric, dimensions in graph_metrics(widget["properties"].get("metrics", [])):
                if metric not in own and not is_known(namespace, metric, dimensions):
                    yield f"{name}: {title}: there is no metric {namespace} {metric} of {', '.join(dimensions)}"
        graphs = [widget["properties"].get("metrics", []) for widget in widgets]
        of_functions = {(metric, of.get("FunctionName")) for graph in graphs for _, metric, of in graph_metrics(graph)}
        for metric, function in ((metric, name) for name in functions(template) for metric in ("Errors", "Throttles")):
            if (metric, f"${{{function}}}") not in of_functions:
                yield f"{name}: lacks {metric} of {function}"


def graph_metrics(metrics):
    """Namespace, name and dimensions of each metric in a graph."""
    before = []
    for metric in metrics:
        if isinstance(metric[0], dict):
            found = re.search(r"SEARCH\('\{([^,}]+),([^}]+)\} MetricName=\"(\w+)\"", metric[0]["expression"])
            dimensions = dict.fromkeys(found[2].split(",")) if found else {}
            yield (found[1], found[3], dimensions) if found else ("", metric[0]["expression"], dimensions)
        else:
            # In a dashboard, a full stop repeats the value that the previous metric has in that place.
            parts = [part for part in metric if isinstance(part, str)]
            before = [before[place] if part == "." else part for place, part in enumerate(parts)]
            namespace, name, *dimensions = before
            yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))


def overlaps(name, widgets):
    """Widgets do not overlap and stay within 24 columns."""
    taken = set()
    for widget in widgets:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        if columns.stop > 24 or cells & taken:
            yield f"{name}: {widget['properties']['title']} overlaps another widget or exceeds 24 columns"
        taken |= cells


WATCHING = (alarms, alarms_of_functions, dashboard)
