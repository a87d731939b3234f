//! `GET /openapi.json` serves the OpenAPI document of the whole API, and `GET /docs` a page that shows it in a browser.
//!
//! Everything is in the binary, Swagger UI too, so the page needs no other host.

mod file;

use axum::http::Uri;
use greenroom_core::config::Setting;
use greenroom_http::{
    auth::Anyone,
    dialect::device::{self, Error},
    error,
};
use utoipa::ToSchema;

use file::{Conditions, DOCUMENT, File, PAGE, Served};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(open_api, docs, docs_file);

/// An OpenAPI document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct Specification {
    /// The version of OpenAPI.
    #[schema(example = "3.1.0")]
    openapi: String,
    /// Title, version and other facts about the API.
    #[schema(value_type = Object, example = json!({ "title": "Greenroom", "version": "0.1.0" }))]
    info: (),
    /// The operations, by path and method.
    #[schema(value_type = Object, example = json!({}))]
    paths: (),
    /// Definitions that the operations share.
    #[schema(value_type = Object, example = json!({}))]
    components: (),
}

/// Read this OpenAPI document.
///
/// The document follows OpenAPI 3.1, so that clients and tests can be generated from it.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getSpecification",
    tag = "Specification",
    responses(
        (
            status = 200,
            description = "The document",
            body = Specification,
            headers(("ETag" = String, description = "A request with it in `If-None-Match` is answered with 304")),
        ),
        (status = 304, description = "The caller already has this version"),
    ),
)]
async fn open_api(_: Anyone, conditions: Conditions) -> Served {
    DOCUMENT.serve(conditions)
}

/// Browse this OpenAPI document.
///
/// The answer is a page with Swagger UI. It loads nothing from other hosts.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "browseSpecification",
    tag = "Specification",
    responses(
        (
            status = 200,
            description = "The page",
            body = String,
            content_type = "text/html",
            headers(("ETag" = String, description = "A request with it in `If-None-Match` is answered with 304")),
            example = json!("<!doctype html>…"),
        ),
        (status = 304, description = "The caller already has this version"),
    ),
)]
async fn docs(_: Anyone, conditions: Conditions) -> Served {
    PAGE.serve(conditions)
}

/// Read a file that the page at `/docs` loads.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    operation_id = "getSpecificationAsset",
    tag = "Specification",
    params(("file" = String, Path, description = "The file's name", example = "start.js")),
    responses(
        (
            status = 200,
            description = "The file",
            headers(("ETag" = String, description = "A request with it in `If-None-Match` is answered with 304")),
            content(
                (String = "text/javascript", example = json!("SwaggerUIBundle({…});")),
                (String = "text/css", example = json!(".swagger-ui{…}")),
                (String = "text/plain", example = json!("Apache License…")),
                (String = "image/png", example = json!("\u{89}PNG…")),
            ),
        ),
        (status = 304, description = "The caller already has this version"),
        (status = 404, description = "There is no such file", body = device::Body),
    ),
)]
async fn docs_file(_: Anyone, uri: Uri, conditions: Conditions) -> Result<Served, Error> {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    let file = File::of_page(name).ok_or(error::Error::RouteNotFound)?;
    Ok(file.serve(conditions))
}
