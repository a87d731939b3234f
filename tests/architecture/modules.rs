//! The modules of each package use each other in one direction, read from their sources.
//!
//! A module and the modules inside it are one thing: the outer one is made of them, and they may use what it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rstest::rstest;
use syn::{
    Attribute, Item, ItemMod, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

/// A module by its path in its package, like `["record", "list"]`. The root has no names.
type Module = Vec<String>;

/// The names that a source uses, before anything is known of the other modules.
#[derive(Default)]
struct Names {
    /// Paths, with `crate`, `self` and `super` as they are written.
    used: Vec<Vec<String>>,
    /// Re-exported names, with the paths that they come from.
    passed_on: Vec<(String, Vec<String>)>,
    /// How many modules inside the file surround the place that is read.
    depth: usize,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let passes_on = !matches!(item.vis, Visibility::Inherited);
        for (path, name) in leaves(&item.tree) {
            if passes_on {
                self.passed_on.push((name, path));
            } else {
                self.note(&path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&names);
        visit::visit_path(self, path);
    }
}

impl Names {
    /// Notes a path as the file itself would write it.
    fn note(&mut self, path: &[String]) {
        let inside = path.iter().take_while(|name| *name == "super").count().min(self.depth);
        self.used.push(path[inside..].to_vec());
    }
}

fn is_for_tests(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// The paths of an import, each with the name that it gets.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    let one = |name: String| vec![(vec![name.clone()], name)];
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let below = leaves(&path.tree).into_iter().map(|(mut rest, name)| {
                rest.insert(0, first.clone());
                (rest, name)
            });
            below.collect()
        }
        UseTree::Name(name) => one(name.ident.to_string()),
        UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        UseTree::Glob(_) => one("*".to_owned()),
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

/// The modules of a package, and what they pass on.
struct Package {
    sources: BTreeMap<Module, Names>,
    /// The module from which a module passes a name on.
    passed_on: BTreeMap<(Module, String), Module>,
}

impl Package {
    fn read(sources: &Path) -> Self {
        let mut files = Vec::new();
        find(sources, &mut files);
        let read = files.iter().filter_map(|file| {
            let module = module_of(file.strip_prefix(sources).unwrap());
            if module.iter().any(|name| name == "tests") {
                return None;
            }
            let mut names = Names::default();
            names.visit_file(&syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap());
            Some((module, names))
        });
        let mut package = Self { sources: read.collect(), passed_on: BTreeMap::new() };
        let passed_on = package.sources.iter().flat_map(|(module, names)| {
            let passed_on = names.passed_on.iter().filter_map(|(name, path)| {
                let path = path.strip_prefix(&["self".to_owned()]).unwrap_or(path);
                let child = module.iter().chain(path.first()).cloned().collect();
                package.sources.contains_key(&child).then(|| ((module.clone(), name.clone()), child))
            });
            passed_on.collect::<Vec<_>>()
        });
        package.passed_on = passed_on.collect();
        package
    }

    /// The module that a path in `module` leads to; `None` if it leads out of the package.
    fn leads_to(&self, module: &Module, path: &[String]) -> Option<Module> {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let (mut place, rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module[..module.len().checked_sub(ups)?].to_vec(), &path[ups..]),
            child => {
                let inside: Module = module.iter().cloned().chain([child.to_owned()]).collect();
                (self.sources.contains_key(&inside).then_some(inside)?, &path[1..])
            }
        };
        for name in rest {
            let inside: Module = place.iter().cloned().chain([name.clone()]).collect();
            if self.sources.contains_key(&inside) {
                place = inside;
                continue;
            }
            while let Some(source) = self.passed_on.get(&(place.clone(), name.clone())) {
                place.clone_from(source);
            }
            break;
        }
        Some(place)
    }

    /// The modules that each module uses, without those that it is part of or made of.
    fn uses(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let uses = |(module, names): (&Module, &Names)| {
            let used = names.used.iter().filter_map(|path| self.leads_to(module, path));
            let others = used.filter(|used| !used.starts_with(module) && !module.starts_with(used));
            (module.clone(), others.collect())
        };
        self.sources.iter().map(uses).collect()
    }
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> Module {
    let names = file.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    if names.len() == 1 && ["lib", "main"].contains(&names[0].as_str()) { Vec::new() } else { names }
}

/// A circle in a graph of uses; `None` if there is none.
fn circle(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<String>> {
    fn visit<'a>(
        module: &'a Module,
        uses: &'a BTreeMap<Module, BTreeSet<Module>>,
        way: &mut Vec<&'a Module>,
        done: &mut BTreeSet<&'a Module>,
    ) -> Option<Vec<String>> {
        if let Some(begin) = way.iter().position(|before| *before == module) {
            return Some(way[begin..].iter().map(|module| module.join("::")).collect());
        }
        if !done.contains(module) {
            way.push(module);
            let found = uses[module].iter().find_map(|used| visit(used, uses, way, done));
            way.pop();
            done.insert(module);
            return found;
        }
        None
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    uses.keys().find_map(|module| visit(module, uses, &mut way, &mut done))
}

#[rstest]
fn modules_use_each_other_in_one_direction(
    #[files("src")]
    #[files("shared/*/src")]
    #[files("functions/*/src")]
    #[files("testbed/src")]
    #[files("benches/src")]
    #[dirs]
    sources: PathBuf,
) {
    let package = Package::read(&sources);
    assert!(!package.sources.is_empty());
    assert_eq!(circle(&package.uses()), None, "these modules use each other in a circle");
}

#[test]
fn a_circle_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use self::a::A;");
    write("a.rs", "use super::b::B; pub struct A(B); #[cfg(test)] mod tests { use crate::c::C; }");
    write("b.rs", "pub struct B; fn c() { crate::c::c() }");
    write("c.rs", "pub fn c() {}");
    assert_eq!(circle(&Package::read(directory.path()).uses()), None);
    write("c.rs", "pub fn c() -> Option<crate::A> { None }");
    let found = circle(&Package::read(directory.path()).uses()).unwrap();
    assert_eq!(found, ["a", "b", "c"]);
}
