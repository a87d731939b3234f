//! Settings of metrics and traces.

use std::net::SocketAddr;

use super::{Reader, Setting};

/// The address of the X-Ray daemon, which Lambda puts into the environment of a function with active tracing.
const DAEMON: &str = "AWS_XRAY_DAEMON_ADDRESS";

/// The settings of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The dimension `Service`.
    pub service: String,
    /// Whether each route has metrics too.
    pub by_route: bool,
}

impl Metrics {
    /// Reads the settings; `None` if there are no metrics.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let service = reader.text(Setting::StackName);
        let by_route = reader.parse(Setting::Metrics, |text| match text {
            "route" => Ok(Some(true)),
            "service" => Ok(Some(false)),
            "off" => Ok(None),
            _ => Err("must be route, service or off".to_owned()),
        });
        Some(Self { service: service?, by_route: by_route?? })
    }
}

/// The address to which traces are sent; `None` if nothing is traced.
pub(super) fn daemon(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let traced = reader.parse(Setting::Tracing, |text| match text {
        "off" => Ok(false),
        "xray" => Ok(true),
        _ => Err("must be off or xray".to_owned()),
    });
    // Lambda's own value is an address. The other forms that its tools take are for other daemons.
    traced.filter(|traced| *traced).and_then(|_| reader.environment.get(DAEMON)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment, Strictness};

    fn config(values: &[(&str, &str)]) -> Config {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = values.collect();
        Config::read(&environment, Setting::EVERYWHERE, Strictness::Deployed).unwrap()
    }

    #[test]
    fn metrics_are_sent_where_there_is_a_service_to_send_them_of() {
        assert_eq!(config(&[]).metrics, None);
        assert_eq!(config(&[("METRICS", "service")]).metrics, None);
        assert_eq!(config(&[("STACK_NAME", "live"), ("METRICS", "off")]).metrics, None);
        let metrics = |by_route| Some(Metrics { service: "live".to_owned(), by_route });
        assert_eq!(config(&[("STACK_NAME", "live")]).metrics, metrics(true));
        assert_eq!(config(&[("STACK_NAME", "live"), ("METRICS", "service")]).metrics, metrics(false));
    }

    #[test]
    fn traces_are_sent_where_that_is_asked_for_and_a_daemon_is_there() {
        let daemon = (DAEMON, "169.254.79.129:2000");
        assert_eq!(config(&[daemon]).tracing, None);
        assert_eq!(config(&[("TRACING", "xray")]).tracing, None);
        assert_eq!(config(&[("TRACING", "xray"), daemon]).tracing, daemon.1.parse().ok());
    }
}
