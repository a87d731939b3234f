//! Compresses the files that are served: the document, the page, and the parts of Swagger UI that the page needs.

use std::{
    env,
    error::Error,
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// Files of the repository.
const OURS: [&str; 4] = ["../../openapi.json", "assets/docs.html", "assets/docs.css", "assets/start.js"];
/// Files of Swagger UI. Its licence is served too.
const THEIRS: [&str; 5] =
    ["dist/swagger-ui-bundle.js", "dist/swagger-ui.css", "dist/favicon-32x32.png", "LICENSE", "NOTICE"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    for path in OURS {
        println!("cargo::rerun-if-changed={path}");
        keep(path, &fs::read(path)?)?;
    }
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let root = archive
        .file_names()
        .find_map(|name| Some(name.ok()?.split_once('/')?.0.to_owned()))
        .ok_or("an empty archive")?;
    for path in THEIRS {
        let mut content = Vec::new();
        archive.by_name(&format!("{root}/{path}"))?.read_to_end(&mut content)?;
        keep(path, &content)?;
    }
    Ok(())
}

/// Writes a compressed file to where the library includes it from.
fn keep(path: &str, content: &[u8]) -> Result<(), Box<dyn Error>> {
    let name = Path::new(path).file_name().ok_or("a directory")?.to_string_lossy();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    let directory = env::var_os("OUT_DIR").ok_or("no directory")?;
    fs::write(Path::new(&directory).join(format!("{name}.gz")), encoder.finish()?)?;
    Ok(())
}
