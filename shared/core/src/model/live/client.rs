//! Clients of a media server, and how webhooks tell them apart (`docs/apis/ovenmediaengine.md`).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::ConnectionName;

/// A client of a media server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address: the one that a proxy reports for it, or that of the peer if there is no proxy.
    pub address: String,
    /// The address of the proxy, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The peer's port.
    pub port: u16,
    /// The URL that it requested.
    pub url: String,
    /// Its protocol, in lower case. Empty for clients from before this was recorded.
    #[serde(default)]
    pub protocol: String,
}

crate::opaque!(Client);

/// The things that the openings and closings of a protocol are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Each is about one connection, which its port distinguishes from others.
    Connections,
    /// Each is about one client.
    Clients,
    /// A client has any number of openings and one closing.
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

    /// The name that a client at the proxy's address would have. A closing that has only the proxy's address finds the
    /// connection under this name. `None` if there is no proxy.
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

    /// Whether both clients have the same address. A closing may have only the proxy's address, so this address is
    /// compared with both addresses of the other.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.address == other.address || Some(&self.address) == other.peer.as_ref()
    }

    /// Whether its closing may have only the proxy's address, as with playlists, which close with the proxy's
    /// connection.
    pub(super) fn is_told_by_playlists(&self) -> bool {
        self.telling() == Telling::Playlists
    }

    /// The things that the webhooks of its protocol are about.
    pub(super) fn telling(&self) -> Telling {
        Telling::of(&self.protocol)
    }

    /// The key of the thing that its webhooks are about, among the things of one address.
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
