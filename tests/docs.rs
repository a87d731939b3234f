//! The documents say what the code says.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};
use greenroom::cli::Cli;
use shared::config::Setting;
use testbed::rights::Roles;

const README: &str = include_str!("../README.md");

/// The cells of the first table whose head begins with this cell.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        // A cell with code in it has no other bar.
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let from_head = text.lines().skip_while(|line| !line.starts_with('|') || cells(line)[0] != head);
    let rows: Vec<_> = from_head.skip(2).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "there is no table of {head}");
    rows
}

#[test]
fn the_readme_lists_every_setting_with_its_default_and_meaning() {
    let settings = Setting::ALL.iter().map(|setting| {
        let default = match setting.default() {
            Some(default) => format!("`{default}`"),
            None if setting.is_required() => "required".to_owned(),
            None => "unset".to_owned(),
        };
        vec![format!("`{}`", setting.name()), default, setting.meaning().to_owned()]
    });
    assert_eq!(table(README, "name"), settings.collect::<Vec<_>>());
}

#[test]
fn the_readme_lists_every_route_with_its_function() {
    let rows = table(README, "request").into_iter().map(|row| [row[0].clone(), row[1].clone()]);
    let routes = greenroom::functions().into_iter().flat_map(|function| {
        let routes = greenroom::routes(function.routes.get_openapi());
        let row = move |(method, path): (String, String)| {
            [format!("`{} {path}`", method.to_uppercase()), format!("`{}`", function.name)]
        };
        routes.into_iter().map(row)
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), routes.collect::<BTreeSet<_>>());
}

#[test]
fn the_readme_lists_every_command_and_names_every_option() {
    let rows = table(README, "command").into_iter().map(|row| row[0].clone());
    let words = |row: String| -> Vec<String> {
        row.trim_matches('`').split(' ').take_while(|word| is_name(word)).map(str::to_owned).collect()
    };
    let listed: BTreeSet<_> = rows.map(words).collect();
    let mut commands = BTreeSet::new();
    let mut options = BTreeSet::new();
    leaves(&Cli::command(), &[], &mut commands, &mut options);
    assert_eq!(listed, commands);
    for option in options {
        assert!(README.contains(&format!("--{option}")), "the README does not name --{option}");
    }
}

/// The commands that have none below them, by their words, and the options of all.
fn leaves(command: &Command, above: &[String], commands: &mut BTreeSet<Vec<String>>, options: &mut BTreeSet<String>) {
    let words = [above, &[command.get_name().to_owned()]].concat();
    options.extend(command.get_arguments().filter_map(|option| option.get_long()).map(str::to_owned));
    if command.get_subcommands().next().is_none() {
        commands.insert(words.clone());
    }
    for below in command.get_subcommands() {
        leaves(below, &words, commands, options);
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[test]
fn the_data_model_has_the_keys_that_roles_name() {
    // Of a partition key, what stands before its first value.
    let kind = |key: &str| key.trim_matches('`').split('#').next().unwrap_or_default().to_owned();
    let model = include_str!("../docs/data-model.md");
    let rows = model.lines().skip_while(|line| !line.starts_with("| Entity |")).skip(2);
    let keys = rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(2)).map(str::trim);
    let listed: BTreeSet<_> = keys.filter(|key| key.starts_with('`')).map(kind).collect();
    let roles = Roles::of_workspace().unwrap();
    let allowed = roles.iter().flat_map(|(_, statements)| statements).flat_map(|statement| &statement.keys);
    assert_eq!(listed, allowed.map(|key| kind(key)).collect::<BTreeSet<_>>());
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name));
    for document in documents.into_iter().chain(files(&root.join("docs")).unwrap()) {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.starts_with("https://")) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", document.display());
            let titles = if section.is_empty() { String::new() } else { fs::read_to_string(&target).unwrap() };
            let found = titles.lines().any(|line| line.starts_with('#') && anchor(line) == section);
            assert!(section.is_empty() || found, "{} links to {link}", document.display());
        }
    }
}

#[test]
fn documents_that_the_code_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["benches", "functions", "shared", "src", "testbed", "tests"].map(|place| root.join(place));
    let sources = places.iter().flat_map(|place| files(place).unwrap());
    let mut named = BTreeSet::new();
    for source in sources.filter(|file| has_extension(file, "rs")) {
        let text = fs::read_to_string(&source).unwrap();
        let mentions = text.split("`docs/").skip(1).filter_map(|rest| rest.split_once('`')).map(|(name, _)| name);
        for name in mentions.filter(|name| has_extension(Path::new(name), "md")) {
            assert!(root.join("docs").join(name).is_file(), "{} names docs/{name}", source.display());
            named.insert(name.to_owned());
        }
    }
    for contract in files(&root.join("docs/apis")).unwrap() {
        let name = contract.strip_prefix(root.join("docs")).unwrap().display().to_string();
        assert!(name == "apis/README.md" || named.contains(&name), "nothing in the code names docs/{name}");
    }
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

/// The files of a directory and of those below it.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// What a section's title is linked to by.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    title.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}
