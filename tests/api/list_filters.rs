//! Filters of the lists of `/api/v2`.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use greenroom_core::model::user::Role;
use rstest::rstest;
use serde_json::json;

use crate::{
    lists::follow,
    organisers::Account,
    support::{Answer, TestApp},
};

/// Three events. Each filter matches some of them.
async fn with_events() -> (TestApp, Account) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let mut managers = Vec::new();
    for name in ["one", "two"] {
        managers.push(app.account(name, Role::Manager, None).await.id);
    }
    let caller = app.organiser(&admin);
    let full = json!({
        "name": "full", "displayName": "Full & more", "logo": "l", "owner": partner.id, "managers": managers,
        "disabled": true, "subscribersSeeFloor": true, "locationHint": "1.2.3.4", "allowSourceVideo": true,
        "quality": "q", "mobileDisallow": true, "mobileAudienceDisallow": true, "mobileData": "d", "mfa": "email",
    });
    caller.make("/api/v2/events/", full).await;
    caller.make("/api/v2/events/", json!({ "name": "plain", "managers": [managers[1]] })).await;
    caller.make("/api/v2/events/", json!({ "name": "mixed", "disabled": true, "displayName": "" })).await;
    (app, admin)
}

fn counted(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.body["count"], answer.ids().len());
    answer.ids()
}

#[rstest]
#[case("", &[1, 2, 3])]
#[case("id=2", &[2])]
#[case("id=x", &[])]
#[case("name=full", &[1])]
#[case("name=Full", &[])]
#[case("name=plain&disabled=True", &[])]
#[case("displayName=Full+%26+more", &[1])]
#[case("displayName=null", &[])]
#[case("displayName=", &[1, 2, 3])]
#[case("logo=l", &[1])]
#[case("owner=1", &[2, 3])]
#[case("owner=2", &[1])]
#[case("owner=2&name=plain", &[])]
#[case("owner=99", &[])]
#[case("owner=x", &[])]
#[case("owner=", &[1, 2, 3])]
#[case("managers=3", &[1])]
#[case("managers=4", &[1, 2])]
#[case("managers=2", &[])]
#[case("disabled=True", &[1, 3])]
#[case("disabled=true", &[1, 3])]
#[case("disabled=FALSE", &[2])]
#[case("disabled=", &[1, 2, 3])]
#[case("disabled=perhaps", &[1, 2, 3])]
#[case("subscribersSeeFloor=False&disabled=True", &[3])]
#[case("subscribersSeeFloor=True", &[1])]
#[case("locationHint=1.2.3.4", &[1])]
#[case("allowSourceVideo=True", &[1])]
#[case("quality=q", &[1])]
#[case("mobileDisallow=True", &[1])]
#[case("mobileAudienceDisallow=False", &[2, 3])]
#[case("mobileData=d", &[1])]
#[case("mfa=email", &[1])]
#[case("mfa=phone", &[])]
#[case("nonsense=1&sessions=2&Disabled=False", &[1, 2, 3])]
#[case("disabled=True&limit=1&offset=1", &[3])]
#[tokio::test]
async fn events_are_filtered_by_each_of_their_fields(#[case] query: &str, #[case] ids: &[u64]) {
    let (app, admin) = with_events().await;
    let answer = app.organiser(&admin).get(&format!("/api/v2/events/?{query}")).await;
    assert_eq!((answer.status.as_u16(), answer.ids()), (200, ids.to_vec()));
    if !query.contains("offset") {
        counted(&answer);
    }
}

#[tokio::test]
async fn filters_never_reveal_an_invisible_event() {
    let (app, _) = with_events().await;
    let partner = app.account("another", Role::Partner, None).await;
    app.organiser(&partner).make_event("mine").await;
    let caller = app.organiser(&partner);
    for (query, count) in [("name=full", 0), ("name=mine", 1), ("owner=1", 0), ("id=1", 0), ("disabled=True", 0)] {
        assert_eq!(counted(&caller.get(&format!("/api/v2/events/?{query}")).await).len(), count, "{query}");
    }
    let owner = format!("/api/v2/events/?owner={}", partner.id);
    assert_eq!(counted(&caller.get(&owner).await).len(), 1);
    let manager = app.account("manager", Role::Manager, None).await;
    assert_eq!(counted(&app.organiser(&manager).get(&owner).await).len(), 0);
}

#[tokio::test]
async fn sessions_and_login_tokens_are_filtered_by_each_of_their_fields() {
    let (app, admin) = with_events().await;
    let caller = app.organiser(&admin);
    let sessions = [
        json!({ "event": 1, "language": "English", "languageCode": "en" }),
        json!({ "event": 1, "language": "Floor", "isFloor": true, "archive": false }),
        json!({ "event": 2, "language": "Floor", "mode": "relayed", "archive": false }),
    ];
    for session in sessions {
        caller.make("/api/v2/sessions/", session).await;
    }
    let tokens = [(1, "participant", "floor"), (1, "interpreter", "remote"), (2, "moderator", "remote")];
    for (event, token, kind) in tokens {
        caller.make("/api/v2/logintokens/", json!({ "event": event, "token": token, "tokenType": kind })).await;
    }
    let session_id = caller.get("/api/v2/sessions/2/").await.body["sessionId"].as_str().unwrap().to_owned();
    let by_session_id = format!("sessions/?sessionId={session_id}");
    let cases: &[(&str, &[u64])] = &[
        ("sessions/?event=1", &[1, 2]),
        ("sessions/?event=01", &[1, 2]),
        ("sessions/?event=", &[1, 2, 3]),
        ("sessions/?event=9", &[]),
        ("sessions/?event=x", &[]),
        ("sessions/?event=1&id=2", &[2]),
        ("sessions/?language=Floor", &[2, 3]),
        ("sessions/?language=Floor&event=2", &[3]),
        ("sessions/?languageCode=en", &[1]),
        ("sessions/?isFloor=True", &[2]),
        ("sessions/?isFloor=false&mode=routed", &[1]),
        ("sessions/?mode=relayed", &[3]),
        ("sessions/?mode=king", &[]),
        ("sessions/?archive=False", &[2, 3]),
        ("sessions/?x=1", &[1, 2, 3]),
        (&by_session_id, &[2]),
        ("logintokens/?event=2", &[3]),
        ("logintokens/?event=3", &[]),
        ("logintokens/?token=interpreter", &[2]),
        ("logintokens/?token=interpreter&event=2", &[]),
        ("logintokens/?token=interpreter&event=1", &[2]),
        ("logintokens/?token=nobody", &[]),
        ("logintokens/?tokenType=remote", &[2, 3]),
        ("logintokens/?tokenType=remote&event=1", &[2]),
        ("logintokens/?tokenType=king", &[]),
        ("logintokens/?id=3", &[3]),
    ];
    for (query, ids) in cases {
        assert_eq!(counted(&caller.get(&format!("/api/v2/{query}")).await), *ids, "{query}");
    }
    let partner = app.account("another", Role::Partner, None).await;
    for (query, _) in cases {
        let seen = counted(&app.organiser(&partner).get(&format!("/api/v2/{query}")).await);
        assert!(seen.is_empty(), "{query}");
    }
}

/// More records than one request reads.
const MANY: u64 = 26_000;

#[tokio::test]
async fn a_filter_that_hits_its_read_limit_says_so_and_links_to_the_rest() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let first = app.login_tokens(event, "token", 1).await[0];
    let last =
        caller.make("/api/v2/logintokens/", json!({ "event": event, "token": "the other", "tokenType": "floor" }));
    // The list needs only one item per record, in the partition of its kind.
    let key = |id: u64| (format!("LOGINTOKENS#{}", id % 16), format!("{id:020}"));
    let (pk, sk) = key(first);
    let get = app.client.get_item().table_name(&*app.table);
    let get = get.key("PK", AttributeValue::S(pk)).key("SK", AttributeValue::S(sk)).send().await.unwrap();
    let one = get.item.unwrap();
    let last = last.await;
    let copies = (last + 1..last + MANY).map(|id| {
        let ((pk, sk), mut copy) = (key(id), one.clone());
        copy.insert("PK".to_owned(), AttributeValue::S(pk));
        copy.insert("SK".to_owned(), AttributeValue::S(sk));
        copy.insert("id".to_owned(), AttributeValue::N(id.to_string()));
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(copy)).build().unwrap()).build()
    });
    let copies: Vec<_> = copies.collect();
    for batch in copies.chunks(25) {
        app.client.batch_write_item().request_items(&*app.table, batch.to_vec()).send().await.unwrap();
    }
    app.count_to("LoginToken", last + MANY).await;
    let (mut path, mut found, mut pages) = (Some("/api/v2/logintokens/?tokenType=floor".to_owned()), Vec::new(), 0);
    while let Some(at) = path {
        let answer = caller.get(&at).await;
        assert_eq!(answer.status, 200, "{answer}");
        found.extend(answer.ids());
        let next =
            answer.body["next"].as_str().map(|url| url.strip_prefix("http://greenroom.example").unwrap().to_owned());
        // Both links lead to the same page.
        assert_eq!(next, answer.following());
        // The last page cannot count the records before it.
        assert!(answer.body["count"].is_null(), "{answer}");
        (path, pages) = (next, pages + 1);
    }
    assert_eq!(found, [last]);
    assert!(pages > 1);
    // A page behind the read limit continues to skip records.
    let answer = caller.get("/api/v2/logintokens/?tokenType=floor&limit=1&offset=1").await;
    assert_eq!((answer.ids().len(), &answer.body["count"]), (0, &json!(null)));
    assert_eq!(follow(&caller, &answer.following().unwrap()).await, [0; 0]);
}
