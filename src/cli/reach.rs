//! The addresses of the server, and who can reach them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses of a server that listens on an address.
pub(super) struct Reach {
    /// The URL for this machine.
    pub(super) url: String,
    /// Who else can call it, for people; `None` if nobody can.
    pub(super) others: Option<String>,
}

impl Reach {
    pub(super) fn of(address: SocketAddr) -> Self {
        Self::with(address, outward)
    }

    /// `outward` finds the address that other machines of the network have for this one.
    fn with(address: SocketAddr, outward: impl Fn(IpAddr) -> Option<IpAddr>) -> Self {
        let at = |ip: IpAddr| format!("http://{}", SocketAddr::new(ip, address.port()));
        let ip = address.ip();
        if ip.is_loopback() {
            return Self { url: at(ip), others: None };
        }
        let (here, outside) = match ip {
            IpAddr::V4(any) if any.is_unspecified() => (IpAddr::V4(Ipv4Addr::LOCALHOST), outward(ip)),
            IpAddr::V6(any) if any.is_unspecified() => (IpAddr::V6(Ipv6Addr::LOCALHOST), outward(ip)),
            ip => (ip, Some(ip)),
        };
        let outside = outside.map_or_else(|| format!("port {} of this machine", address.port()), at);
        let others = format!("every machine that gets to {outside}; nothing is encrypted on the way");
        Self { url: at(here), others: Some(others) }
    }
}

/// The address from which this machine calls others. Finding it sends nothing.
fn outward(any: IpAddr) -> Option<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849). The default route leads to them.
    let somebody: IpAddr = match any {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((somebody, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:3000", "http://127.0.0.1:3000", None)]
    #[case("[::1]:3000", "http://[::1]:3000", None)]
    #[case("192.0.2.7:80", "http://192.0.2.7:80", Some("http://192.0.2.7:80;"))]
    #[case("0.0.0.0:3000", "http://127.0.0.1:3000", Some("http://192.0.2.9:3000;"))]
    #[case("[::]:3000", "http://[::1]:3000", Some("http://192.0.2.9:3000;"))]
    fn who_can_call_is_said(#[case] address: &str, #[case] url: &str, #[case] others: Option<&str>) {
        let reach = Reach::with(address.parse().unwrap(), |_| "192.0.2.9".parse().ok());
        assert_eq!(reach.url, url);
        assert_eq!(reach.others.is_some(), others.is_some());
        assert!(reach.others.unwrap_or_default().contains(others.unwrap_or_default()));
        let lost = Reach::with("0.0.0.0:3000".parse().unwrap(), |_| None);
        assert!(lost.others.unwrap().contains("port 3000 of this machine;"));
    }
}
