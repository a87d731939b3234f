//! Settings of live sessions (`docs/apis/ovenmediaengine.md`).

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;

use super::{Reader, Setting};
use crate::model::live::DEFAULT_VHOST;

/// The settings of live sessions.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// The valid access tokens of operators.
    pub access_tokens: Vec<SecretString>,
    /// The secrets that may have signed admission webhooks.
    pub webhook_secrets: Vec<SecretString>,
    /// The virtual hosts of playback URLs by host name, in lower case.
    pub vhosts: BTreeMap<String, String>,
    /// How long a terminated session's name is refused.
    pub hold: Duration,
    /// How long after its opening an admitted viewer without a closing is taken off the list.
    pub session_ttl: Duration,
    /// How long the media server lets a WebRTC viewer stay, who then asks again. `None`: it sets no end.
    pub lifetime: Option<Duration>,
    /// Whether viewers stay and go without regard to publishers.
    pub keep_viewers: bool,
}

impl Streams {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            access_tokens: reader.secrets(Setting::StreamsAccessToken),
            webhook_secrets: reader.secrets(Setting::StreamsWebhookSecret),
            vhosts: reader.parse(Setting::StreamsVhosts, vhosts).unwrap_or_default(),
            hold: reader.seconds(Setting::StreamsHold),
            session_ttl: reader.seconds(Setting::StreamsSessionTtl),
            lifetime: reader.parse(Setting::StreamsLifetime, lifetime),
            keep_viewers: reader.parse(Setting::StreamsKeepViewers, switch).unwrap_or_default(),
        }
    }

    /// The virtual host of a URL's host name.
    #[must_use]
    pub fn vhost_of(&self, host: &str) -> &str {
        self.vhosts.get(&host.to_ascii_lowercase()).map_or(DEFAULT_VHOST, String::as_str)
    }

    /// Whether there is a virtual host with this name.
    #[must_use]
    pub fn has_vhost(&self, vhost: &str) -> bool {
        vhost == DEFAULT_VHOST || self.vhosts.values().any(|known| known == vhost)
    }
}

/// The shortest lifetime, in seconds. Each viewer of a stream asks again after each lifetime.
const LIFETIME_MIN: u32 = 60;

fn lifetime(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds >= LIFETIME_MIN);
    let seconds = seconds.ok_or_else(|| format!("must be a number of seconds, from {LIFETIME_MIN} on"))?;
    Ok(Duration::from_secs(seconds.into()))
}

fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

fn vhosts(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (host, vhost) = pair.split_once('=')?;
        let (host, vhost) = (host.trim(), vhost.trim());
        (!host.is_empty() && !vhost.is_empty()).then(|| (host.to_ascii_lowercase(), vhost.to_owned()))
    });
    pairs.collect::<Option<_>>().ok_or_else(|| "must be like live.example=edge, separated by commas".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_stands_for_its_virtual_host_and_any_other_for_the_default() {
        let streams = Streams { vhosts: vhosts(" Live.Example=edge, b.example = two,").unwrap(), ..Streams::default() };
        assert_eq!(
            ["live.EXAMPLE", "b.example", "c.example"].map(|host| streams.vhost_of(host)),
            ["edge", "two", "default"]
        );
        assert_eq!(["default", "edge", "live.example"].map(|vhost| streams.has_vhost(vhost)), [true, true, false]);
    }

    #[test]
    fn a_lifetime_is_a_minute_or_more() {
        assert_eq!(lifetime("60"), Ok(Duration::from_mins(1)));
        for text in ["59", "0", "-60", "60s", "1.5", "99999999999"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
        assert_eq!(["true", "false", "yes"].map(|text| switch(text).ok()), [Some(true), Some(false), None]);
    }

    #[test]
    fn a_pair_has_both_its_sides() {
        for text in ["edge", "a=", "=b", "a=b,c"] {
            assert!(vhosts(text).is_err(), "{text}");
        }
    }
}
