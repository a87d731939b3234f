//! Checks of the table: whether it is as the template declares, deletes expired items, and can be restored.

use aws_sdk_dynamodb::types::{
    ContinuousBackupsStatus, KeySchemaElement, PointInTimeRecoveryStatus, TableDescription, TableStatus,
    TimeToLiveStatus,
};
use greenroom_store::StoreError;

use super::Check;
use crate::{
    cli::aws::Aws,
    table::{KEY, TTL},
};

pub(super) async fn check(aws: &Aws, name: &str) -> Vec<Check> {
    let client = aws.dynamodb();
    let described = client.describe_table().table_name(name).send().await;
    let described = match described {
        Ok(described) => described.table.unwrap_or_else(|| TableDescription::builder().build()),
        Err(error) => {
            return vec![Check::fail(
                "table",
                format!("{name} cannot be described: {}", greenroom_aws::reason(&error)),
            )];
        }
    };
    let active = matches!(described.table_status, Some(TableStatus::Active | TableStatus::Updating));
    let key = KEY.map(|(attribute, _)| attribute);
    let found: Vec<_> = described.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
    let mut checks = vec![
        Check::of("table", active, name, "it is not active; wait, or see it in the console"),
        Check::of(
            "table key",
            found == key,
            found.join(", "),
            &format!("should be {}; it is another's table", key.join(", ")),
        ),
    ];
    let expiry = client.describe_time_to_live().table_name(name).send().await;
    checks.push(match expiry.map(|found| found.time_to_live_description) {
        Err(error) => Check::fail("table TTL", format!("cannot be described: {}", greenroom_aws::reason(&error))),
        Ok(found) => {
            let on = found.as_ref().is_some_and(|found| {
                let on =
                    matches!(found.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
                on && found.attribute_name() == Some(TTL)
            });
            let state = if on { format!("on, {TTL}") } else { "off".to_owned() };
            Check::of("table TTL", on, state, &format!("nothing is deleted that has expired; enable it for {TTL}"))
        }
    });
    let backups = client.describe_continuous_backups().table_name(name).send().await;
    checks.push(match backups.map(|found| found.continuous_backups_description) {
        Err(error) => Check::fail("table PITR", format!("cannot be described: {}", greenroom_aws::reason(&error))),
        Ok(found) => {
            let on = found.is_some_and(|found| {
                let recovery = found.point_in_time_recovery_description;
                let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status);
                found.continuous_backups_status == ContinuousBackupsStatus::Enabled
                    && status == Some(PointInTimeRecoveryStatus::Enabled)
            });
            let remedy = "the table cannot be restored; enable point-in-time recovery";
            Check::of("table PITR", on, if on { "on" } else { "off" }, remedy)
        }
    });
    checks.push(settings(aws.store(name).present_settings().await.map(|settings| settings.is_some())));
    checks
}

/// The check whether the table can be read.
fn settings(read: Result<bool, StoreError>) -> Check {
    match read {
        Ok(true) => Check::ok("table content", "it has been used"),
        Ok(false) => Check::warn("table content", "nothing yet: nobody has used this deployment"),
        Err(error) => Check::fail("table content", format!("{error}")),
    }
}
