//! The cost of an event that everybody attends.

use std::fmt::Write;

use super::{
    Row,
    document::Inputs,
    money::{Bill, IN_ROOM, JOINS, JOINS_ANEW, Kind, number, table_usd, units},
};

pub(super) const STREAM: &str = "GET /api/sse";
pub(super) const ONE_ROOM: &str = "a look at one room, nothing new";
/// How often a stream reads the table.
pub(super) const LOOKS_A_SECOND: f64 = 2.0;
/// The read units that one more connection adds to listing a stream.
pub(super) fn listed(rows: &[Row]) -> f64 {
    let list = |many: &str| {
        let route = "GET /v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions";
        units(rows, route, &format!("an event's session with {many}")).0
    };
    (list("1000") - list("10")) / 990.0
}

pub(super) fn event(rows: &[Row], inputs: &Inputs) -> String {
    let people = inputs.of("participants");
    let seconds = inputs.of("hours of the event") * 3600.0;
    let joins = people * inputs.of("joins of a participant");
    let connections = joins * inputs.of("sessions that a participant connects to");
    let refills = inputs.of("instances that serve joins") * seconds / 5.0;
    let (again, anew) =
        (units(rows, "POST /api/v2/rtcsessions", JOINS), units(rows, "POST /api/v2/rtcsessions", JOINS_ANEW));
    let looks_of_operators = inputs.of("operators") * seconds / inputs.of("seconds between two lists of an operator");
    let messages = people * inputs.of("messages of a participant");
    let refill = Bill { table: table_usd(anew.0 - again.0, 0.0, inputs) * refills / 1e6, ..Bill::default() };
    let plain = |route: &str, case: &str, times: f64| Bill::of(units(rows, route, case), Kind::Plain, times, inputs);
    let lines = [
        ("participants join", joins, plain("POST /api/v2/rtcsessions", JOINS, joins)),
        ("instances read the event again", refills, refill),
        (
            "OpenTok says that somebody came",
            connections,
            plain("POST /webhooks/opentok", "a client comes", connections),
        ),
        ("OpenTok says that somebody went", connections, plain("POST /webhooks/opentok", "a client goes", connections)),
        ("operators list all of them", looks_of_operators, {
            let list = (16.0 + listed(rows) * people, 0.0);
            Bill::of(list, Kind::Plain, looks_of_operators, inputs)
        }),
        ("messages are written in rooms", messages, plain("POST /api/rooms/{id}/messages", IN_ROOM, messages)),
        ("pages of rooms are read", people, plain("GET /api/rooms/{id}/messages", "50", people)),
    ];
    let head = "| what | how often | table | HTTP API | Lambda | logs | USD |\n|---|---:|---:|---:|---:|---:|---:|\n";
    let mut text = head.to_owned();
    let mut all = Bill::default();
    for (what, times, bill) in lines {
        all = all.plus(bill);
        let _ = writeln!(text, "| {what} | {} | {} |", number(times), bill.cells());
    }
    let _ = writeln!(text, "| **without streams** | | {} |", all.cells());
    with_streams(text, all, rows, inputs)
}

/// The same text, with the cost of the open streams.
fn with_streams(mut text: String, others: Bill, rows: &[Row], inputs: &Inputs) -> String {
    let seconds = inputs.of("hours of the event") * 3600.0;
    let look = units(rows, STREAM, ONE_ROOM);
    for share in [0.1, 1.0] {
        let streams = inputs.of("participants") * share;
        let beginnings = streams * seconds / inputs.of("seconds of a stream");
        let looks = streams * seconds * LOOKS_A_SECOND;
        let gb_seconds = streams * seconds * inputs.of("MB of a function") / 1024.0;
        let open = Bill {
            table: table_usd(look.0, look.1, inputs) * looks / 1e6,
            lambda: gb_seconds * inputs.of("a GB-second of Lambda"),
            ..Bill::default()
        };
        let first = Bill::of(units(rows, STREAM, "begun, by who is in one room"), Kind::Stream, beginnings, inputs);
        let open = open.plus(first);
        let _ = writeln!(
            text,
            "| {} listen to `/api/sse`, in one room each | {} looks | {} |",
            number(streams),
            number(looks),
            open.cells()
        );
        let all = others.plus(open);
        let of_streams = 100.0 * open.all() / all.all();
        let _ = writeln!(text, "| **with them** | {of_streams:.1} % of it streams | {} |", all.cells());
    }
    text
}
