//! Where a partition, a table or an account is full.

use std::fmt::Write;

use super::{
    Row,
    document::Inputs,
    event::{LOOKS_A_SECOND, ONE_ROOM, STREAM, listed},
    money::{JOINS, number, units},
};

/// What an item costs that is smaller than a unit.
const READ: f64 = 1.0;
const WRITE: f64 = 1.0;
const WRITE_OF_TRANSACTION: f64 = 2.0;
/// How many partitions a kind is spread over.
const SHARDS: f64 = 16.0;

pub(super) fn partitions(rows: &[Row], inputs: &Inputs) -> String {
    let (wcu, rcu) =
        (inputs.of("write units a second of a partition"), inputs.of("read units a second of a partition"));
    let people = inputs.of("participants");
    let look = units(rows, STREAM, ONE_ROOM).0 * LOOKS_A_SECOND;
    let join = units(rows, "POST /api/v2/rtcsessions", JOINS).1;
    let goes = units(rows, "POST /webhooks/opentok", "a client goes").1;
    let token = units(rows, "POST /api/tokens", "the first of its session").1;
    let list = listed(rows) * people / SHARDS;
    let entry_and_head = 2.0 * WRITE_OF_TRANSACTION;
    let lines = [
        (
            "the functions' concurrency, as accounts begin",
            "a stream that is open",
            "1 execution".to_owned(),
            inputs.of("concurrent executions of an account"),
            "streams",
        ),
        (
            "a new table",
            "a stream that looks, of one room",
            format!("{look} reads a second"),
            inputs.of("read units a second of a new table") / look,
            "streams",
        ),
        (
            "`ROOMARCHIVE#<room>`, its head",
            "a stream that looks",
            format!("{} reads a second", READ * LOOKS_A_SECOND),
            rcu / (READ * LOOKS_A_SECOND),
            "streams in one room",
        ),
        (
            "a table, as its quota begins",
            "a stream that looks, of one room",
            format!("{look} reads a second"),
            inputs.of("units a second of a table") / look,
            "streams",
        ),
        (
            "`ROOMARCHIVE#<room>`",
            "a message: an entry and the head",
            format!("{entry_and_head} writes"),
            wcu / entry_and_head,
            "messages a second in one room",
        ),
        (
            "`ARCHIVE#<user>`",
            "a message: an entry and the head",
            format!("{entry_and_head} writes"),
            wcu / entry_and_head,
            "messages a second to one user",
        ),
        (
            "`LIVE#<vhost>/<event>#<shard>`, 16 of them",
            "a join of two sessions",
            format!("{join} writes"),
            SHARDS * wcu / join,
            "joins a second of one event",
        ),
        (
            "a new table",
            "a join of two sessions",
            format!("{join} writes"),
            inputs.of("write units a second of a new table") / join,
            "joins a second",
        ),
        (
            "`LIVE#…#<shard>` and `LEDGER#…#<shard>`, 16 of each",
            "OpenTok says that somebody went",
            format!("{goes} writes"),
            SHARDS * wcu / goes,
            "webhooks a second of one event",
        ),
        (
            "`LIVE#…#<shard>`",
            "a list of all participants",
            format!("{list:.0} reads of each"),
            rcu / list,
            "lists a second",
        ),
        (
            "`LOGINTOKEN#<sha256>`",
            "an instance that serves joins, every 5 seconds",
            format!("{READ} read"),
            rcu * 5.0 / READ,
            "instances",
        ),
        (
            "`MEDIA#<shard>`",
            "a token of one media session",
            format!("{token} writes"),
            wcu / token,
            "tokens a second of one session",
        ),
        ("`COUNTER#<name>`", "a record is made", format!("{WRITE} write"), wcu / WRITE, "records a second of a kind"),
    ];
    let head = "| what is full | of what | each takes | at |\n|---|---|---|---|\n";
    lines.into_iter().fold(head.to_owned(), |mut text, (place, load, each, at, of)| {
        let _ = writeln!(text, "| {place} | {load} | {each} | {} {of} |", number(at.floor()));
        text
    })
}
