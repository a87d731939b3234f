//! Settings of metrics.

use super::{Reader, Setting};

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
}
