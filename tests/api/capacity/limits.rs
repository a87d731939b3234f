//! The point at which a partition, a table or an account is full.

use std::fmt::Write;

use super::{
    Row,
    document::Inputs,
    event::{LOOKS_A_SECOND, ONE_ROOM, STREAM, listed},
    money::{JOINS, number, units},
};

/// The cost of an item that is smaller than one unit.
const READ: f64 = 1.0;
const WRITE: f64 = 1.0;
const WRITE_OF_TRANSACTION: f64 = 2.0;
/// The number of partitions over which a kind is spread.
const SHARDS: f64 = 16.0;

/// A consumer of a resource, and the number of consumers at which the resource is full.
struct Limit {
    place: &'static str,
    load: &'static str,
    each: String,
    at: f64,
    of: &'static str,
}

fn limit(place: &'static str, load: &'static str, each: String, at: f64, of: &'static str) -> Limit {
    Limit { place, load, each, at, of }
}

pub(super) fn partitions(rows: &[Row], inputs: &Inputs) -> String {
    let head = "| what is full | of what | each takes | at |\n|---|---|---|---|\n";
    let limits = [of_streams(rows, inputs), of_messages(inputs), of_joins(rows, inputs), of_records(rows, inputs)];
    limits.into_iter().flatten().fold(head.to_owned(), |mut text, Limit { place, load, each, at, of }| {
        let _ = writeln!(text, "| {place} | {load} | {each} | {} {of} |", number(at.floor()));
        text
    })
}

fn of_streams(rows: &[Row], inputs: &Inputs) -> Vec<Limit> {
    const LOOK: &str = "a stream that looks, of one room";
    let look = units(rows, STREAM, ONE_ROOM).0 * LOOKS_A_SECOND;
    let of_mark = READ * LOOKS_A_SECOND;
    let each = format!("{look} reads a second");
    let accounts = inputs.of("concurrent executions of an account");
    let new = inputs.of("read units a second of a new table") / look;
    let marks = inputs.of("read units a second of a partition") / of_mark;
    let quota = inputs.of("units a second of a table") / look;
    let place = "the functions' concurrency, as accounts begin";
    let room = "`ROOMARCHIVE#<room>`, its high-water mark";
    vec![
        limit(place, "a stream that is open", "1 execution".to_owned(), accounts, "streams"),
        limit("a new table", LOOK, each.clone(), new, "streams"),
        limit(room, "a stream that looks", format!("{of_mark} reads a second"), marks, "streams in one room"),
        limit("a table, as its quota begins", LOOK, each, quota, "streams"),
    ]
}

fn of_messages(inputs: &Inputs) -> Vec<Limit> {
    const MESSAGE: &str = "a message: an entry and the high-water mark";
    let writes = 2.0 * WRITE_OF_TRANSACTION;
    let at = inputs.of("write units a second of a partition") / writes;
    let each = format!("{writes} writes");
    vec![
        limit("`ROOMARCHIVE#<room>`", MESSAGE, each.clone(), at, "messages a second in one room"),
        limit("`ARCHIVE#<user>`", MESSAGE, each, at, "messages a second to one user"),
    ]
}

fn of_joins(rows: &[Row], inputs: &Inputs) -> Vec<Limit> {
    const JOIN: &str = "a join of two sessions";
    let (writes, reads) =
        (inputs.of("write units a second of a partition"), inputs.of("read units a second of a partition"));
    let join = units(rows, "POST /api/v2/rtcsessions", JOINS).1;
    let goes = units(rows, "POST /webhooks/opentok", "a client goes").1;
    let list = listed(rows) * inputs.of("participants") / SHARDS;
    let each = format!("{join} writes");
    let new = inputs.of("write units a second of a new table") / join;
    let live = "`LIVE#<vhost>/<event>#<shard>`, 16 of them";
    let told = "OpenTok says that somebody went";
    let both = "`LIVE#…#<shard>` and `LEDGER#…#<shard>`, 16 of each";
    let webhooks = "webhooks a second of one event";
    let reading = "an instance that serves joins, every 5 seconds";
    vec![
        limit(live, JOIN, each.clone(), SHARDS * writes / join, "joins a second of one event"),
        limit("a new table", JOIN, each, new, "joins a second"),
        limit(both, told, format!("{goes} writes"), SHARDS * writes / goes, webhooks),
        limit(live, "a list of all participants", format!("{list:.0} reads of each"), reads / list, "lists a second"),
        limit("`LOGINTOKEN#<sha256>`", reading, format!("{READ} read"), reads * 5.0 / READ, "instances"),
    ]
}

fn of_records(rows: &[Row], inputs: &Inputs) -> Vec<Limit> {
    let writes = inputs.of("write units a second of a partition");
    let token = units(rows, "POST /api/tokens", "the first of its session").1;
    let tokens = "tokens a second of one session";
    let records = "records a second of a kind";
    vec![
        limit("`MEDIA#<shard>`", "a token of one media session", format!("{token} writes"), writes / token, tokens),
        limit("`COUNTER#<name>`", "a record is made", format!("{WRITE} write"), writes / WRITE, records),
    ]
}
