//! A device and its sessions. They are one item, so checking a token, beginning a session and replacing a token are one
//! request each. Each session is an attribute of the item, named by the session's id. The cap on their number keeps the
//! item small.
//!
//! `live` counts the sessions in the item. `expiresAt` is never before the end of any of them.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{DeviceId, DeviceSessionId},
    model::{
        Device, DeviceSession,
        device::{Identifier, Refresh},
    },
};
use serde::Deserialize;

use super::{Attributes, Key, Store, StoreError, attempts::Attempts, error::item_in_the_way, n, s};

fn key(device: &DeviceId) -> Key {
    Key { pk: format!("DEVICE#{device}"), sk: "DEVICE".to_owned() }
}

/// The outcome of a conditional write: done, or the item that the condition failed on. `None` if there is no such item.
type Attempt<T> = Result<T, Option<Attributes>>;

/// The attributes of the item other than its sessions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    identifier: Identifier,
    live: u64,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

fn read(item: Attributes) -> Result<(Head, Device), StoreError> {
    let sessions = item.iter().filter_map(|(name, session)| {
        let id = DeviceSessionId::parse(name)?;
        Some(serde_dynamo::from_attribute_value(session.clone()).map(|session| (id, session)))
    });
    let sessions = sessions.collect::<Result<_, _>>()?;
    let head: Head = serde_dynamo::from_item(item)?;
    let device = Device { identifier: head.identifier.clone(), sessions };
    Ok((head, device))
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
                Ok(()) => return Ok(()),
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
    ) -> Result<Attempt<()>, StoreError> {
        let added = self
            .update_device(device)
            .update_expression(
                "SET #type = :type, identifier = :identifier, #session = :session, expiresAt = :end ADD live :one",
            )
            .condition_expression(
                "attribute_not_exists(#session) AND (attribute_not_exists(live) OR live < :max) \
                 AND (attribute_not_exists(expiresAt) OR expiresAt <= :end)",
            )
            .expression_attribute_names("#type", "Type")
            .expression_attribute_names("#session", id.as_str())
            .expression_attribute_values(":type", s("Device"))
            .expression_attribute_values(":identifier", s(identifier.expose()))
            .expression_attribute_values(":session", serde_dynamo::to_attribute_value(session)?)
            .expression_attribute_values(":end", n(session.expires_at.seconds()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":max", n(max))
            .send()
            .await;
        match added {
            Ok(_) => Ok(Ok(())),
            Err(error) => Ok(Err(item_in_the_way(error)?)),
        }
    }

    /// Adds a session to an item that was read, and removes the sessions that have to go for it. If the item has
    /// changed since, returns the item as it is now.
    async fn begin_in_place_of_others(
        &self,
        device_id: &DeviceId,
        (id, session): (&DeviceSessionId, &DeviceSession),
        max: usize,
        item: Attributes,
    ) -> Result<Attempt<()>, StoreError> {
        let (head, device) = read(item)?;
        if device.sessions.contains_key(id) {
            // This session is in the item already: an earlier attempt succeeded, and its answer was lost.
            return Ok(Ok(()));
        }
        let evicted = device.to_evict(max, session.created_at);
        let live = device.sessions.len() - evicted.len() + 1;
        let end = head.expires_at.max(session.expires_at);
        let names: Vec<_> = (0..evicted.len()).map(|index| format!("#e{index}")).collect();
        let remove = if names.is_empty() { String::new() } else { format!(" REMOVE {}", names.join(", ")) };
        let still_there: Vec<_> = names.iter().map(|name| format!(" AND attribute_exists({name})")).collect();
        let mut update = self
            .update_device(device_id)
            .update_expression(format!("SET #session = :session, expiresAt = :end, live = :live{remove}"))
            .condition_expression(format!("live = :found AND expiresAt = :until{}", still_there.concat()))
            .expression_attribute_names("#session", id.as_str())
            .expression_attribute_values(":session", serde_dynamo::to_attribute_value(session)?)
            .expression_attribute_values(":end", n(end.seconds()))
            .expression_attribute_values(":live", n(live))
            .expression_attribute_values(":found", n(head.live))
            .expression_attribute_values(":until", n(head.expires_at.seconds()));
        for (name, evicted) in names.iter().zip(evicted) {
            update = update.expression_attribute_names(name, evicted.as_str());
        }
        match update.send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) => Ok(Err(item_in_the_way(error)?)),
        }
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
            let (head, mut found) = read(item)?;
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
                Refresh::Rotated(_) => extend = head.expires_at <= next.expires_at,
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
    ) -> Result<Attempt<Attributes>, StoreError> {
        let (set, only_if) = if extend { (", expiresAt = :end", " AND expiresAt <= :end") } else { ("", "") };
        let rotated = self
            .update_device(device)
            .update_expression(format!(
                "SET #session.generation = :next, #session.refreshedAt = :now, #session.expiresAt = :end, \
                 #session.kid = :kid{set}"
            ))
            .condition_expression(format!("#session.generation = :presented AND #session.expiresAt > :second{only_if}"))
            .expression_attribute_names("#session", id.as_str())
            .expression_attribute_values(":presented", n(presented))
            .expression_attribute_values(":next", n(presented + 1))
            .expression_attribute_values(":now", n(next.refreshed_at.millis()))
            .expression_attribute_values(":second", n(next.refreshed_at.seconds()))
            .expression_attribute_values(":end", n(next.expires_at.seconds()))
            .expression_attribute_values(":kid", s(&next.kid))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match rotated {
            Ok(output) => Ok(output.attributes.ok_or(None)),
            Err(error) => Ok(Err(item_in_the_way(error)?)),
        }
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
            let ended =
                if alone { self.forget_device(device, id).await? } else { self.remove_session(device, id).await? };
            let Some(item) = ended else { return Ok(()) };
            let (head, found) = read(item)?;
            if !found.sessions.contains_key(id) {
                return Ok(());
            }
            alone = head.live == 1;
            attempts.lost().await?;
        }
    }

    /// Removes a session that is not the device's only one. Returns the item that the condition failed on, if any.
    async fn remove_session(&self, device: &DeviceId, id: &DeviceSessionId) -> Result<Option<Attributes>, StoreError> {
        let removed = self
            .update_device(device)
            .update_expression("REMOVE #session ADD live :less")
            .condition_expression("attribute_exists(#session) AND live > :one")
            .expression_attribute_names("#session", id.as_str())
            .expression_attribute_values(":less", n(-1))
            .expression_attribute_values(":one", n(1))
            .send()
            .await;
        removed.map_or_else(item_in_the_way, |_| Ok(None))
    }

    /// Deletes a device whose only session is this one. Returns the item that the condition failed on, if any.
    async fn forget_device(&self, device: &DeviceId, id: &DeviceSessionId) -> Result<Option<Attributes>, StoreError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(key(device).attributes()))
            .condition_expression("attribute_exists(#session) AND live = :one")
            .expression_attribute_names("#session", id.as_str())
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        deleted.map_or_else(item_in_the_way, |_| Ok(None))
    }

    fn update_device(&self, device: &DeviceId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key(device).attributes()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
