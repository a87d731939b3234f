//! The documents agree with the code.
//!
//! `UPDATE_DOCS=1 cargo test --workspace --test docs` writes the generated tables between the marks of the pages in
//! `docs/reference`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, Command, CommandFactory};
use greenroom::cli::Cli;
use greenroom_core::config::Setting;
use serde_json::Value;
use testbed::rights::Roles;

/// The order of a path's methods.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Checks that a page has these sections, each between its marks. With `UPDATE_DOCS`, writes them there.
fn check(page: &str, sections: &[(&str, String)]) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let found = fs::read_to_string(&path)?;
    let due = sections.iter().fold(found.clone(), |text, (name, section)| {
        let mark = |text: &str| if page == "Cargo.toml" { format!("# {text}\n") } else { format!("<!-- {text} -->\n") };
        let (begin, end) = (mark(name), mark(&format!("end of {name}")));
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} has no {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page} has no {end}"));
        format!("{before}{begin}{section}{end}{after}")
    });
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(&path, due);
    }
    assert!(found == due, "{page} is out of date: UPDATE_DOCS=1 cargo test --workspace --test docs");
    Ok(())
}

/// A table with this head.
fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(COLUMNS));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn the_reference_has_every_setting_with_its_default_and_meaning() {
    let rows = Setting::ALL.iter().map(|setting| {
        let default = match setting.default() {
            Some(default) => code(default),
            None if setting.is_required() => "required".to_owned(),
            None => "unset".to_owned(),
        };
        [code(setting.name()), default, setting.meaning().to_owned()]
    });
    let settings = table(["name", "default", "meaning"], rows);
    check("docs/reference/configuration.md", &[("settings", settings)]).unwrap();
}

#[test]
fn the_reference_has_every_route_with_its_function_and_credential() {
    let document = greenroom::specification();
    let sections = [("credentials", credentials(&document)), ("routes", routes(&document))];
    check("docs/reference/routes.md", &sections).unwrap();
}

/// Cargo takes no pattern for dependencies.
#[test]
fn the_workspace_has_every_function_and_its_routes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = fs::read_dir(root.join("functions")).unwrap();
    let folders: BTreeSet<_> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    let rows = folders.iter().map(|name| format!("greenroom-{name} = {{ path = \"functions/{name}\" }}\n"));
    check("Cargo.toml", &[("functions", rows.collect()), ("routes", watched())]).unwrap();
    let functions = greenroom::functions().into_iter().map(|function| function.name.to_owned());
    assert_eq!(folders, functions.collect(), "functions/ and functions() in src/lib.rs");
}

/// `cargo lambda watch` has to know the function of each path. Where functions share a path, it asks for the method.
fn watched() -> String {
    let mut paths: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    let functions = functions();
    for (route, function) in &functions {
        let Some((method, path)) = route.split_once(' ') else { continue };
        paths.entry(path).or_default().entry(function).or_default().push(method);
    }
    let rows = paths.iter().map(|(path, functions)| {
        let of_method = |(function, methods): (&&str, &Vec<&str>)| {
            let rows = methods.iter().map(|method| format!("{{ function = \"{function}\", method = \"{method}\" }}"));
            rows.collect::<Vec<_>>().join(", ")
        };
        match functions.first_key_value() {
            Some((function, _)) if functions.len() == 1 => format!("\"{path}\" = \"{function}\"\n"),
            _ => format!("\"{path}\" = [{}]\n", functions.iter().map(of_method).collect::<Vec<_>>().join(", ")),
        }
    });
    rows.collect()
}

/// The credentials of the OpenAPI document, each with the header that carries it.
fn credentials(document: &Value) -> String {
    let schemes = document["components"]["securitySchemes"].as_object().into_iter().flatten();
    let rows = schemes.map(|(name, scheme)| {
        let header = match scheme["scheme"].as_str() {
            Some("basic") => "Authorization: Basic",
            Some(_) => "Authorization: Bearer",
            None => scheme["name"].as_str().unwrap_or_default(),
        };
        [code(name), code(header), said(&scheme["description"])]
    });
    table(["credential", "header", "who shows it, and what it is"], rows)
}

/// The operations of the OpenAPI document, a table for each of its tags.
fn routes(document: &Value) -> String {
    let functions = functions();
    let tags = document["tags"].as_array().into_iter().flatten().map(|tag| {
        let operations =
            operations(document).into_iter().filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
        let rows = operations.map(|(path, method, operation)| {
            let request = format!("{} {path}", method.to_uppercase());
            let summary = said(&operation["summary"]).replace('\n', " ");
            let sentence = summary.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned();
            [code(&request), code(functions[&request]), asked(operation), sentence]
        });
        let rows = table(["request", "function", "credential", "what it does"], rows);
        format!("## {}\n\n{}\n\n{rows}", said(&tag["name"]), said(&tag["description"]))
    });
    tags.collect::<Vec<_>>().join("\n")
}

/// The function of each route.
fn functions() -> BTreeMap<String, &'static str> {
    let functions = greenroom::functions().into_iter().flat_map(|function| {
        let routes = greenroom::routes(function.routes.get_openapi()).into_iter();
        routes.map(move |(method, path)| (format!("{} {path}", method.to_uppercase()), function.name))
    });
    functions.collect()
}

/// Each operation with its path and its method.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let methods = item.as_object().into_iter().flatten();
        operations.extend(methods.map(|(method, operation)| (path.as_str(), method.as_str(), operation)));
    }
    operations.sort_by_key(|(path, method, _)| (*path, METHODS.iter().position(|known| known == method)));
    operations
}

/// The credentials of an operation; it takes any of them.
fn asked(operation: &Value) -> String {
    let any = operation["security"].as_array().into_iter().flatten().map(|schemes| {
        let scheme = schemes.as_object().and_then(|schemes| schemes.keys().next());
        scheme.map_or_else(|| "none".to_owned(), |scheme| code(scheme))
    });
    any.collect::<Vec<_>>().join(" or ")
}

fn said(text: &Value) -> String {
    text.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_reference_has_every_command_and_every_option() {
    let mut command = Cli::command();
    command.build();
    let all = leaves(&command);
    let sections = [("options", options(&all)), ("commands", commands(all))];
    check("docs/reference/cli.md", &sections).unwrap();
}

/// The commands without subcommands.
fn leaves(command: &Command) -> Vec<Command> {
    let below: Vec<_> = command.get_subcommands().filter(|below| below.get_name() != "help").collect();
    if below.is_empty() { vec![command.clone()] } else { below.into_iter().flat_map(leaves).collect() }
}

/// The commands with their arguments, as their help has them.
fn commands(all: Vec<Command>) -> String {
    let rows = all.into_iter().map(|mut command| {
        let usage = command.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace(" [OPTIONS]", "");
        [code(&usage), command.get_about().map(ToString::to_string).unwrap_or_default()]
    });
    table(["command", "what it does"], rows)
}

/// The options, each with its commands.
fn options(all: &[Command]) -> String {
    let mut takers: BTreeMap<[String; 3], Vec<&str>> = BTreeMap::new();
    for command in all {
        for option in command.get_arguments().filter(|option| is_option(option)) {
            takers.entry(described(option)).or_default().push(words(command));
        }
    }
    let all: Vec<_> = all.iter().map(words).collect();
    let rows = takers.into_iter();
    let rows = rows.map(|([option, default, meaning], takers)| [option, named(&takers, &all), default, meaning]);
    table(["option", "commands", "default", "meaning"], rows)
}

/// Whether it is an option of Greenroom itself.
fn is_option(argument: &Arg) -> bool {
    !argument.is_positional() && !matches!(argument.get_id().as_str(), "help" | "version")
}

/// An option as it is written, its default and its meaning.
fn described(option: &Arg) -> [String; 3] {
    let default = option.get_default_values().first().filter(|_| option.get_action().takes_values());
    let default = match default {
        Some(default) => code(&default.to_string_lossy()),
        None if option.is_required_set() => "required".to_owned(),
        None => "unset".to_owned(),
    };
    let mut meaning = option.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = option.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    if !values.is_empty() {
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    [code(&option.to_string()), default, meaning]
}

/// The words of a command after `greenroom`.
fn words(command: &Command) -> &str {
    command.get_bin_name().and_then(|name| name.split_once(' ')).map_or("", |(_, words)| words)
}

/// A list of commands. A complete group is named by its first word.
fn named(some: &[&str], all: &[&str]) -> String {
    let mut names = Vec::new();
    for &command in some {
        let mut others = all.iter().filter(|other| group(other) == group(command));
        let name = code(if others.all(|other| some.contains(other)) { group(command) } else { command });
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// The first word of a command.
fn group(command: &str) -> &str {
    command.split(' ').next().unwrap_or(command)
}

#[test]
fn the_data_model_has_the_keys_that_roles_name() {
    // The part of a partition key before its first value.
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
fn links_between_the_documents_have_a_target() {
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
fn documents_that_the_code_names_exist() {
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

/// The anchor of a section's title in links.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    title.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}
