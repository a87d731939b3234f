//! What it takes to try the demo with sound: a LiveKit server in development mode, a Greenroom server beside it, and a
//! page that joins.

use std::path::{Path, PathBuf};

use greenroom_core::config::{Environment, Setting};

use crate::cli::{CliError, error::quoted, media::DEVELOPMENT};

/// The page. It has no token in it: a person pastes the answer that has.
const PAGE: &str = include_str!("livekit.html");
/// Its name in the data directory.
const FILE: &str = "livekit-demo.html";
/// The default port of `greenroom serve`.
const PORT: u16 = 3000;

/// Adds the settings of a server beside `livekit-server --dev` to an environment that names no media provider.
pub(super) fn fill(environment: &mut Environment) {
    if [Setting::VideoProvider, Setting::LivekitUrl].iter().all(|setting| environment.get(setting.name()).is_none()) {
        environment.fill(DEVELOPMENT.map(|(setting, value)| (setting.name().to_owned(), value.to_owned())));
    }
}

/// The commands that start both servers. The Greenroom server has this URL.
pub(super) fn servers(url: &str, data_dir: &Path) -> String {
    let port = url.parse::<http::Uri>().ok().and_then(|url| url.port_u16()).filter(|port| *port != PORT);
    let port = port.map_or_else(String::new, |port| format!(" --port {port}"));
    format!(
        "\nA LiveKit server in development mode, whose key everybody knows, and Greenroom beside it:\n  \
         livekit-server --dev --bind 127.0.0.1 --node-ip 127.0.0.1 --config-body \
         'webhook: {{api_key: devkey, urls: [\"{url}/webhooks/livekit\"]}}'\n  \
         {} greenroom serve{port}{}\n",
        environment(),
        option(data_dir)
    )
}

/// The command that makes an event's sessions anew at that LiveKit server.
pub(super) fn moving(event: u64, data_dir: &Path) -> String {
    format!(
        "\nThe event's sessions are at another media provider. This makes them anew at LiveKit:\n  \
         {} greenroom sessions move --event {event}{}\n",
        environment(),
        option(data_dir)
    )
}

/// Writes the page into the data directory. Returns its path.
pub(super) fn write_page(data_dir: &Path) -> Result<PathBuf, CliError> {
    let path = data_dir.join(FILE);
    let written = greenroom_files::write(&path, PAGE.as_bytes()).and_then(|()| path.canonicalize());
    written.map_err(|error| CliError::File(path, error))
}

/// The settings for a shell.
fn environment() -> String {
    DEVELOPMENT.map(|(setting, value)| format!("{}={value}", setting.name())).join(" ")
}

/// The option that names a data directory, if it is not the default one.
fn option(data_dir: &Path) -> String {
    if data_dir == Path::new(".greenroom") { String::new() } else { format!(" --data-dir {}", quoted(data_dir)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_name_the_port_and_the_directory_that_are_not_the_default_ones() {
        let usual = servers("http://127.0.0.1:3000", Path::new(".greenroom"));
        assert!(usual.contains("urls: [\"http://127.0.0.1:3000/webhooks/livekit\"]"), "{usual}");
        assert!(usual.ends_with("LIVEKIT_API_SECRET=secret greenroom serve\n"), "{usual}");
        let other = servers("http://[::1]:3001", Path::new("a b"));
        assert!(other.ends_with("greenroom serve --port 3001 --data-dir 'a b'\n"), "{other}");
        let moving = moving(7, Path::new(".greenroom"));
        assert!(moving.ends_with("LIVEKIT_API_SECRET=secret greenroom sessions move --event 7\n"), "{moving}");
    }

    #[test]
    fn a_provider_that_is_named_is_not_replaced() {
        let provider = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let mut environment: Environment = given.collect();
            fill(&mut environment);
            ["VIDEO_PROVIDER", "LIVEKIT_URL"].map(|name| environment.get(name).unwrap_or_default().to_owned())
        };
        assert_eq!(provider(&[]), ["livekit", "ws://127.0.0.1:7880"]);
        assert_eq!(provider(&[("VIDEO_PROVIDER", "opentok")]), ["opentok", ""]);
        assert_eq!(provider(&[("LIVEKIT_URL", "wss://livekit.test")]), ["", "wss://livekit.test"]);
    }

    #[test]
    fn the_page_loads_one_version_with_its_hash_and_writes_no_text_as_html() {
        let (_, source) = PAGE.split_once("src=\"").unwrap();
        assert!(source.starts_with("https://cdn.jsdelivr.net/npm/livekit-client@2.23.0/"), "{source}");
        assert!(source.contains("integrity=\"sha384-") && source.contains("crossorigin=\"anonymous\""));
        assert!(!PAGE.contains("innerHTML") && !PAGE.contains("insertAdjacentHTML"));
    }
}
