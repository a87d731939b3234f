//! Clients of a media server, and how they are told apart (`docs/apis/ovenmediaengine.md`).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::ConnectionName;

/// A client of a media server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Where it is: what a proxy says of it, else the peer.
    pub address: String,
    /// The peer, where a proxy stands between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The peer's port.
    pub port: u16,
    /// The URL it asked for.
    pub url: String,
    /// What it comes by, in lower case; nothing is known of who came before it was kept.
    #[serde(default)]
    pub protocol: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// What a protocol's webhooks tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Each opening and each closing is of one connection, which its port tells from others.
    Connections,
    /// Each is of one client.
    Clients,
    /// There are as many openings as the client likes, and one closing.
    Playlists,
}

impl Telling {
    pub(super) fn of(protocol: &str) -> Self {
        match protocol {
            "webrtc" => Self::Connections,
            "hls" | "llhls" => Self::Playlists,
            _ => Self::Clients,
        }
    }
}

impl Client {
    /// A client at these addresses, as they are spelt in webhooks.
    #[must_use]
    pub fn new(peer: &str, real: Option<&str>, port: u16, protocol: &str, url: String) -> Self {
        let (peer, real) = (canonical(peer), real.filter(|real| !real.is_empty()).map(canonical));
        let address = real.unwrap_or_else(|| peer.clone());
        let peer = Some(peer).filter(|peer| *peer != address);
        Self { address, peer, port, url, protocol: protocol.to_ascii_lowercase() }
    }

    /// The name of one that chose none: the same for the same client.
    #[must_use]
    pub fn name(&self) -> ConnectionName {
        Self::name_at(self, &self.address)
    }

    /// The name that a client would have which is where its peer is: what a closing that knows only the peer goes by.
    #[must_use]
    pub fn peer_name(&self) -> Option<ConnectionName> {
        self.peer.as_deref().map(|peer| self.name_at(peer))
    }

    fn name_at(&self, address: &str) -> ConnectionName {
        let Self { protocol, url, .. } = self;
        let port = match self.telling() {
            Telling::Connections => self.port.to_string(),
            Telling::Clients | Telling::Playlists => String::new(),
        };
        ConnectionName::made_of(&Sha256::digest(format!("{protocol}\n{address}\n{port}\n{url}")).into())
    }

    /// Whether it is where another is. A closing may know its peer only, which is compared with both of the other's.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.address == other.address || Some(&self.address) == other.peer.as_ref()
    }

    /// Whether its closing may know the proxy only that it came by way of: playlists are closed by a connection's end.
    pub(super) fn is_told_by_playlists(&self) -> bool {
        self.telling() == Telling::Playlists
    }

    /// What its protocol's webhooks tell.
    pub(super) fn telling(&self) -> Telling {
        Telling::of(&self.protocol)
    }

    /// Which of the things that can be open at an address its webhooks are about.
    pub(super) fn slot(&self) -> String {
        match self.telling() {
            Telling::Connections => format!("{}:{}", self.protocol, self.port),
            Telling::Clients | Telling::Playlists => self.protocol.clone(),
        }
    }
}

/// An address in its one spelling.
fn canonical(address: &str) -> String {
    match address.trim().parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => address.to_owned(),
    }
}
