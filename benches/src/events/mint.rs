//! Session tokens per second on one thread: Greenroom's signer compared with the official `OpenTok` SDK.

use std::{path::Path, process::Command};

use crate::Result;

use crate::events::{
    OPENTOK_API_KEY, OPENTOK_API_SECRET,
    peer::{self, Environment},
};

/// How long each side mints, in seconds.
const SECONDS: &str = "3";
const TURNS: usize = 3;
/// Tokens per second.
pub(crate) struct Mint {
    pub(crate) ours: f64,
    pub(crate) peer: f64,
}

/// Measures both sides in turns, with nothing else running. The signer is a binary with the arguments and the output of
/// the peer's `mint.py`: it takes key, secret, session id and seconds, and prints the number of tokens and the
/// nanoseconds.
pub(crate) fn mint(signer: &Path, environment: &Environment, session_id: &str) -> Result<Mint> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(rate(&mut Command::new(signer), session_id)?);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/django-events/mint.py");
        peer.push(rate(Command::new(environment.program("python")).arg(script), session_id)?);
    }
    Ok(Mint { ours: median(ours)?, peer: median(peer)? })
}

fn rate(command: &mut Command, session_id: &str) -> Result<f64> {
    let output = peer::output(command.args([OPENTOK_API_KEY, OPENTOK_API_SECRET, session_id, SECONDS]))?;
    let (minted, nanoseconds) = output.split_once(' ').ok_or("mint: a number and nanoseconds are wanted")?;
    Ok(minted.parse::<f64>()? / nanoseconds.parse::<f64>()? * 1e9)
}

fn median(mut rates: Vec<f64>) -> Result<f64> {
    rates.sort_by(f64::total_cmp);
    Ok(rates.get(rates.len() / 2).copied().ok_or("nothing was minted")?)
}
