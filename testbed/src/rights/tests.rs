use serde_json::{Value, json};

use super::*;

const TEMPLATE: &str = r#"
Resources:
  Things:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: things } }
    Properties: { Role: !GetAtt ThingsRole.Arn }
  ThingsRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: things
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [dynamodb:GetItem, dynamodb:Query]
                Condition:
                  ForAllValues:StringLike: { dynamodb:LeadingKeys: ["THING#*", SETTINGS] }
                  "Null": { dynamodb:LeadingKeys: "false" }
              - Effect: Allow
                Action: [dynamodb:PutItem, dynamodb:ConditionCheckItem]
                Condition:
                  ForAllValues:StringLike: { dynamodb:LeadingKeys: ["THING#*", "USER#*/THINGS"] }
                  "Null": { dynamodb:LeadingKeys: "false" }
              - { Effect: Allow, Action: [logs:PutLogEvents] }
        - Fn::If: [HasTraces, { PolicyName: traces }, !Ref AWS::NoValue]
"#;

fn roles() -> Roles {
    Roles::of_template(TEMPLATE).unwrap()
}

fn asked(operation: &str, body: &Value) -> Asked {
    Asked::of(operation, body.to_string().as_bytes())
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
fn is_allowed(function: &str, operation: &str, body: Value) -> bool {
    roles().refused(function, &asked(operation, &body)).is_empty()
}

fn at(key: &str) -> Value {
    json!({ "PK": { "S": key }, "SK": { "S": "x" } })
}

fn query(condition: &str) -> Value {
    json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": { ":pk": { "S": "THING#1" } } })
}

#[test]
fn patterns_match_as_in_iam() {
    for (pattern, text, is_one) in [
        ("SETTINGS", "SETTINGS", true),
        ("SETTINGS", "SETTINGS2", false),
        ("THING#*", "THING#", true),
        ("THING#*", "THING#1/OTHER", true),
        ("THING#*", "THINGS#1", false),
        ("USER#*/THINGS", "USER#7/THINGS", true),
        ("USER#*/THINGS", "USER#7", false),
        ("THING#?", "THING#ä", true),
        ("THING#?", "THING#12", false),
    ] {
        assert_eq!(matches(pattern, text), is_one, "{pattern} {text}");
    }
}

#[test]
fn a_role_allows_its_actions_on_its_keys() {
    assert!(is_allowed("things", "GetItem", json!({ "Key": at("THING#1") })));
    assert!(is_allowed("things", "PutItem", json!({ "Item": at("USER#7/THINGS") })));
    assert!(is_allowed("things", "Query", query("PK = :pk AND begins_with(SK, :prefix)")));
    // Another key, another action, another function.
    assert!(!is_allowed("things", "GetItem", json!({ "Key": at("USER#7/THINGS") })));
    assert!(!is_allowed("things", "DeleteItem", json!({ "Key": at("THING#1") })));
    assert!(!is_allowed("nobody", "GetItem", json!({ "Key": at("THING#1") })));
}

#[test]
fn a_request_without_a_key_is_allowed_to_no_function() {
    assert!(!is_allowed("things", "Scan", json!({})));
    assert!(!is_allowed("things", "GetItem", json!({ "Key": {} })));
    assert!(!is_allowed("things", "Query", query("SK = :pk")));
    assert!(!is_allowed("things", "Query", json!({ "IndexName": "Another", "KeyConditionExpression": "PK = :pk" })));
    assert!(!is_allowed("things", "TransactWriteItems", json!({ "TransactItems": [] })));
    assert!(!is_allowed("things", "TransactWriteItems", json!({})));
    let parts = json!([{ "Put": { "Item": at("THING#1") } }, { "Put": { "Item": {} } }]);
    assert!(!is_allowed("things", "TransactWriteItems", json!({ "TransactItems": parts })));
}

#[test]
fn a_transaction_needs_the_actions_of_its_parts_for_all_of_its_keys() {
    let transaction = |checked: &str| {
        json!({ "TransactItems": [
            { "Put": { "Item": at("THING#1") } },
            { "ConditionCheck": { "Key": at(checked) } },
        ]})
    };
    assert!(is_allowed("things", "TransactWriteItems", transaction("USER#7/THINGS")));
    assert!(!is_allowed("things", "TransactWriteItems", transaction("SETTINGS")));
    let pairs = asked("TransactWriteItems", &transaction("SETTINGS")).pairs;
    let pairs: Vec<_> = pairs.iter().map(|(action, key)| format!("{action} {key}")).collect();
    assert_eq!(pairs, ["ConditionCheckItem SETTINGS", "PutItem THING#1"]);
    let read = asked("TransactGetItems", &json!({ "TransactItems": [{ "Get": { "Key": at("THING#1") } }] }));
    assert_eq!(read.actions, ["GetItem".to_owned()].into());
}

#[test]
fn a_batch_needs_its_action_for_every_key() {
    let read = asked("BatchGetItem", &json!({ "RequestItems": { "table": { "Keys": [at("A"), at("B")] } } }));
    assert_eq!(read.keys, ["A", "B"].map(str::to_owned).into());
    let writes = json!([{ "PutRequest": { "Item": at("A") } }, { "DeleteRequest": { "Key": at("B") } }]);
    let written = asked("BatchWriteItem", &json!({ "RequestItems": { "table": writes } }));
    assert_eq!(written.keys, read.keys);
    assert_eq!(written.actions, ["BatchWriteItem".to_owned()].into());
}

#[test]
fn unused_rights_are_named() {
    let used =
        |action: &str, key: &str| Use { function: "things".to_owned(), action: action.to_owned(), key: key.to_owned() };
    let seen = [used("GetItem", "THING#1"), used("GetItem", "SETTINGS"), used("PutItem", "THING#1")];
    let unused: Vec<_> = roles().unused(&seen.into()).into_iter().map(|(_, of)| of).collect();
    assert_eq!(unused, ["ConditionCheckItem", "Query", "USER#*/THINGS"]);
}

#[test]
fn a_statement_without_its_condition_is_an_error() {
    let without = [
        ("\"Null\": { dynamodb:LeadingKeys: \"false\" }", ""),
        ("\"Null\": { dynamodb:LeadingKeys: \"false\" }", "\"Null\": { dynamodb:LeadingKeys: \"true\" }"),
        ("ForAllValues:StringLike", "ForAnyValue:StringLike"),
    ];
    for (with, without) in without {
        let error = Roles::of_template(&TEMPLATE.replacen(with, without, 1)).unwrap_err();
        assert!(matches!(error, RightsError::Unlimited(function) if function == "things"), "{without}");
    }
}

#[test]
fn a_route_leads_to_its_function_and_any_other_path_to_the_fallback() {
    let route = |function: &str, method: &str, path: &str| (function.to_owned(), method.to_owned(), path.to_owned());
    let routes = [route("one", "GET", "/things/{id}"), route("two", "POST", "/things/{id}"), route("root", "GET", "/")];
    let routes = Routes::of(routes).unwrap();
    for (method, path, function) in [
        ("GET", "/things/7", "one"),
        ("POST", "/things/7/", "two"),
        ("HEAD", "/things/7", "fallback"),
        ("GET", "/things", "fallback"),
        ("GET", "/", "root"),
    ] {
        assert_eq!(routes.function(method, path), function, "{method} {path}");
    }
}
