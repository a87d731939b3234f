//! Counters of wrong passwords and login tokens (`docs/apis/access.md`). Their keys and values are hashed with the
//! deployment's key, so the table holds no addresses, account names or entered values for them.

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, ReturnValue},
};
use greenroom_core::{
    clock::Timestamp,
    id::{DeviceKey, hex},
    model::guesses::{
        JOINED_FOR, JOINED_MAX, OF_ACCOUNT, OF_ADDRESS, OF_JOINER, OF_PAIR, PasswordGuesses, RIGHT_FOR, SourceAddress,
        TokenGuesses, WINDOW, Wrong,
    },
    password::PasswordHash,
};
use std::time::Duration;

use super::{
    Attributes, Item, Key, Store, StoreError,
    attempts::Attempts,
    n,
    password::{Password, password_key},
    s,
    write::Write,
};

/// The number of bytes that are kept of a value's hash: enough to tell a hundred values apart.
const VALUE_BYTES: usize = 4;
/// The sort key of a counter.
const COUNTER: &str = "GUESSES";
/// The prefix of the sort keys of login tokens that joined.
const JOINED: &str = "JOINED#";

/// The three counters that a wrong password of a request counts in.
struct Counted {
    pair: Key,
    account: Key,
    address: Key,
}

impl Counted {
    fn of(key: &DeviceKey, account: &str, source: SourceAddress) -> Self {
        let address = source.counted();
        Self {
            pair: counter(key, &["pair", account, &address]),
            account: counter(key, &["account", account]),
            address: counter(key, &["address", &address]),
        }
    }
}

fn counter(key: &DeviceKey, what: &[&str]) -> Key {
    Key { pk: format!("GUESSES#{}", hex(&key.digest("guesses", what)[..16])), sk: COUNTER.to_owned() }
}

fn joiner(key: &DeviceKey, source: SourceAddress) -> Key {
    counter(key, &["joiner", &source.counted()])
}

/// The shortened hash by which a counter knows a value.
fn value(key: &DeviceKey, what: &[&str]) -> Blob {
    Blob::new(&key.digest("guess", what)[..VALUE_BYTES])
}

fn number(item: &Attributes, name: &str) -> i64 {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn wrong_in(item: &Attributes) -> Wrong {
    let count = item.get("wrong").and_then(|values| values.as_bs().ok()).map_or(0, Vec::len);
    Wrong { count, until: Timestamp::from_seconds(number(item, "wrongUntil")) }
}

impl Store {
    /// The hash of a user's password, and the wrong passwords for an account and from an address. One request.
    pub async fn password_and_guesses(
        &self,
        user: Option<u64>,
        account: &str,
        source: SourceAddress,
    ) -> Result<(Option<PasswordHash>, PasswordGuesses), StoreError> {
        let counted = Counted::of(self.device_key().await?, account, source);
        let [pair, of_account, address] = [&counted.pair, &counted.account, &counted.address].map(|key| s(&key.pk));
        let keys = [counted.pair, counted.account, counted.address].into_iter().chain(user.map(password_key));
        let mut guesses = PasswordGuesses::default();
        let mut hash = None;
        for item in self.batch(keys.map(Key::attributes).collect()).await? {
            let partition = item.get("PK");
            if partition == Some(&pair) {
                guesses.of_pair = wrong_in(&item);
                guesses.right_until = Timestamp::from_seconds(number(&item, "rightUntil"));
            } else if partition == Some(&of_account) {
                guesses.of_account = wrong_in(&item);
            } else if partition == Some(&address) {
                guesses.of_address = wrong_in(&item);
            } else {
                let Password { hash: found } = serde_dynamo::from_item(item)?;
                hash = Some(found);
            }
        }
        Ok((hash, guesses))
    }

    /// Counts a wrong password. If a counter had enough already, returns how long further attempts are refused. Three
    /// requests at once, up to three more at the beginning of a window.
    pub async fn count_wrong_password(
        &self,
        (account, source): (&str, SourceAddress),
        password: &str,
        known: bool,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let key = self.device_key().await?;
        let counted = Counted::of(key, account, source);
        let (password, name) = (value(key, &["password", account, password]), value(key, &["account", account]));
        let (of_pair, of_account, of_address) = tokio::try_join!(
            self.count_value(&counted.pair, &password, OF_PAIR, now),
            self.count_value(&counted.account, &password, OF_ACCOUNT, now),
            self.count_value(&counted.address, &name, OF_ADDRESS, now),
        )?;
        let full = |counted: Result<Wrong, Wrong>| counted.err().map(|wrong| wrong.until.since(now));
        let others = full(of_account).max(full(of_address)).filter(|_| !known);
        Ok(full(of_pair).max(others))
    }

    /// Forgets the wrong passwords for an account from an address, and remembers that a right one came from there. If
    /// too many wrong ones came in the meantime, the right one may be a guess too: then it returns how long further
    /// attempts are refused. One request.
    pub async fn note_right_password(
        &self,
        account: &str,
        source: SourceAddress,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let key = Counted::of(self.device_key().await?, account, source).pair;
        let change = "SET rightUntil = :end, expiresAt = :end, #type = :type REMOVE wrong, wrongUntil";
        let noted = Write::update(key, change)
            .when("attribute_not_exists(wrongUntil) OR wrongUntil <= :now OR size(wrong) < :enough")
            .name("#type", "Type")
            .value(":type", s("Guesses"))
            .value(":end", n((now + RIGHT_FOR).seconds()))
            .value(":now", n(now.seconds()))
            .value(":enough", n(OF_PAIR))
            .returning_on_failure();
        let Err(found) = self.write(noted).await? else { return Ok(None) };
        let wrong = found.as_ref().map(wrong_in).unwrap_or_default();
        Ok(Some(wrong.until.since(now)))
    }

    /// The wrong login tokens from an address. One request, and one more if there were many.
    pub async fn token_guesses(&self, source: SourceAddress, now: Timestamp) -> Result<TokenGuesses, StoreError> {
        let key = joiner(self.device_key().await?, source);
        let partition = key.pk.clone();
        let wrong = self.attributes(key).await?.as_ref().map(wrong_in).unwrap_or_default();
        let matters = wrong.wait(OF_JOINER, now).is_some();
        let joined = if matters {
            self.query(partition).prefix(JOINED).unexpired(now).limit(JOINED_MAX).count().await?
        } else {
            0
        };
        Ok(TokenGuesses { wrong, joined })
    }

    /// Counts a wrong login token. Returns the count, as `Err` if there were enough already. One request, one more at
    /// the beginning of a window.
    pub async fn count_wrong_token(
        &self,
        source: SourceAddress,
        token: &str,
        enough: usize,
        now: Timestamp,
    ) -> Result<Result<Wrong, Wrong>, StoreError> {
        let key = self.device_key().await?;
        self.count_value(&joiner(key, source), &value(key, &["token", token]), enough, now).await
    }

    /// Notes that a login token joined from an address that sent wrong ones. One request.
    pub async fn note_joined(&self, source: SourceAddress, token: u64, now: Timestamp) -> Result<(), StoreError> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Joined {
            expires_at: i64,
        }
        let key = Key { sk: format!("{JOINED}{token}"), ..joiner(self.device_key().await?, source) };
        let entity = &Joined { expires_at: (now + JOINED_FOR).seconds() };
        self.write(Item { key, kind: "Joined", entity }.put()?).await.map(drop)
    }

    /// Counts a value, once. `Err` if the window had enough values already.
    async fn count_value(
        &self,
        key: &Key,
        value: &Blob,
        enough: usize,
        now: Timestamp,
    ) -> Result<Result<Wrong, Wrong>, StoreError> {
        let mut begins = None;
        let mut attempts = Attempts::default();
        loop {
            let key = Key { pk: key.pk.clone(), sk: key.sk.clone() };
            let counting = match begins {
                None => Write::update(key, "ADD wrong :one")
                    .when("wrongUntil > :now AND (size(wrong) < :enough OR contains(wrong, :value))")
                    .value(":enough", n(enough))
                    .value(":value", AttributeValue::B(value.clone())),
                // The item may have to stay longer for its `rightUntil`.
                Some(kept) => {
                    Write::update(key, "SET wrong = :one, wrongUntil = :end, expiresAt = :kept, #type = :type")
                        .when("attribute_not_exists(wrongUntil) OR wrongUntil <= :now")
                        .name("#type", "Type")
                        .value(":type", s("Guesses"))
                        .value(":end", n((now + WINDOW).seconds()))
                        .value(":kept", n(kept))
                }
            };
            let counting = counting
                .value(":one", AttributeValue::Bs(vec![value.clone()]))
                .value(":now", n(now.seconds()))
                .returning(ReturnValue::AllNew)
                .returning_on_failure();
            let in_the_way = match self.write(counting).await? {
                Ok(counted) => return Ok(Ok(wrong_in(&counted))),
                Err(found) => found.unwrap_or_default(),
            };
            let wrong = wrong_in(&in_the_way);
            if begins.is_none() && wrong.any(now) {
                return Ok(Err(wrong));
            }
            let end = (now + WINDOW).seconds();
            begins = if begins.is_none() { Some(end.max(number(&in_the_way, "rightUntil"))) } else { None };
            attempts.again()?;
        }
    }
}
