//! The address that wrong values are counted for.

use rstest::rstest;
use shared::config::Setting;

use super::{HERE, THERE, with_alice};
use crate::{
    participants::PASSWORD,
    support::{TestApp, basic},
};

/// Where a request is counted to come from: the peer is 203.0.113.9, and somebody else erred at `erred`.
#[rstest]
#[case::nobody_is_believed("0", "203.0.113.9", "192.0.2.1", true)]
#[case::the_proxys_word("1", "192.0.2.1", "192.0.2.1", true)]
#[case::with_its_port("1", "192.0.2.1:4711", "192.0.2.1", true)]
#[case::a_network_of_ipv6("1", "2001:db8:1:2::1", "2001:db8:1:2:ffff::7", true)]
#[case::with_its_port_too("1", "[2001:db8:1:2::1]:4711", "2001:db8:1:2::9", true)]
#[case::another_network_of_ipv6("1", "2001:db8:1:2::1", "2001:db8:1:3::1", false)]
#[case::what_the_caller_made_up("1", "198.51.100.7, 192.0.2.1", "192.0.2.1", true)]
#[case::what_the_caller_made_up_is_nobody("1", "192.0.2.2, 192.0.2.1", "192.0.2.2", false)]
#[case::two_proxies("2", "198.51.100.7, 192.0.2.1, 203.0.113.1", "192.0.2.1", true)]
#[case::one_of_two("2", "192.0.2.1", "192.0.2.1, 203.0.113.1", true)]
#[case::no_address("1", "unknown", "203.0.113.9", true)]
#[tokio::test]
async fn an_address_is_what_the_proxies_of_ones_own_say(
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
async fn without_a_header_the_peer_is_the_caller() {
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
