//! Conflicts of transactions: `DynamoDB` cancels a transaction that touches an item of one in flight, and refuses a
//! single write to such an item. The embedded store finishes each transaction before it starts the next, so none ever
//! conflicts. Here each transaction holds its items for a time.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use super::wire::{Answer, Request};

/// The actions that contain an item in a transaction.
const ACTIONS: [&str; 4] = ["ConditionCheck", "Delete", "Put", "Update"];

/// The items of the transactions in flight.
#[derive(Default)]
pub(super) struct Held {
    items: Mutex<HashSet<String>>,
    time: Mutex<Option<Duration>>,
}

/// The decision about a request.
pub(super) enum Admission<'a> {
    /// The request may go on, and no transaction is held.
    Free,
    /// The request may go on. Its items are held until this is dropped, at least for this time.
    Holding(Hold<'a>, Duration),
    /// The request is refused with this answer.
    Refused(Answer),
}

/// The items of a transaction in flight.
pub(super) struct Hold<'a> {
    held: &'a Held,
    items: Vec<String>,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut held = self.held.items.lock().unwrap_or_else(PoisonError::into_inner);
        self.items.iter().for_each(|item| {
            held.remove(item);
        });
    }
}

impl Held {
    /// From now on each transaction holds its items for this time. `None` turns holding off.
    pub(super) fn set_time(&self, time: Option<Duration>) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Decides whether a request conflicts with a transaction in flight. If the request is a transaction, its items are
    /// held. Reads never conflict, and the writes of a batch are not checked.
    pub(super) fn admit(&self, request: &Request) -> Admission<'_> {
        let Some(time) = *self.time.lock().unwrap_or_else(PoisonError::into_inner) else { return Admission::Free };
        let asked = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        match &*request.operation {
            "TransactWriteItems" => {
                let asked = asked();
                let items: Vec<_> = asked["TransactItems"].as_array().into_iter().flatten().map(item_of).collect();
                let mut held = self.items.lock().unwrap_or_else(PoisonError::into_inner);
                if items.iter().any(|item| held.contains(item)) {
                    return Admission::Refused(met(&items, &held));
                }
                held.extend(items.iter().cloned());
                Admission::Holding(Hold { held: self, items }, time)
            }
            _ if request.writes_one() => {
                let held = self.items.lock().unwrap_or_else(PoisonError::into_inner);
                if held.contains(&name(&asked())) {
                    return Admission::Refused(Answer::error(400, "TransactionConflictException", &Value::Null));
                }
                Admission::Free
            }
            _ => Admission::Free,
        }
    }
}

/// The item that a part of a transaction touches.
fn item_of(part: &Value) -> String {
    ACTIONS.iter().find_map(|action| part.get(action)).map(name).unwrap_or_default()
}

/// The identity of an item: its table and its key.
fn name(action: &Value) -> String {
    let key = action.get("Key").or_else(|| action.get("Item")).unwrap_or(&Value::Null);
    json!([action["TableName"], key["PK"], key["SK"]]).to_string()
}

fn met(items: &[String], held: &HashSet<String>) -> Answer {
    let reason = |item| json!({ "Code": if held.contains(item) { "TransactionConflict" } else { "None" } });
    let reasons: Vec<_> = items.iter().map(reason).collect();
    Answer::error(400, "TransactionCanceledException", &json!({ "CancellationReasons": reasons }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: &str, body: &Value) -> Request {
        Request { operation: operation.to_owned(), headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    fn put(name: &str) -> Value {
        json!({ "TableName": "t", "Item": { "PK": { "S": name }, "SK": { "S": "#" }, "count": { "N": "1" } } })
    }

    fn key(name: &str) -> Value {
        json!({ "TableName": "t", "Key": { "SK": { "S": "#" }, "PK": { "S": name } } })
    }

    fn refusal(admission: Admission<'_>) -> Value {
        let Admission::Refused(answer) = admission else { return Value::Null };
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn a_request_for_an_item_of_a_transaction_in_flight_is_refused_until_it_ends() {
        let held = Held::default();
        let first =
            request("TransactWriteItems", &json!({ "TransactItems": [{ "Put": put("a") }, { "Put": put("b") }] }));
        assert!(matches!(held.admit(&first), Admission::Free));
        held.set_time(Some(Duration::from_millis(8)));
        let admitted = held.admit(&first);
        assert!(matches!(admitted, Admission::Holding(..)));
        let second = json!({ "TransactItems": [{ "ConditionCheck": key("b") }, { "Update": key("c") }, { "Delete": key("a") }] });
        let second = request("TransactWriteItems", &second);
        let codes = |body: Value| {
            let reasons = body["CancellationReasons"].as_array().cloned().unwrap_or_default();
            reasons.iter().map(|reason| reason["Code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(codes(refusal(held.admit(&second))), ["TransactionConflict", "None", "TransactionConflict"]);
        let code = refusal(held.admit(&request("UpdateItem", &key("a"))))["__type"].clone();
        assert!(code.as_str().unwrap().ends_with("#TransactionConflictException"));
        for (operation, body) in
            [("UpdateItem", key("c")), ("PutItem", put("c")), ("GetItem", key("a")), ("Query", key("a"))]
        {
            assert!(matches!(held.admit(&request(operation, &body)), Admission::Free), "{operation}");
        }
        drop(admitted);
        assert!(matches!(held.admit(&second), Admission::Holding(..)));
    }
}
