//! A route is in the router, in the OpenAPI document, in `template.yaml` in both spellings, in `events/` and in the
//! router of `cargo lambda watch`, or it is in none of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

/// A served request, and its function.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    function: String,
    method: String,
    path: String,
}

type Routes = BTreeSet<Route>;

impl Route {
    fn new(function: &str, method: &str, path: &str) -> Self {
        Self { function: function.to_owned(), method: method.to_uppercase(), path: path.to_owned() }
    }

    /// The spelling with a slash, which API Gateway knows too.
    fn with_slash(&self) -> Self {
        Self { path: format!("{}/", self.path.trim_end_matches('/')), ..self.clone() }
    }

    fn without_slash(&self) -> Self {
        let path = self.path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&self.path);
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The root has one spelling only.
    fn is_root(&self) -> bool {
        self.path == "/"
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.method, self.path, self.function)
    }
}

#[test]
fn every_route_is_in_the_router_the_document_the_template_and_the_events() {
    let code = in_code();
    let template = in_template().into_iter();
    let (template_with_slash, mut template): (Routes, Routes) = template.partition(|route| route.path.ends_with('/'));
    template.extend(template_with_slash.iter().filter(|route| route.is_root()).cloned());
    let template_with_slash = template_with_slash.iter().map(Route::without_slash).collect();
    let places: [(&str, Routes); 6] = [
        ("the router", code.clone()),
        ("openapi.json", in_document(&code)),
        ("template.yaml", template),
        ("template.yaml with a slash at the end", template_with_slash),
        ("events/", in_events()),
        ("the router of cargo lambda watch", in_watch()),
    ];
    let all: Routes = places.iter().flat_map(|(_, routes)| routes.clone()).collect();
    let missing = places.iter().flat_map(|(place, routes)| {
        all.difference(routes).map(move |route| format!("{route} is not in {place}")).collect::<Vec<_>>()
    });
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(!all.is_empty());
}

fn in_code() -> Routes {
    let functions = greenroom::functions().into_iter();
    functions
        .flat_map(|function| {
            let routes = greenroom::routes(function.routes.get_openapi()).into_iter();
            routes.map(move |(method, path)| Route::new(function.name, &method, &path))
        })
        .collect()
}

/// The document does not name the function of an operation.
fn in_document(code: &Routes) -> Routes {
    let document: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
    let function = |method: &str, path: &str| {
        let served = code.iter().find(|route| route.method == method.to_uppercase() && route.path == path);
        served.map_or("no function", |route| route.function.as_str())
    };
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method, path)));
    operations.map(|(method, path)| Route::new(function(method, path), method, path)).collect()
}

fn in_template() -> Routes {
    let template: Yaml = serde_yaml_ng::from_str(include_str!("../template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    let mut routes = Routes::new();
    for function in functions {
        let name = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        if function["Properties"].get("FunctionUrlConfig").is_some() {
            // This function is not behind the API. It has an address of its own and serves every path there.
            let served = in_code().into_iter().filter(|route| route.function == name);
            routes.extend(served.flat_map(|route| [route.with_slash(), route]));
        }
        let events = function["Properties"]["Events"].as_mapping().into_iter().flat_map(|events| events.values());
        // An event without a path is the API's `$default` route, or a schedule.
        for event in events.map(|event| &event["Properties"]).filter(|event| event.get("Path").is_some()) {
            routes.insert(Route::new(name, event["Method"].as_str().unwrap(), event["Path"].as_str().unwrap()));
        }
    }
    routes
}

fn in_events() -> Routes {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut routes = Routes::new();
    for folder in fs::read_dir(events).unwrap() {
        let folder = folder.unwrap();
        let function = folder.file_name().into_string().unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let event: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
            // A REST API has no default route, so the fallback gets its requests from a greedy one. A schedule has no
            // route.
            if function != "fallback"
                && event["source"] != "aws.events"
                && let Some((method, path)) = route_of(&event)
            {
                routes.insert(Route::new(&function, method, path).without_slash());
            }
        }
    }
    routes
}

/// The route that API Gateway found for this event; `None` for the default route. A function URL has only that one, and
/// sends everything to its function.
fn route_of(event: &Value) -> Option<(&str, &str)> {
    let context = &event["requestContext"];
    let by_url = context["domainName"].as_str().unwrap().contains(".lambda-url.");
    Some(match event["routeKey"].as_str() {
        Some("$default") if by_url => {
            (context["http"]["method"].as_str().unwrap(), context["http"]["path"].as_str().unwrap())
        }
        Some("$default") => return None,
        Some(key) => key.split_once(' ').unwrap(),
        None => (event["httpMethod"].as_str().unwrap(), event["resource"].as_str().unwrap()),
    })
}

/// A line is `"path" = "function"`, of every method, or `"path" = [{ function = "function", method = "POST" }, …]`.
fn in_watch() -> Routes {
    let (_, table) = include_str!("../Cargo.toml").split_once("[workspace.metadata.lambda.watch.router]").unwrap();
    let mut methods: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for route in in_code() {
        methods.entry(route.path).or_default().push(route.method);
    }
    let mut routes = Routes::new();
    for line in table.lines().skip_while(|line| !line.starts_with('"')).take_while(|line| line.starts_with('"')) {
        let words: Vec<_> = line.split('"').skip(1).step_by(2).collect();
        let path = words[0];
        if line.contains('{') && line.contains("function = ") {
            routes.extend(words[1..].chunks(2).map(|pair| Route::new(pair[0], pair[1], path)));
        } else {
            let all = methods.get(path).map_or(["any method".to_owned()].as_slice(), Vec::as_slice).to_vec();
            routes.extend(all.iter().map(|method| Route::new(words[1], method, path)));
        }
    }
    routes
}

#[test]
fn every_function_has_events_and_every_folder_a_function() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let folders: BTreeSet<_> =
        fs::read_dir(events).unwrap().map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    let functions: BTreeSet<_> = greenroom::functions().iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(folders, functions);
}
