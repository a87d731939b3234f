//! The address for which wrong values are counted.

use greenroom_core::config::Setting;
use rstest::rstest;

use super::{HERE, THERE, with_alice};
use crate::{
    participants::PASSWORD,
    support::{TestApp, basic},
};

/// The address for which a request is counted. The peer is 203.0.113.9, and the wrong passwords came from `erred`.
#[rstest]
#[case::no_proxy_is_trusted("0", "203.0.113.9", "192.0.2.1", true)]
#[case::the_address_from_the_proxy("1", "192.0.2.1", "192.0.2.1", true)]
#[case::an_address_with_a_port("1", "192.0.2.1:4711", "192.0.2.1", true)]
#[case::the_same_ipv6_network("1", "2001:db8:1:2::1", "2001:db8:1:2:ffff::7", true)]
#[case::an_ipv6_address_with_a_port("1", "[2001:db8:1:2::1]:4711", "2001:db8:1:2::9", true)]
#[case::another_network_of_ipv6("1", "2001:db8:1:2::1", "2001:db8:1:3::1", false)]
#[case::an_address_forged_by_the_caller_is_ignored("1", "198.51.100.7, 192.0.2.1", "192.0.2.1", true)]
#[case::a_forged_address_does_not_count("1", "192.0.2.2, 192.0.2.1", "192.0.2.2", false)]
#[case::two_proxies("2", "198.51.100.7, 192.0.2.1, 203.0.113.1", "192.0.2.1", true)]
#[case::the_second_of_two_proxies_only("2", "192.0.2.1", "192.0.2.1, 203.0.113.1", true)]
#[case::not_an_address("1", "unknown", "203.0.113.9", true)]
#[tokio::test]
async fn the_address_comes_from_the_trusted_proxies_only(
    #[case] proxies: &str,
    #[case] erred: &str,
    #[case] comes: &str,
    #[case] same: bool,
) {
    let app = TestApp::with([(Setting::TrustedProxies, proxies)]).await;
    app.participant("alice").await;
    let knock = async |password: &str, forwarded: &str| {
        let caller = app.with_authorization(basic(&format!("alice@localhost:{password}"))).at("203.0.113.9");
        caller.from(forwarded).get("/api/messages").await.status.as_u16()
    };
    for number in 0..10 {
        assert_eq!(knock(&format!("wrong {number}"), erred).await, 401);
    }
    assert_eq!(knock(PASSWORD, comes).await, if same { 429 } else { 200 });
}

#[tokio::test]
async fn without_a_header_the_peer_address_counts() {
    let app = with_alice().await;
    let knock = async |password: &str, peer: &str| {
        let caller = app.with_authorization(basic(&format!("alice@localhost:{password}"))).at(peer);
        caller.get("/api/messages").await.status.as_u16()
    };
    for number in 0..10 {
        assert_eq!(knock(&format!("wrong {number}"), HERE).await, 401);
    }
    assert_eq!([knock(PASSWORD, HERE).await, knock(PASSWORD, THERE).await], [429, 200]);
}
