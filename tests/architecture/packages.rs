//! The packages and what each of them links, read from Cargo's own metadata.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

/// The packages that functions share, lowest first, with the lowest ones that each may name. A package may also use
/// what those use. `docs/architecture.md` has the same table.
const SHARED: [(&str, &[&str]); 11] = [
    ("derive", &[]),
    ("core", &["derive"]),
    ("telemetry", &["core"]),
    ("aws", &["core"]),
    ("store", &["telemetry", "aws"]),
    ("media", &["store"]),
    ("http", &["media"]),
    ("openvidu", &["http"]),
    ("files", &[]),
    ("mail", &["media", "files"]),
    ("lambda", &["http"]),
];

/// Dependencies that only some packages may link, by the packages that may name them.
const ONLY_FOR: [(&str, &[&str]); 6] = [
    ("lettre", &["greenroom-mail"]),
    ("lambda_runtime", &["greenroom-lambda"]),
    ("quick-xml", &["greenroom"]),
    ("clap", &["greenroom"]),
    ("dynoxide-rs", &["greenroom"]),
    ("rusqlite", &["greenroom"]),
];

/// The functions that send mails.
const SENDING_MAILS: [&str; 1] = ["bookingemails"];

/// The packages of this workspace and the graph of what they link.
struct Packages {
    /// The names of the packages, by Cargo's ids.
    names: BTreeMap<String, String>,
    /// The normal dependencies of each package, by Cargo's ids.
    links: BTreeMap<String, Vec<String>>,
    /// The ids of this workspace's packages, by their directories below its root.
    members: BTreeMap<String, String>,
    /// The features that this workspace's packages declare, by package.
    features: BTreeMap<String, Vec<String>>,
}

impl Packages {
    fn read() -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        let arguments =
            ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let members: BTreeSet<_> = metadata["workspace_members"].as_array().unwrap().iter().map(text).collect();
        let mut packages = Self {
            names: BTreeMap::new(),
            links: BTreeMap::new(),
            members: BTreeMap::new(),
            features: BTreeMap::new(),
        };
        for package in metadata["packages"].as_array().unwrap() {
            let (id, name) = (text(&package["id"]), text(&package["name"]));
            if members.contains(&id) {
                let directory = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
                let directory = directory.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                packages.members.insert(directory, id.clone());
                let features = package["features"].as_object().unwrap().keys().cloned().collect();
                packages.features.insert(name.clone(), features);
            }
            packages.names.insert(id, name);
        }
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            let is_normal = |dependency: &&Value| {
                dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null())
            };
            let dependencies = node["deps"].as_array().unwrap().iter().filter(is_normal);
            packages.links.insert(text(&node["id"]), dependencies.map(|dependency| text(&dependency["pkg"])).collect());
        }
        packages
    }

    /// The names of the packages that this one names as dependencies.
    fn named_by(&self, id: &str) -> BTreeSet<&str> {
        self.links[id].iter().map(|dependency| self.names[dependency].as_str()).collect()
    }

    /// The names of all packages that this one links, itself included.
    fn linked_by(&self, id: &str) -> BTreeSet<&str> {
        let (mut linked, mut open) = (BTreeSet::new(), vec![id]);
        while let Some(id) = open.pop() {
            if linked.insert(id) {
                open.extend(self.links[id].iter().map(String::as_str));
            }
        }
        linked.into_iter().map(|id| self.names[id].as_str()).collect()
    }

    /// The packages in this directory: their names there, and their ids.
    fn within(&self, directory: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = format!("{directory}/");
        self.members.iter().filter_map(move |(path, id)| Some((path.strip_prefix(&prefix)?, id.as_str())))
    }
}

#[test]
fn shared_packages_use_only_those_below_them() {
    let packages = Packages::read();
    let mut below: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, uses) in SHARED {
        let all = uses.iter().flat_map(|used| below[used].iter().cloned().chain([format!("greenroom-{used}")]));
        let all = all.collect();
        below.insert(name, all);
    }
    let present: BTreeSet<_> = packages.within("shared").map(|(name, _)| name).collect();
    assert_eq!(present, below.keys().copied().collect());
    for (name, id) in packages.within("shared") {
        let named = packages.named_by(id).into_iter().filter(|used| used.starts_with("greenroom"));
        let foreign: Vec<_> = named.filter(|used| !below[name].contains(*used)).collect();
        assert_eq!(foreign, Vec::<&str>::new(), "shared/{name} uses what is not below it");
    }
}

#[test]
fn functions_do_not_know_each_other_and_link_only_what_they_use() {
    let packages = Packages::read();
    let functions: Vec<_> = packages.within("functions").collect();
    assert!(functions.len() > 20);
    for (name, id) in &functions {
        let linked = packages.linked_by(id);
        let others = functions.iter().map(|(other, _)| format!("greenroom-{other}"));
        let others: Vec<_> = others.filter(|other| linked.contains(other.as_str())).collect();
        assert_eq!(others, [format!("greenroom-{name}")], "{name} links another function");
        for (dependency, users) in ONLY_FOR {
            let may = users.iter().any(|user| *user != "greenroom" && linked.contains(user));
            assert!(may || !linked.contains(dependency), "{name} links {dependency}");
        }
        let sends = SENDING_MAILS.contains(name);
        assert_eq!(linked.contains("greenroom-mail"), sends, "{name} and the ways to send mails");
        assert!(!linked.contains("greenroom"), "{name} links the command");
    }
}

#[test]
fn heavy_dependencies_are_named_by_few_packages() {
    let packages = Packages::read();
    let project = packages.members.iter().filter(|(path, _)| !path.starts_with("benches") && *path != "testbed");
    for (path, id) in project {
        let (named, package) = (packages.named_by(id), packages.names[id].as_str());
        for (dependency, users) in ONLY_FOR {
            assert!(!named.contains(dependency) || users.contains(&package), "{path} names {dependency}");
        }
    }
}

/// Functions are built together by `cargo lambda build` at the root, and one by one by `sam build`. With features, the
/// first would link into each of them what any of them asks for.
#[test]
fn no_package_has_features_so_functions_built_together_are_the_same() {
    let packages = Packages::read();
    let with_features: Vec<_> = packages.features.iter().filter(|(_, features)| !features.is_empty()).collect();
    assert_eq!(with_features, Vec::new());
}

/// The dependencies that these arguments of `cargo tree` select, each with its features.
fn dependencies(arguments: &[&str]) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--prefix", "none", "--format", "{p} {f}"];
    let command =
        Command::new(env!("CARGO")).args(tree).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = command.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// A feature that only tests or benchmarks ask for has its crate, and all that use it, compiled a second time.
#[test]
fn the_tests_use_what_the_command_was_compiled_with() {
    let for_the_command = dependencies(&["--edges", "normal,no-proc-macro"]);
    let for_the_tests = dependencies(&["--workspace", "--edges", "normal,dev,no-proc-macro"]);
    let again: Vec<_> = for_the_command.difference(&for_the_tests).collect();
    assert_eq!(again, Vec::<&String>::new(), "tests or benchmarks ask for other features of these");
}

#[test]
fn deployed_packages_have_the_projects_name_and_functions_binaries_their_own() {
    let packages = Packages::read();
    for directory in ["functions", "shared"] {
        for (name, id) in packages.within(directory) {
            assert_eq!(packages.names[id], format!("greenroom-{name}"), "{directory}/{name}");
        }
    }
}
