//! The Django service: its Python environment, its database, its start.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Result, server::Server};

use crate::events::{
    ADMIN_PASSWORD, API_TOKEN, EVENTS, LOGIN_TOKENS, OPENTOK_API_KEY, OPENTOK_API_SECRET, Side, bench_directory,
    data_directory,
};

const SECRET_KEY: &str = "benchmark-secret-key-of-the-peer-of-0123456789";
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/django-events");
/// The versions that distinguish the figures of one run from those of another.
const VERSIONS: &str = "import platform; from importlib.metadata import version; \
    print('Python ' + platform.python_version(), *(f'{name} {version(name)}' for name in \
    ['Django', 'djangorestframework', 'drf-jwt', 'gunicorn', 'argon2-cffi', 'opentok']), sep=', ')";

/// A Python environment with what the peer requires.
pub(crate) struct Environment(PathBuf);

/// Creates it below the target directory, unless one with the same requirements exists.
pub(crate) fn environment() -> Result<Environment> {
    let directory = bench_directory()?.join("django-events");
    let (wanted, found) = (Path::new(SOURCE).join("requirements.txt"), directory.join("requirements.txt"));
    if fs::read(&found).ok() == Some(fs::read(&wanted)?) {
        return Ok(Environment(directory));
    }
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
    let pip = directory.join("bin/pip");
    let install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    succeed(Command::new(pip).args(install).arg(&wanted))?;
    // Copied last, so that an incomplete environment is made again.
    fs::copy(wanted, found)?;
    Ok(Environment(directory))
}

impl Environment {
    /// The path of a program in the environment.
    #[must_use]
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// The versions in the environment.
    pub(crate) fn versions(&self) -> Result<String> {
        output(Command::new(self.program("python")).args(["-c", VERSIONS]))
    }
}

/// Fills a new database, and serves it.
pub(crate) async fn start(environment: &Environment) -> Result<Side> {
    let data = data_directory()?;
    let database = data.path().join("peer.sqlite3");
    let bytecode = bench_directory()?.join("django-events/bytecode");
    let variables = [
        ("SECRET_KEY", SECRET_KEY),
        ("OPENTOK_API_KEY", OPENTOK_API_KEY),
        ("OPENTOK_API_SECRET", OPENTOK_API_SECRET),
        ("DATABASE", database.to_str().ok_or("a path that is no text")?),
        ("PYTHONPYCACHEPREFIX", bytecode.to_str().ok_or("a path that is no text")?),
    ];
    let manage = |arguments: &[&str]| {
        let mut python = Command::new(environment.program("python"));
        succeed(python.current_dir(SOURCE).arg("manage.py").args(arguments).envs(variables))
    };
    let (events, login_tokens) = (EVENTS.to_string(), LOGIN_TOKENS.to_string());
    manage(&["migrate", "--run-syncdb", "--verbosity", "0"])?;
    let seed = ["seed", "--password", ADMIN_PASSWORD, "--api-token", API_TOKEN, "--events", &events];
    manage(&[&seed[..], &["--login-tokens", &login_tokens]].concat())?;
    let config = format!("{SOURCE}/gunicorn.conf.py");
    let arguments = ["--chdir", SOURCE, "--config", &config, "--bind", "127.0.0.1:0", "--log-file", "/dev/stdout"];
    let mut server = Server::start(&environment.program("gunicorn"), &arguments, &variables)?;
    Ok(Side { name: "peer", address: server.address("Listening at").await?, server: server.keep(), _data: data })
}

/// The standard output of a program, without the last newline.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", command.get_program().display(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

fn succeed(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}
