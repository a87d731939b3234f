//! The generated lines of `template.yaml`.
//!
//! By hand there are the functions' resources: what SAM has to know, and in `Metadata` the actions on the table with
//! their partition keys (`Table`), other statements of the role (`Statements`) and the alarms that watch the function
//! (`Alarms`). Routes, settings and secrets come from the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use greenroom::Function;
use greenroom_core::config::{SecretFamily, Setting};
use serde_yaml_ng::{Mapping, Value};

/// Settings that no function has: on Lambda there is no directory for mails.
pub(crate) const LOCAL: &[Setting] = &[Setting::MailDir];

/// The lines between which lines are generated.
pub(crate) const MARKS: (&str, &str) = ("# generated", "# end of generated");
/// The dashboard's graph of every function. JSON has no comments, so the title is the mark.
const GRAPH: &str = r#""title": "Errors and throttles of functions""#;

const TABLE_NAME: &str = "!If [HasOwnTable, !Ref Table, !Ref ExistingTable]";

/// `{id}` is the logical id of a function, `{name}` the name of its binary.
const PROPERTIES: &str = "      CodeUri: functions/{name}
      Role: !GetAtt {id}Role.Arn
      LoggingConfig: { LogGroup: !Ref {id}Logs }
";
const ROLE: &str = r#"  {id}Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }
      Policies:
        - PolicyName: {name}
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
"#;
/// `ForAllValues` is also true for a request without a partition key, so `Null` has to refuse it.
const TABLE: &str = r#"              - Effect: Allow
                Action: [{actions}]
                Resource: !Sub ["arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Name}", { Name: !If [HasOwnTable, !Ref Table, !Ref ExistingTable] }]
                Condition:
                  ForAllValues:StringLike: { dynamodb:LeadingKeys: [{keys}] }
                  "Null": { dynamodb:LeadingKeys: "false" }
"#;
const READ_SECRETS: &str = "              - Effect: Allow
                Action: [secretsmanager:GetSecretValue]
                Resource:
";
/// Secrets Manager ends the ARN of each secret in a hyphen and six characters.
const SECRET: &str = r#"                  - !Sub "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretsPrefix}{secret}-??????"
"#;
const WRITE_LOGS: &str = "              - Effect: Allow
                Action: [logs:CreateLogStream, logs:PutLogEvents]
                Resource: !GetAtt {id}Logs.Arn
";
/// Lambda refuses a function with traces whose role does not allow them. X-Ray has no resource that these actions could
/// be limited to.
const TRACES: &str = r#"        - !If
          - HasTraces
          - PolicyName: traces
            PolicyDocument:
              Version: "2012-10-17"
              Statement:
                - { Effect: Allow, Action: [xray:PutTraceSegments, xray:PutTelemetryRecords], Resource: "*" }
          - !Ref AWS::NoValue
"#;
const TABLE_KEY: &str = r#"        - !If
          - HasTableKey
          - PolicyName: table-key
            PolicyDocument:
              Version: "2012-10-17"
              Statement:
                - Effect: Allow
                  Action: [kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey]
                  Resource: !Ref TableKeyArn
                  Condition: { StringEquals: { "kms:ViaService": !Sub "dynamodb.${AWS::Region}.${AWS::URLSuffix}" } }
          - !Ref AWS::NoValue
"#;
const LOGS: &str = "  {id}Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /aws/lambda/${AWS::StackName}/{name}
      RetentionInDays: !Ref LogRetentionDays
      KmsKeyId: *LogKey
";

/// A metric of a function in an alarm.
const METRIC: &str = "        - { Id: {metric id}, ReturnData: false, MetricStat: { Stat: Sum, Period: 300, Metric: { Namespace: AWS/Lambda, MetricName: {metric}, Dimensions: [{ Name: FunctionName, Value: !Ref {id} }] } } }
";

/// The template with its generated lines brought up to date.
pub(crate) fn generate(text: &str) -> String {
    let template: Value = serde_yaml_ng::from_str(text).unwrap();
    let functions = functions(&template);
    let (begin, end) = MARKS;
    let (mut due, mut resource) = (String::new(), "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(due, "{line}");
        resource = resource_of(line).unwrap_or(resource);
        let end = if line.trim() == begin {
            end
        } else if line.contains(GRAPH) {
            let _ = writeln!(due, "{}", lines.next().unwrap());
            "]"
        } else {
            continue;
        };
        due += &section(resource, &functions);
        let end = lines.find(|line| line.trim() == end).unwrap_or_else(|| panic!("{resource} has no {end}"));
        let _ = writeln!(due, "{end}");
    }
    due
}

/// The resource that begins at this line.
fn resource_of(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    name.chars().all(char::is_alphanumeric).then_some(name)
}

/// The generated lines of a resource.
fn section(resource: &str, functions: &[Deployed]) -> String {
    if let Some(function) = functions.iter().find(|function| function.id == resource) {
        return function.properties() + &function.role() + &function.filled(LOGS);
    }
    let watched = |api: &str, metric: &str| {
        let watched = functions.iter().filter(|function| function.resource["Metadata"]["Alarms"] == api);
        watched.map(|function| function.metric(metric)).collect()
    };
    match (resource.strip_suffix("ErrorsAlarm"), resource.strip_suffix("ThrottlesAlarm")) {
        (Some(api), _) => watched(api, "Errors"),
        (_, Some(api)) => watched(api, "Throttles"),
        _ => functions.iter().map(Deployed::graph).collect::<Vec<_>>().join(",\n") + "\n",
    }
}

/// A function and its resource.
struct Deployed<'a> {
    /// The logical id.
    id: &'a str,
    resource: &'a Value,
    /// The settings that the template gives to every function.
    everywhere: &'a Mapping,
    code: Function,
}

/// The functions, in the order of the template.
fn functions(template: &Value) -> Vec<Deployed<'_>> {
    let everywhere = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let functions = greenroom::functions().into_iter().map(|function| (function.name, function));
    let mut functions: BTreeMap<_, _> = functions.collect();
    let resources = template["Resources"].as_mapping().unwrap().iter();
    let resources = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let deployed = resources.map(|(id, resource)| {
        let name = text(&resource["Metadata"]["BuildProperties"]["Binary"]);
        let code = functions.remove(name).unwrap_or_else(|| panic!("greenroom::functions() lacks {name}"));
        Deployed { id: text(id), resource, everywhere, code }
    });
    let deployed = deployed.collect();
    assert!(functions.is_empty(), "template.yaml has no resource of {:?}", functions.keys());
    deployed
}

impl Deployed<'_> {
    fn filled(&self, text: &str) -> String {
        text.replace("{id}", self.id).replace("{name}", self.code.name)
    }

    /// The properties that follow those that are written by hand.
    fn properties(&self) -> String {
        let mut properties = self.filled(PROPERTIES);
        let settings = self.settings();
        if !settings.is_empty() {
            properties += "      Environment:\n        Variables:\n";
        }
        for setting in settings {
            let table = setting == Setting::TableName.name();
            let value = if table { TABLE_NAME.to_owned() } else { format!("!Ref {}", in_pascal_case(setting)) };
            let _ = writeln!(properties, "          {setting}: {value}");
        }
        let routes = self.routes();
        if !routes.is_empty() {
            properties += "      Events:\n";
        }
        for (name, method, path) in routes {
            let _ = writeln!(
                properties,
                "        {name}: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Api, Method: {method}, Path: \"{path}\" }} }}"
            );
        }
        properties
    }

    /// The names of the function's own settings. Secrets are read from Secrets Manager.
    fn settings(&self) -> BTreeSet<&'static str> {
        let settings = self.code.settings.iter().filter(|setting| !setting.is_secret() && !LOCAL.contains(setting));
        settings.map(|setting| setting.name()).filter(|name| !self.everywhere.contains_key(name)).collect()
    }

    /// The routes behind the API in both spellings, each with the name of its event. A function with a URL has none.
    fn routes(&self) -> Vec<(String, String, String)> {
        let document = serde_json::to_value(&self.code.routes.get_openapi().paths).unwrap();
        let paths = document.as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation["operationId"].as_str().unwrap()))
        });
        let behind_the_api = operations.filter(|_| self.resource["Properties"].get("FunctionUrlConfig").is_none());
        let spellings = behind_the_api.flat_map(|(path, method, operation)| {
            let name = self.event(method, path).unwrap_or_else(|| in_pascal_case(operation));
            let slash = (format!("{name}Slash"), method.clone(), format!("{path}/"));
            let slash = Some(slash).filter(|_| path != "/");
            [(name, method.clone(), path.clone())].into_iter().chain(slash)
        });
        spellings.collect()
    }

    /// The name that a route's event has. It is part of a logical id, so it has to stay.
    fn event(&self, method: &str, path: &str) -> Option<String> {
        let mut events = self.resource["Properties"]["Events"].as_mapping()?.iter();
        let of_route = |event: &Value| event["Properties"]["Method"] == method && event["Properties"]["Path"] == path;
        events.find(|(_, event)| of_route(event)).map(|(name, _)| text(name).to_owned())
    }

    fn role(&self) -> String {
        let mut role = self.filled(ROLE);
        let metadata = &self.resource["Metadata"];
        let table = metadata["Table"].as_sequence();
        for right in table.into_iter().flatten() {
            role += &table_statement(right);
        }
        for statement in metadata["Statements"].as_sequence().into_iter().flatten() {
            role += &item(statement);
        }
        let secrets = SecretFamily::of_all(self.code.settings);
        if !secrets.is_empty() {
            role += READ_SECRETS;
        }
        for secret in secrets {
            role += &SECRET.replace("{secret}", secret.name());
        }
        role + &self.filled(WRITE_LOGS) + TRACES + if table.is_some() { TABLE_KEY } else { "" }
    }

    /// A metric of the function in an alarm.
    fn metric(&self, name: &str) -> String {
        let mut id = self.id.chars();
        let id: String = id.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(id).collect();
        self.filled(METRIC).replace("{metric}", name).replace("{metric id}", &id)
    }

    /// The metrics of the function on the dashboard.
    fn graph(&self) -> String {
        self.filled(
            r#"                  ["AWS/Lambda", "Errors", "FunctionName", "${{id}}"], [".", "Throttles", ".", "."]"#,
        )
    }
}

/// A statement that allows actions on the items with these partition keys.
fn table_statement(right: &Value) -> String {
    let list = |name: &str, written: fn(&str) -> String| {
        let values = right[name].as_sequence().unwrap().iter().map(|value| written(text(value)));
        values.collect::<Vec<_>>().join(", ")
    };
    let actions = list("Actions", |action| format!("dynamodb:{action}"));
    TABLE.replace("{actions}", &actions).replace("{keys}", &list("Keys", |key| format!("\"{key}\"")))
}

/// A value as an item of a role's statements.
fn item(value: &Value) -> String {
    let value = serde_yaml_ng::to_string(value).unwrap();
    let lines = value.lines().zip(["- "].into_iter().chain(std::iter::repeat("  ")));
    lines.fold(String::new(), |item, (line, mark)| item + "              " + mark + line + "\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// `TableName` for `TABLE_NAME`, and for `tableName`.
fn in_pascal_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let rest = if word.chars().any(char::is_lowercase) { word[1..].to_owned() } else { word[1..].to_lowercase() };
        word[..1].to_uppercase() + &rest
    });
    words.collect()
}
