//! `events/` has an event of every route of every function, and no event of a route that is none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

type Routes = BTreeSet<(String, String, String)>;

/// The route that API Gateway found for this event; `None` for the default one. A function URL has no other, and sends
/// everything to its function.
fn route(event: &Value) -> Option<(String, String)> {
    let context = &event["requestContext"];
    let by_url = context["domainName"].as_str().unwrap().contains(".lambda-url.");
    let (method, path) = match event["routeKey"].as_str() {
        Some("$default") if by_url => {
            (context["http"]["method"].as_str().unwrap(), context["http"]["path"].as_str().unwrap())
        }
        Some("$default") => return None,
        Some(key) => key.split_once(' ').unwrap(),
        None => (event["httpMethod"].as_str().unwrap(), event["resource"].as_str().unwrap()),
    };
    Some((method.to_lowercase(), path.trim_end_matches('/').to_owned()))
}

#[test]
fn the_events_are_of_the_functions_routes() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut found = Routes::new();
    for function in greenroom::functions() {
        for file in fs::read_dir(events.join(function.name)).unwrap() {
            let event: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
            // A REST API has no default route; what the fallback gets there is of a greedy one. A schedule has no route.
            if function.name != "fallback"
                && event["source"] != "aws.events"
                && let Some((method, path)) = route(&event)
            {
                found.insert((function.name.to_owned(), method, path));
            }
        }
    }
    let routes: Routes = greenroom::functions()
        .into_iter()
        .flat_map(|function| {
            let routes = greenroom::routes(function.routes.get_openapi());
            routes.into_iter().map(move |(method, path)| (function.name.to_owned(), method, path))
        })
        .collect();
    assert_eq!(found, routes);
}

#[test]
fn every_function_has_events_and_every_folder_a_function() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let folders: BTreeSet<_> =
        fs::read_dir(events).unwrap().map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    let functions: BTreeSet<_> = greenroom::functions().iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(folders, functions);
}
