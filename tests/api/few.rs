//! Lists of all records of a kind. A short list takes one request, and its answers are the same as those of a long
//! list.

use aws_sdk_dynamodb::types::AttributeValue;
use greenroom_core::model::{LoginToken, login_token::TokenType};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    counted::note_uses,
    lists::follow,
    organisers::Account,
    support::{Answer, Caller, TestApp},
};

const LISTS: [(&str, u32); 5] = [
    ("/api/v2/users/", 2),
    ("/api/v2/events/", 2),
    ("/api/v2/apitokens/", 2),
    // This list also asks for what remains of ended events.
    ("/api/v2/sessions/", 3),
    ("/api/v2/logintokens/", 3),
];
const TOKENS: &str = "/api/v2/logintokens/";
const API_TOKENS: &str = "/api/v2/apitokens/";

impl TestApp {
    /// Another instance on the same table. It has just started and knows no counter yet.
    async fn fresh(&self) -> Self {
        note_uses(self).await;
        let fresh = self.again_with([]);
        fresh.store.prime().await.unwrap();
        fresh
    }

    /// Sets a counter to this number, as if this many records had been created.
    pub(crate) async fn count_to(&self, counter: &str, number: u64) {
        let update = self.client.update_item().table_name(&*self.table).update_expression("SET #number = :number");
        let update = update.expression_attribute_names("#number", "number");
        let update = update.expression_attribute_values(":number", AttributeValue::N(number.to_string()));
        let update = update.key("PK", AttributeValue::S(format!("COUNTER#{counter}")));
        update.key("SK", AttributeValue::S("COUNTER".to_owned())).send().await.unwrap();
    }

    /// Deletes the items that index tokens by number. Earlier versions did not write them.
    async fn forget_numbers_of_api_tokens(&self, made: u64) {
        for number in 1..=made {
            let delete = self.client.delete_item().table_name(&*self.table);
            let delete = delete.key("PK", AttributeValue::S(format!("APITOKENS#NUMBER#{number}")));
            delete.key("SK", AttributeValue::S("NUMBER".to_owned())).send().await.unwrap();
        }
        let update = self.client.update_item().table_name(&*self.table).update_expression("REMOVE placed");
        let update = update.key("PK", AttributeValue::S("COUNTER#api-token".to_owned()));
        update.key("SK", AttributeValue::S("COUNTER".to_owned())).send().await.unwrap();
    }
}

/// The cost of an answer: requests to the table, and read units.
fn cost(answer: &Answer) -> (u64, f64) {
    let usage = answer.reported.usage;
    (usage.requests, usage.read_units)
}

async fn create_three_of_each_kind(caller: &Caller<'_>) {
    for number in 1..=3 {
        let event = caller.make_event(&format!("Congress {number}")).await;
        caller.make("/api/v2/users/", json!({ "username": format!("user-{number}"), "role": "manager" })).await;
        caller.make(API_TOKENS, json!({ "name": format!("app {number}") })).await;
        caller.make("/api/v2/sessions/", json!({ "event": event, "language": "x" })).await;
        let token = json!({ "event": event, "token": format!("token {number:03}"), "tokenType": "floor" });
        caller.make(TOKENS, token).await;
    }
}

#[tokio::test]
async fn a_short_list_is_one_request_and_costs_no_more_than_empty_partitions() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let fresh = app.fresh().await;
    for (list, requests) in LISTS {
        let answer = fresh.organiser(&admin).get(list).await;
        assert_eq!(cost(&answer).0, u64::from(requests), "{list}, empty");
    }
    create_three_of_each_kind(&app.organiser(&admin)).await;
    let fresh = app.fresh().await;
    let caller = fresh.organiser(&admin);
    for (list, requests) in LISTS {
        let count = if list.contains("users") { 4 } else { 3 };
        for query in ["", "?limit=1", "?offset=1", "?offset=9", "?nonsense=1"] {
            let answer = caller.get(&format!("{list}{query}")).await;
            assert_eq!(
                (answer.body["count"].as_u64(), cost(&answer).0),
                (Some(count), requests.into()),
                "{list}{query}"
            );
            // The 16 partitions and each further request cost one unit each.
            assert!(cost(&answer).1 <= 15.0 + f64::from(requests), "{list}{query}: {:?}", cost(&answer));
        }
    }
}

#[tokio::test]
async fn records_that_another_instance_created_since_are_listed() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    let mut ids = app.login_tokens(event, "first", 3).await;
    let elsewhere = app.fresh().await;
    let caller = elsewhere.organiser(&admin);
    // The first request of an instance reads everything at once. A few new records are read in the same request; more
    // of them take another request, once.
    for (more, requests) in [(0, [3, 3]), (4, [3, 3]), (5, [4, 3]), (60, [4, 3]), (40, [19, 18])] {
        ids.extend(app.login_tokens(event, &format!("{more} more"), more).await);
        for requests in requests {
            let answer = caller.get(&format!("{TOKENS}?limit=1000")).await;
            assert_eq!((answer.ids(), cost(&answer).0), (ids.clone(), requests), "{more} more");
        }
    }
}

/// Creates login tokens of all types and deletes some of them. Returns the others.
async fn some_tokens(app: &TestApp, admin: &Account, made: u64) -> Vec<(u64, &'static str)> {
    let caller = app.organiser(admin);
    let event = caller.make_event("A").await;
    let mut left = Vec::new();
    for number in 1..=made {
        let id = app.store.new_id::<LoginToken>().await.unwrap();
        let (token_type, named) = match number % 3 {
            0 => (TokenType::Floor, "floor"),
            1 => (TokenType::Remote, "remote"),
            _ => (TokenType::Participant, "participant"),
        };
        let token = LoginToken { id, event, token: format!("token {number:03}"), token_type };
        app.store.insert_record(&token).await.unwrap().unwrap();
        left.push((id, named));
    }
    for gone in [1, 16, 17, 50, 97, made] {
        assert_eq!(caller.delete(&format!("{TOKENS}{gone}/")).await.status, 204);
    }
    left.retain(|(id, _)| ![1, 16, 17, 50, 97, made].contains(id));
    left
}

/// All pages from this one on, read by their cursors.
async fn pages(caller: &Caller<'_>, path: &str) -> Vec<Value> {
    let (mut path, mut bodies) = (Some(path.to_owned()), Vec::new());
    while let Some(next) = path {
        let answer = caller.get(&next).await;
        bodies.push(answer.body.clone());
        path = answer.following();
    }
    bodies
}

#[rstest]
#[case(98)]
#[case(99)]
#[case(100)]
#[case(101)]
#[tokio::test]
async fn a_short_list_answers_like_a_long_one(#[case] made: u64) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let left = some_tokens(&app, &admin, made).await;
    let few = app.fresh().await;
    let answers = async |app: &TestApp| {
        let mut answers = Vec::new();
        for query in [
            "",
            "limit=1000",
            "limit=40",
            "limit=30&offset=1",
            "limit=93",
            "limit=92&offset=1",
            "limit=50&offset=2",
            "offset=99",
            "tokenType=floor",
            "tokenType=floor&limit=13",
            "tokenType=floor&limit=13&offset=1",
            "tokenType=floor&limit=13&offset=9",
            "tokenType=interpreter",
        ] {
            answers.push((query, pages(&app.organiser(&admin), &format!("{TOKENS}?{query}")).await));
        }
        answers
    };
    let (requests, by_number) = (cost(&few.organiser(&admin).get(TOKENS).await).0, answers(&few).await);
    assert_eq!(requests, if made < 100 { 4 } else { 19 }, "to begin with");
    app.count_to("LoginToken", 1_000).await;
    let many = app.fresh().await;
    assert_eq!(by_number, answers(&many).await);
    for app in [&few, &many] {
        let caller = app.organiser(&admin);
        let of = |wanted: &str| -> Vec<u64> {
            left.iter().filter(|(_, kind)| kind.contains(wanted)).map(|(id, _)| *id).collect()
        };
        assert_eq!(follow(&caller, &format!("{TOKENS}?limit=30")).await, of(""));
        assert_eq!(follow(&caller, &format!("{TOKENS}?limit=10&tokenType=floor")).await, of("floor"));
        let answer = caller.get(&format!("{TOKENS}?limit=10&offset=2")).await;
        assert_eq!(answer.ids(), of("")[20..30]);
        assert_eq!(answer.body["count"], left.len());
    }
}

#[tokio::test]
async fn api_tokens_of_earlier_versions_are_listed_and_indexed_by_number() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for number in 1..=45 {
        caller.make(API_TOKENS, json!({ "name": format!("app {number}") })).await;
    }
    app.forget_numbers_of_api_tokens(45).await;
    assert_eq!(caller.delete(&format!("{API_TOKENS}7/")).await.status, 204);
    assert_eq!(caller.delete(&format!("{API_TOKENS}7/")).await.status, 404);
    let ids = || (1..=45).filter(|id| *id != 7);
    let first = caller.get(API_TOKENS).await;
    assert_eq!((first.ids(), cost(&first).0), (ids().collect::<Vec<_>>(), 21));
    let second = caller.get(API_TOKENS).await;
    assert_eq!((&second.body, cost(&second).0), (&first.body, 2));
    // An earlier version creates one more token, which has no index by number.
    caller.make(API_TOKENS, json!({ "name": "late" })).await;
    let placed = second.body["count"].as_u64().unwrap() + 1;
    app.forget_numbers_of_api_tokens(46).await;
    app.count_to("api-token", 46).await;
    let fresh = app.fresh().await;
    assert_eq!(fresh.organiser(&admin).get(API_TOKENS).await.body["count"], placed);
    for id in ids().chain([46]) {
        assert_eq!(caller.delete(&format!("{API_TOKENS}{id}/")).await.status, 204, "{id}");
    }
    assert_eq!(caller.get(API_TOKENS).await.body["count"], 0);
    assert!(!app.items().await.iter().any(|item| item.contains("APITOKENS#")), "nothing is left");
}

#[tokio::test]
async fn a_long_list_of_api_tokens_is_listed_and_deleted_too() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for number in 1..=3 {
        caller.make(API_TOKENS, json!({ "name": format!("app {number}") })).await;
    }
    app.count_to("api-token", 100).await;
    let fresh = app.fresh().await;
    let many = fresh.organiser(&admin);
    let [first, second] = [many.get(API_TOKENS).await, many.get(API_TOKENS).await];
    assert_eq!((first.ids(), cost(&first).0, cost(&second).0), (vec![1, 2, 3], 18, 17));
    let deletion = many.delete(&format!("{API_TOKENS}2/")).await;
    assert_eq!((deletion.status.as_u16(), cost(&deletion).0), (204, 3));
    assert_eq!(many.get(API_TOKENS).await.ids(), [1, 3]);
}
