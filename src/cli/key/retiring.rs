//! `greenroom key retire`: drops the older value of a credential.

use std::time::Duration;

use greenroom_core::clock::Timestamp;
use secrecy::ExposeSecret;

use super::{KeyPlace, listing::Known};
use crate::cli::{
    CliError,
    credential::{Credential, Values},
    text::duration,
};

/// How long a value must have been unused before it is dropped.
const UNUSED: Duration = Duration::from_hours(24);

pub(super) async fn retire(
    credential: Credential,
    place: &KeyPlace,
    force: bool,
    now: Timestamp,
) -> Result<(), CliError> {
    let none = || Values::none(credential);
    if let Some(deployment) = place.deployment(&[credential]).await? {
        let values = deployment.keyring.values(credential)?.unwrap_or_else(none);
        let left = values.retire()?;
        if !force {
            deployment.ensure_rolled_out().await?;
            ensure_unused(credential, &values, &Known::of(&deployment).await?, now)?;
        }
        deployment.keyring.write(credential, left).await?;
        println!("The older value of {} is dropped. Next: roll it out; it is refused then.", credential.name());
        return Ok(());
    }
    let data_dir = place.credentials()?;
    let known = if force { None } else { Some(Known::at_home(&data_dir, &place.store.open().await?.store).await?) };
    data_dir.change_values(credential, |values| {
        let left = values.retire()?;
        known.map_or(Ok(()), |known| ensure_unused(credential, values, &known, now))?;
        Ok(left)
    })?;
    place.say_restart().await;
    println!("The older value of {} is refused from the next start on.", credential.name());
    Ok(())
}

/// Checks that the value to drop is unused and the value to keep is used.
fn ensure_unused(credential: Credential, values: &Values, known: &Known, now: Timestamp) -> Result<(), CliError> {
    let name = credential.name();
    if credential == Credential::SigningKeys && values.second_is_newer() {
        return Err(CliError::NotPromoted);
    }
    if !known.has_table {
        return Err(CliError::UsesUnknown);
    }
    let kept = values.kept()?;
    let last_use = |secret: &str| known.last_use(credential, secret);
    let of_kept = values.live().get(kept).and_then(|live| last_use(live.secret.expose_secret()));
    let others = values.live().iter().enumerate().filter(|(index, _)| *index != kept);
    match others.filter_map(|(_, live)| last_use(live.secret.expose_secret())).max() {
        Some(last) if now.since(last) < UNUSED => Err(CliError::StillUsed(name, duration(now.since(last)))),
        Some(_) if of_kept.is_none() => Err(CliError::NewUnused(name)),
        _ => Ok(()),
    }
}
