//! The routes that no other module measures, each with a request of `events/`.

use std::collections::BTreeSet;

use axum::body::Body;
use greenroom_http::Reported;
use testbed::{Request, livekit_signature};

use super::{Rows, instance, routes};
use crate::support::Caller;

pub(super) async fn measure(rows: &mut Rows) {
    let measured: BTreeSet<_> = rows.0.iter().map(|row| row.route.clone()).collect();
    for route in &routes() - &measured {
        let app = instance().await;
        app.participant("alice").await;
        let shown = |caller: &Caller| caller.authorization().unwrap().to_owned();
        let admin = shown(&app.organiser(&app.admin().await));
        let device = app.register("phone").await;
        let (client, participant, backend) =
            (shown(&app.client(false).await), shown(&app.as_participant("alice")), shown(&app.backend()));
        let values = [
            ("DEVICE_TOKEN", &*device),
            ("JWT USER_TOKEN", &admin),
            ("Token API_TOKEN", &client),
            ("Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE", &participant),
            ("Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU", &backend),
        ];
        let Request { method, path, authorization, body } = Request::of_operation(&route, &values).unwrap();
        // This one signs the body, at the time of the API's clock.
        let authorization = authorization.map(|authorization| match authorization.as_str() {
            "LIVEKIT_SIGNATURE" => livekit_signature(body.as_deref().unwrap_or_default(), app.clock.now().seconds()),
            _ => authorization,
        });
        let caller = authorization.map_or_else(|| app.anyone(), |authorization| app.with_authorization(authorization));
        let body = body.map_or_else(Body::empty, Body::from);
        let answer = caller.begin(caller.request(&method, &path, &[("content-type", "application/json")], body)).await;
        assert!(answer.status().is_success(), "{route}: {}", answer.status());
        let Reported { route, usage } = answer.extensions().get().unwrap();
        rows.add(route, "any", *usage);
    }
}
