//! Clients of a media server, and how webhooks tell them apart (`docs/apis/ovenmediaengine.md`).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::ConnectionName;

/// A client of a media server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address: the one that a proxy gives for it, else that of the peer.
    pub address: String,
    /// The address of the peer, if a proxy is in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The peer's port.
    pub port: u16,
    /// The URL that it asked for.
    pub url: String,
    /// Its protocol, in lower case. Empty for clients from before this was recorded.
    #[serde(default)]
    pub protocol: String,
}

crate::opaque!(Client);

/// What the openings and closings of a protocol tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Each opening and each closing is of one connection. Its port tells it from others.
    Connections,
    /// Each opening and each closing is of one client.
    Clients,
    /// A client sends any number of openings, and one closing.
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
    /// A client at these addresses, spelt as in webhooks.
    #[must_use]
    pub fn new(peer: &str, real: Option<&str>, port: u16, protocol: &str, url: String) -> Self {
        let (peer, real) = (canonical(peer), real.filter(|real| !real.is_empty()).map(canonical));
        let address = real.unwrap_or_else(|| peer.clone());
        let peer = Some(peer).filter(|peer| *peer != address);
        Self { address, peer, port, url, protocol: protocol.to_ascii_lowercase() }
    }

    /// The name for a client that chose none. The same client always gets the same name.
    #[must_use]
    pub fn name(&self) -> ConnectionName {
        Self::name_at(self, &self.address)
    }

    /// The name that a client at the peer's address would have. A closing that knows only the peer uses this name.
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

    /// Whether both clients have the same address. A closing may know its peer only, which is compared with both
    /// addresses of the other.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.address == other.address || Some(&self.address) == other.peer.as_ref()
    }

    /// Whether its closing may know only the proxy. The end of a connection closes playlists.
    pub(super) fn is_told_by_playlists(&self) -> bool {
        self.telling() == Telling::Playlists
    }

    /// What the webhooks of its protocol tell.
    pub(super) fn telling(&self) -> Telling {
        Telling::of(&self.protocol)
    }

    /// The one of the things open at an address that its webhooks are about.
    pub(super) fn slot(&self) -> String {
        match self.telling() {
            Telling::Connections => format!("{}:{}", self.protocol, self.port),
            Telling::Clients | Telling::Playlists => self.protocol.clone(),
        }
    }
}

/// An address in its canonical spelling.
fn canonical(address: &str) -> String {
    match address.trim().parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => address.to_owned(),
    }
}
