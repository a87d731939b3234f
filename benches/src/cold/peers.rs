//! The same work in other implementations: built or installed below the target directory, and compared with the
//! function.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    Result, build,
    cold::{store::Store, subject::Subject},
    fixture::{Event, identifier, text},
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
/// The number of the identifier in the comparison.
const COMPARED: usize = 99_000_000;

/// The names of the peers.
pub(crate) const STOCK: &str = "Rust, AWS's set-up";
pub(crate) const NODE: &str = "Node.js";
pub(crate) const PYTHON: &str = "Python";

/// The peers, on the same store, and the versions that they use.
pub(crate) async fn all(store: &Store, event: &Event, memory: u64) -> Result<(Vec<Subject>, Vec<String>)> {
    let peers = [(STOCK, stock()?), (NODE, node()?), (PYTHON, python()?)];
    let mut common = store.environment()?;
    common.push(("DEVICE_KEY".to_owned(), store.device_key().await?));
    let mut subjects = Vec::new();
    for (index, (name, binary)) in peers.into_iter().enumerate() {
        let mut environment = common.clone();
        let (variable, file) = trust(store, name)?;
        environment.push((variable.to_owned(), file));
        let first = (index + 1) * 1_000_000;
        subjects.push(Subject::new(name, &binary, event.clone(), Some(200), first).with(memory, environment));
    }
    Ok((subjects, versions()?))
}

/// The certificates that each peer would have on Lambda, together with the store's. AWS's set-up in Rust uses those of
/// the image; Node.js and boto3 have their own.
fn trust(store: &Store, peer: &str) -> Result<(&'static str, String)> {
    match peer {
        STOCK => {
            let machine = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt")?;
            Ok(("SSL_CERT_FILE", store.proxy.trusted_beside("machine.pem", &machine)?))
        }
        NODE => Ok(("NODE_EXTRA_CA_CERTS", store.proxy.trusted_beside("node.pem", "")?)),
        _ => {
            let own = output(Command::new(directory("python")?.join("venv/bin/python")).args([
                "-c",
                "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'cacert.pem'))",
            ]))?;
            Ok(("AWS_CA_BUNDLE", store.proxy.trusted_beside("python.pem", &fs::read_to_string(own)?)?))
        }
    }
}

fn directory(peer: &str) -> Result<PathBuf> {
    Ok(build::target_directory()?.join("bench/peers").join(peer))
}

/// A workspace of its own, with its own lock file.
fn stock() -> Result<PathBuf> {
    let target = directory("stock")?;
    let mut cargo = build::cargo();
    cargo.args(["build", "--release", "--quiet", "--locked", "--target-dir"]).arg(&target);
    output(cargo.current_dir(Path::new(SOURCES).join("stock")))?;
    Ok(target.join("release/stock"))
}

fn node() -> Result<PathBuf> {
    let directory = copy("node", &["package.json", "package-lock.json", "app.mjs", "bootstrap.mjs"])?;
    let (wanted, found) = (directory.join("package-lock.json"), directory.join("node_modules/installed.json"));
    if fs::read(&found).ok() != Some(fs::read(&wanted)?) {
        output(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory))?;
        // Copied last, so that an incomplete directory is made again.
        fs::copy(wanted, found)?;
    }
    bootstrap(&directory, &output(Command::new("node").args(["-p", "process.execPath"]))?, "bootstrap.mjs")
}

fn python() -> Result<PathBuf> {
    let directory = copy("python", &["requirements.txt", "app.py", "bootstrap.py"])?;
    let (wanted, found) = (directory.join("requirements.txt"), directory.join("venv/installed.txt"));
    let python = directory.join("venv/bin/python");
    if fs::read(&found).ok() != Some(fs::read(&wanted)?) {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory.join("venv")))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        output(Command::new(&python).args(install).arg(&wanted))?;
        fs::copy(wanted, found)?;
    }
    bootstrap(&directory, python.to_str().ok_or("a path that is no text")?, "bootstrap.py")
}

/// Copies a peer's files to where it is installed.
fn copy(peer: &str, files: &[&str]) -> Result<PathBuf> {
    let directory = directory(peer)?;
    fs::create_dir_all(&directory)?;
    for file in files {
        fs::copy(Path::new(SOURCES).join(peer).join(file), directory.join(file))?;
    }
    Ok(directory)
}

/// A program that starts the interpreter with the script, without a shell in between.
fn bootstrap(directory: &Path, interpreter: &str, script: &str) -> Result<PathBuf> {
    let path = directory.join(script);
    let source = fs::read_to_string(&path)?;
    fs::write(&path, format!("#!{interpreter}\n{source}"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// The versions that distinguish the figures of one run from those of another.
fn versions() -> Result<Vec<String>> {
    let node = output(Command::new("node").arg("--version"))?;
    let locked: Value = serde_json::from_slice(&fs::read(Path::new(SOURCES).join("node/package-lock.json"))?)?;
    let package = |name: &str| format!("{name} {}", locked["packages"][format!("node_modules/{name}")]["version"]);
    let packages = ["aws-lambda-ric", "@aws-sdk/client-dynamodb", "jsonwebtoken"].map(package).join(", ");
    let python = output(Command::new(directory("python")?.join("venv/bin/python")).arg("--version"))?;
    let required = fs::read_to_string(Path::new(SOURCES).join("python/requirements.txt"))?;
    let required: Vec<_> = required.lines().filter(|line| line.contains("==")).take(3).collect();
    let lock = fs::read_to_string(Path::new(SOURCES).join("stock/Cargo.lock"))?;
    let crates = ["lambda_http", "aws-config", "aws-sdk-dynamodb", "aws-lc-rs", "jsonwebtoken"];
    let crates: Vec<_> =
        crates.iter().filter_map(|name| Some(format!("{name} {}", locked_crate(&lock, name)?))).collect();
    Ok(vec![
        format!("{NODE}: {node}; {}", packages.replace('"', "")),
        format!("{PYTHON}: {}; {}", python.trim_start_matches("Python "), required.join(", ").replace("==", " ")),
        format!("{STOCK}: {}", crates.join(", ")),
    ])
}

/// The version of a crate in a lock file.
fn locked_crate<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

/// Ends the benchmark if a peer gives another answer than the function, or writes another item.
pub(crate) async fn require_same(store: &Store, ours: &Subject, peers: &[Subject]) -> Result<()> {
    let wanted = outcome(store, ours, COMPARED).await?;
    for (index, peer) in peers.iter().enumerate() {
        let found = outcome(store, peer, COMPARED + 1 + index).await?;
        if found != wanted {
            return Err(format!("{} does other work:\n{found:?}\nthan ours:\n{wanted:?}", peer.name).into());
        }
    }
    Ok(())
}

/// A token's header and claims, and the item, without the values that differ in each request.
async fn outcome(store: &Store, subject: &Subject, number: usize) -> Result<[Value; 3]> {
    let answer = subject.answer_to(number).await?;
    let body: Value = serde_json::from_str(text(&answer["body"])?)?;
    let token = text(&body["data"]["token"])?;
    let [mut header, mut claims] = token_parts(token)?;
    let (device, session) = (text(&claims["sub"])?.to_owned(), text(&claims["session"])?.to_owned());
    let mut item = store.item(&format!("DEVICE#{device}"), "DEVICE").await?;
    let lives = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin);
    let identified = item["identifier"]["S"] == identifier(number).as_str();
    let mut entry = item.as_object_mut().and_then(|item| item.remove(&session)).ok_or("no session in the item")?;
    for (object, names) in [
        (&mut claims, &["sub", "session", "iat", "exp"][..]),
        (&mut entry["M"], &["createdAt", "refreshedAt", "expiresAt"]),
        (&mut item, &["PK", "identifier", "expiresAt"]),
    ] {
        for name in names {
            // Its type stays.
            object[*name] = kind(&object[*name]);
        }
    }
    item["session"] = entry;
    let fields = body["data"].as_object().map(Map::len);
    item["its"] = json!({"lives": lives, "identified": identified, "fields": fields});
    header["status"] = answer["statusCode"].clone();
    Ok([header, claims, item])
}

/// The type of a value, and of an attribute.
fn kind(value: &Value) -> Value {
    match value {
        Value::Object(attribute) => attribute.keys().cloned().collect::<Vec<_>>().join(",").into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        _ => Value::Null,
    }
}

fn token_parts(token: &str) -> Result<[Value; 2]> {
    let [header, claims, _] = token.split('.').collect::<Vec<_>>()[..] else { return Err("no token".into()) };
    let part = |part: &str| -> Result<Value> { Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part)?)?) };
    Ok([part(header)?, part(claims)?])
}

/// The standard output of a program, without the last newline.
fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", command.get_program().display(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
