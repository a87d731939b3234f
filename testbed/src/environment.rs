//! The environment in which Lambda starts a function.

use std::{net::SocketAddr, path::Path};

/// The region and the account in every name of the environment.
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";

/// The access key id of every function.
pub const ACCESS_KEY_ID: &str = "ASIAIOSFODNN7EXAMPLE";

/// The name that a function has on Lambda. Here it is the name of its binary.
pub(crate) fn function_name(binary: &Path) -> String {
    let stem = binary.file_stem().unwrap_or(binary.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// The ARN in `lambda-runtime-invoked-function-arn`.
pub(crate) fn arn(function: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}")
}

/// The variables that Lambda sets for every function on `provided.al2023`.
///
/// Names and values are those of Lambda. The credentials are the ones in AWS's documentation, with a session token,
/// because those of a role always have one.
pub(crate) fn variables(function: &str, runtime_api: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{function}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]7c5a8a2f4d1b4e6f9a3c0d2e1f5b6a78".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        ("AWS_SESSION_TOKEN", "AQoEXAMPLEH4aoAH0gNCAPy".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
    ]
}
