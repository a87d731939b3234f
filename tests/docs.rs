//! The documents say what the code says.

use std::{collections::BTreeSet, fs, path::Path};

use clap::{Command, CommandFactory};
use greenroom::cli::Cli;
use shared::config::Setting;

const README: &str = include_str!("../README.md");
const ARCHITECTURE: &str = include_str!("../docs/architecture.md");
const STORE: &str = include_str!("../shared/src/store.rs");

/// The cells of the first table whose head begins with this cell.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        // A cell with code in it has no other bar.
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let lines = text.lines().map(|line| line.strip_prefix("//! ").unwrap_or(line));
    let from_head = lines.skip_while(|line| !line.starts_with('|') || cells(line)[0] != head);
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
fn the_architecture_has_the_keys_of_the_table() {
    assert_eq!(table(ARCHITECTURE, "Entity"), table(STORE, "Entity"));
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = ["docs", "docs/guides"].map(|name| root.join(name));
    let guides = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let guides = guides.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name));
    for document in documents.into_iter().chain(guides) {
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

/// What a section's title is linked to by.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    title.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}
