//! A device and its sessions. They are one item, so checking a token, beginning a session and replacing a token are one
//! request each. Each session is an attribute of the item, named by the session's id. The cap on their number keeps the
//! item small.
//!
//! `live` counts the sessions in the item. `expiresAt` is never before the end of any of them.

use aws_sdk_dynamodb::types::ReturnValue;
use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{DeviceId, DeviceSessionId},
    model::{
        Device, DeviceSession,
        device::{Identifier, Refresh},
    },
};
use serde::Deserialize;

use super::{
    Attributes, Key, Store, StoreError,
    attempts::Attempts,
    n, s,
    write::{Write, Written},
};

fn key(device: &DeviceId) -> Key {
    Key { pk: format!("DEVICE#{device}"), sk: "DEVICE".to_owned() }
}

/// The attributes of the item other than its sessions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceItem {
    identifier: Identifier,
    live: u64,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

fn read(item: Attributes) -> Result<(DeviceItem, Device), StoreError> {
    let sessions = item.iter().filter_map(|(name, session)| {
        let id = DeviceSessionId::parse(name)?;
        Some(serde_dynamo::from_attribute_value(session.clone()).map(|session| (id, session)))
    });
    let sessions = sessions.collect::<Result<_, _>>()?;
    let item: DeviceItem = serde_dynamo::from_item(item)?;
    let device = Device { identifier: item.identifier.clone(), sessions };
    Ok((item, device))
}

/// The outcome of presenting a token for refresh.
#[derive(Debug)]
pub enum Refreshed {
    /// The session goes on with its next token. This is its present state.
    Now(DeviceSession),
    /// The session had ended.
    Ended,
    /// The token had been replaced before. It was taken for stolen, and the session has ended.
    Stolen,
}

impl Store {
    /// The device with this id. `None` once its last session is gone.
    pub async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        let item = self.attributes(key(id)).await?;
        item.map(|item| read(item).map(|(_, device)| device)).transpose()
    }

    /// Begins a session of a device. Ends the oldest sessions if the device would have more than `max`.
    ///
    /// One request; one more where the device has `max` sessions already.
    pub async fn begin_device_session(
        &self,
        device: &DeviceId,
        identifier: &Identifier,
        (id, session): (&DeviceSessionId, &DeviceSession),
        max: usize,
    ) -> Result<(), StoreError> {
        let mut in_the_way = None;
        let mut attempts = Attempts::default();
        loop {
            let begun = match in_the_way {
                None => self.add_session(device, identifier, (id, session), max).await?,
                Some(item) => self.begin_in_place_of_others(device, (id, session), max, item).await?,
            };
            in_the_way = match begun {
                Ok(_) => return Ok(()),
                Err(item) => item,
            };
            attempts.lost_knowingly().await?;
        }
    }

    /// Adds a session if there is room for it, and the device if it is new. Otherwise returns the item that the
    /// condition failed on.
    async fn add_session(
        &self,
        device: &DeviceId,
        identifier: &Identifier,
        (id, session): (&DeviceSessionId, &DeviceSession),
        max: usize,
    ) -> Result<Written, StoreError> {
        let change = "SET #type = :type, identifier = :identifier, #session = :session, expiresAt = :end ADD live :one";
        let adding = updating(device, change)
            .when(
                "attribute_not_exists(#session) AND (attribute_not_exists(live) OR live < :max) \
                 AND (attribute_not_exists(expiresAt) OR expiresAt <= :end)",
            )
            .name("#type", "Type")
            .name("#session", id.as_str())
            .value(":type", s("Device"))
            .value(":identifier", s(identifier.expose()))
            .value(":session", serde_dynamo::to_attribute_value(session)?)
            .value(":end", n(session.expires_at.seconds()))
            .value(":one", n(1))
            .value(":max", n(max));
        self.write(adding).await
    }

    /// Adds a session to an item that was read, and removes the sessions that have to go for it. If the item has
    /// changed since, returns the item as it is now.
    async fn begin_in_place_of_others(
        &self,
        device_id: &DeviceId,
        (id, session): (&DeviceSessionId, &DeviceSession),
        max: usize,
        item: Attributes,
    ) -> Result<Written, StoreError> {
        let (item, device) = read(item)?;
        if device.sessions.contains_key(id) {
            // This session is in the item already: an earlier attempt succeeded, and its answer was lost.
            return Ok(Ok(Attributes::default()));
        }
        let evicted = device.to_evict(max, session.created_at);
        let live = device.sessions.len() - evicted.len() + 1;
        let end = item.expires_at.max(session.expires_at);
        let names: Vec<_> = (0..evicted.len()).map(|index| format!("#e{index}")).collect();
        let remove = if names.is_empty() { String::new() } else { format!(" REMOVE {}", names.join(", ")) };
        let still_there: Vec<_> = names.iter().map(|name| format!(" AND attribute_exists({name})")).collect();
        let mut beginning =
            updating(device_id, format!("SET #session = :session, expiresAt = :end, live = :live{remove}"))
                .when(format!("live = :found AND expiresAt = :until{}", still_there.concat()))
                .name("#session", id.as_str())
                .value(":session", serde_dynamo::to_attribute_value(session)?)
                .value(":end", n(end.seconds()))
                .value(":live", n(live))
                .value(":found", n(item.live))
                .value(":until", n(item.expires_at.seconds()));
        for (name, evicted) in names.iter().zip(evicted) {
            beginning = beginning.name(name, evicted.as_str());
        }
        self.write(beginning).await
    }

    /// Replaces the token numbered `presented` of a session. `next` is the state of a session that would begin now.
    ///
    /// One request where the token is the present one or its predecessor.
    pub async fn refresh_device_session(
        &self,
        device: &DeviceId,
        id: &DeviceSessionId,
        presented: u64,
        next: &DeviceSession,
    ) -> Result<Refreshed, StoreError> {
        let mut extend = true;
        let mut attempts = Attempts::default();
        loop {
            let item = match self.rotate(device, id, presented, next, extend).await? {
                Ok(item) => return Ok(read(item)?.1.sessions.remove(id).map_or(Refreshed::Ended, Refreshed::Now)),
                Err(None) => return Ok(Refreshed::Ended),
                Err(Some(item)) => item,
            };
            let (item, mut found) = read(item)?;
            let alone = found.sessions.len() == 1;
            let Some(session) = found.sessions.remove(id) else { return Ok(Refreshed::Ended) };
            match session.refresh(presented, next) {
                Refresh::Ended => return Ok(Refreshed::Ended),
                Refresh::Repeated => return Ok(Refreshed::Now(session)),
                Refresh::Stolen => {
                    self.end_device_session(device, id, alone).await?;
                    return Ok(Refreshed::Stolen);
                }
                // Only the item's `expiresAt` failed the condition: another session of the device ends later.
                Refresh::Rotated(_) => extend = item.expires_at <= next.expires_at,
            }
            attempts.again()?;
        }
    }

    /// Writes the state with the next token over that with the token numbered `presented`. Returns the item as it is
    /// afterwards, or the item that the condition failed on.
    async fn rotate(
        &self,
        device: &DeviceId,
        id: &DeviceSessionId,
        presented: u64,
        next: &DeviceSession,
        extend: bool,
    ) -> Result<Written, StoreError> {
        let (set, only_if) = if extend { (", expiresAt = :end", " AND expiresAt <= :end") } else { ("", "") };
        let change = format!(
            "SET #session.generation = :next, #session.refreshedAt = :now, #session.expiresAt = :end, \
             #session.kid = :kid{set}"
        );
        let rotating = updating(device, change)
            .when(format!("#session.generation = :presented AND #session.expiresAt > :second{only_if}"))
            .name("#session", id.as_str())
            .value(":presented", n(presented))
            .value(":next", n(presented + 1))
            .value(":now", n(next.refreshed_at.millis()))
            .value(":second", n(next.refreshed_at.seconds()))
            .value(":end", n(next.expires_at.seconds()))
            .value(":kid", s(&next.kid))
            .returning(ReturnValue::AllNew);
        self.write(rotating).await
    }

    /// Ends a session. Ending a device's last session deletes everything known of the device. Ending it again changes
    /// nothing. `alone` says whether the session was the device's only one when it was read.
    ///
    /// One request where that still holds.
    pub async fn end_device_session(
        &self,
        device: &DeviceId,
        id: &DeviceSessionId,
        mut alone: bool,
    ) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let ending = if alone { forgetting_device(device, id) } else { removing_session(device, id) };
            // Nothing is left to end if there is no item.
            let Err(Some(item)) = self.write(ending).await? else { return Ok(()) };
            let (item, found) = read(item)?;
            if !found.sessions.contains_key(id) {
                return Ok(());
            }
            alone = item.live == 1;
            attempts.lost().await?;
        }
    }
}

/// The write that removes a session that is not the device's only one.
fn removing_session(device: &DeviceId, id: &DeviceSessionId) -> Write {
    updating(device, "REMOVE #session ADD live :less")
        .when("attribute_exists(#session) AND live > :one")
        .name("#session", id.as_str())
        .value(":less", n(-1))
        .value(":one", n(1))
}

/// The write that deletes a device whose only session is this one.
fn forgetting_device(device: &DeviceId, id: &DeviceSessionId) -> Write {
    Write::delete(key(device))
        .when("attribute_exists(#session) AND live = :one")
        .name("#session", id.as_str())
        .value(":one", n(1))
        .returning_on_failure()
}

fn updating(device: &DeviceId, update: impl Into<String>) -> Write {
    Write::update(key(device), update).returning_on_failure()
}
