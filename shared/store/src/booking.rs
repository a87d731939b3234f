//! Bookings. An unsent booking lies in the shards of its kind, where a list finds it. When its mail is out, it moves to
//! a partition of its own, so that no list reads it again.

use greenroom_core::{clock::Timestamp, id::BookingId, model::Booking};

use super::{Item, Key, Store, StoreError, shard, transaction::Committed, write::Write};

const UNSENT: &str = "BOOKINGS";

fn unsent_key(id: &BookingId) -> Key {
    Key { pk: format!("{UNSENT}#{}", shard(id.as_str())), sk: id.to_string() }
}

fn sent_key(id: &BookingId) -> Key {
    Key { pk: format!("BOOKING#{id}"), sk: "BOOKING".to_owned() }
}

impl Store {
    /// Stores a new booking as unsent. This is a transaction, so an attempt that arrives late cannot have the mail sent
    /// again.
    pub async fn insert_booking(&self, booking: &Booking) -> Result<(), StoreError> {
        let put = Item { key: unsent_key(&booking.id), kind: "Booking", entity: booking }.put()?;
        self.transact(&[put]).await.map(drop)
    }

    /// The unsent booking of this id.
    pub async fn unsent_booking(&self, id: &BookingId) -> Result<Option<Booking>, StoreError> {
        self.item(unsent_key(id)).await
    }

    /// The sent booking of this id.
    pub async fn sent_booking(&self, id: &BookingId) -> Result<Option<Booking>, StoreError> {
        self.item(sent_key(id)).await
    }

    /// All unsent bookings, in the order in which they were made.
    pub async fn unsent_bookings(&self) -> Result<Vec<Booking>, StoreError> {
        let items = self.items_of_kind(UNSENT).await?;
        let mut bookings: Vec<Booking> = items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?;
        bookings.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(bookings)
    }

    /// Marks an unsent booking as sent. Returns `false` if it is no longer unsent, for example because another request
    /// has marked it.
    pub async fn booking_sent(&self, booking: &Booking, now: Timestamp) -> Result<bool, StoreError> {
        let sent = Booking { sent_at: Some(now), ..booking.clone() };
        let put = Item { key: sent_key(&booking.id), kind: "SentBooking", entity: &sent }.put()?;
        let moved = [Write::delete(unsent_key(&booking.id)).when_there(), put];
        Ok(matches!(self.transact(&moved).await?, Committed::Yes))
    }
}
