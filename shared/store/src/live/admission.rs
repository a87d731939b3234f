//! Letting viewers in, and recording that they have gone.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::ConnectionId,
    model::live::{LiveConnection, Refusal, Terms, Webhook},
};

use super::{
    change::{Changed, Step},
    peer::behind_put,
};
use crate::{Store, StoreError, media_session, n, transaction::Committed, write::Write};

/// Whether a client that a media server asked about was let in.
pub type Admitted = Result<(), Refusal>;

/// A client that a media server asks about, and how long it may stay.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The media server's webhook about it.
    pub webhook: &'a Webhook,
    /// The time at which the webhook is read.
    pub now: Timestamp,
    /// How long the connection is kept in the list if no further webhook tells of it.
    pub ttl: Duration,
    /// How long the media server lets the client stay; `None` if it sets no end.
    pub lifetime: Option<Duration>,
    /// Whether viewers stay and go without regard to publishers.
    pub keeps_viewers: bool,
}

impl Store {
    /// Lets a viewer in, or refuses them.
    ///
    /// Two requests, one of them a transaction, if the name is new. One more if it is not, and one for a viewer who
    /// chose no name. One less with `keeps_viewers`.
    pub async fn open_live_connection(&self, opening: &Opening<'_>) -> Result<Admitted, StoreError> {
        let Opening { webhook, now, .. } = *opening;
        let Some(terms) = self.terms(opening).await? else { return Ok(Err(Refusal::Held)) };
        let open = |before: Option<&LiveConnection>| match webhook.open(before, now, &terms) {
            Ok(Some(after)) => Step::To(Box::new(after), Ok(())),
            Ok(None) => Step::Stay(Ok(())),
            Err(Refusal::Closed) => match before.and_then(|before| webhook.missed(before)) {
                Some(after) => Step::To(Box::new(after), Err(Refusal::Closed)),
                None => Step::Stay(Err(Refusal::Closed)),
            },
            Err(refusal) => Step::Stay(Err(refusal)),
        };
        let mut with: Vec<_> = media_check(webhook, now).into_iter().collect();
        with.extend(behind_put(webhook, terms.until)?);
        match self.change_live(None, open, with, now).await? {
            Changed::To(admitted) => Ok(admitted),
            Changed::Refused => Ok(Err(Refusal::Taken)),
        }
    }

    /// Whether a viewer would be let in. Writes nothing.
    ///
    /// Two requests, and one for a viewer who chose no name.
    pub async fn would_open(&self, opening: &Opening<'_>) -> Result<Admitted, StoreError> {
        let Opening { webhook, now, .. } = *opening;
        let before = self.live_connection(&webhook.stream, &webhook.name);
        let (terms, before) = tokio::try_join!(self.terms(opening), before)?;
        let Some(terms) = terms else { return Ok(Err(Refusal::Held)) };
        if let Some(check) = media_check(webhook, now)
            && let Committed::No(_) = self.transact(&[check]).await?
        {
            return Ok(Err(Refusal::Taken));
        }
        Ok(webhook.open(before.as_ref(), now, &terms).map(drop))
    }

    /// How long a viewer may stay. `None` if nobody without a name is let in from their address.
    async fn terms(&self, opening: &Opening<'_>) -> Result<Option<Terms>, StoreError> {
        let Opening { webhook, now, ttl, lifetime, keeps_viewers } = *opening;
        let waits = async {
            if keeps_viewers {
                return Ok(false);
            }
            let publishers = self.publishers(&webhook.stream).await?;
            Ok(!publishers.is_some_and(|publishers| publishers.is_live_for(webhook.at)))
        };
        let (waits, banned) = tokio::try_join!(waits, self.is_banned(webhook, now))?;
        Ok((!banned).then(|| Terms::new(now, ttl, lifetime, waits)))
    }

    /// Records that a viewer has gone.
    ///
    /// Two requests; more if the closing came through a proxy, whose address is all that it knows.
    pub async fn close_live_connection(&self, webhook: &Webhook, now: Timestamp) -> Result<(), StoreError> {
        let before = self.live_connection(&webhook.stream, &webhook.name).await?;
        let is_known = before.as_ref().is_some_and(|before| before.is_live(now));
        if !is_known && webhook.may_be_of_a_proxy() && self.close_behind(webhook, now).await? {
            return Ok(());
        }
        self.tell_live(webhook, before, now, |before| webhook.close(before, now)).await
    }

    /// Takes a refused opening back, whether it has been written or is on its way to the table.
    ///
    /// Two requests.
    pub async fn take_back_live_connection(&self, webhook: &Webhook, now: Timestamp) -> Result<(), StoreError> {
        let before = self.live_connection(&webhook.stream, &webhook.name).await?;
        self.tell_live(webhook, before, now, |before| webhook.take_back(before, now)).await
    }

    async fn tell_live(
        &self,
        webhook: &Webhook,
        before: Option<LiveConnection>,
        now: Timestamp,
        step: impl Fn(Option<&LiveConnection>) -> Option<LiveConnection>,
    ) -> Result<(), StoreError> {
        if super::key(&webhook.stream, &webhook.name, false).is_none() {
            return Ok(());
        }
        let step = |before: Option<&LiveConnection>| match step(before) {
            Some(after) => Step::To(Box::new(after), ()),
            None => Step::Stay(()),
        };
        // No other write has a condition here, so this is never refused.
        self.change_live(before, step, Vec::new(), now).await.map(drop)
    }
}

/// A condition that no token of a media session has the name. Those tokens lie elsewhere.
fn media_check(webhook: &Webhook, now: Timestamp) -> Option<Write> {
    let session = webhook.stream.media_session()?;
    let key = media_session::connection_key(&session, &ConnectionId::parse(webhook.name.as_str())?);
    Some(Write::check(key).when("attribute_not_exists(PK) OR expiresAt <= :now").value(":now", n(now.seconds())))
}
