//! The summary: the figures of both sides, their ratios, and the targets for the ratios.

use crate::{Result, client::CONNECTIONS, samples::milliseconds};

use crate::events::{
    TURNS,
    load::{Load, TURN},
    mint::Mint,
    task::Task,
};

const MIN_RATE: f64 = 10.0;
const MAX_CPU: f64 = 0.1;
const MIN_MINT: f64 = 20.0;

/// Prints the summary. The loads alternate between Greenroom and the peer, one pair for each task.
pub(crate) fn print(loads: &[Load], mint: &Mint) -> Result<()> {
    println!("\n{CONNECTIONS} connections, {TURNS} turns of {} s each; rates and processor are", TURN.as_secs());
    println!("the median turn's, the processor that of all processes of the server\n");
    for load in loads {
        figures(load);
    }
    println!();
    for pair in loads.chunks_exact(2) {
        let [ours, peer] = pair else { return Err("a task was measured on one side only".into()) };
        let (rate, cpu) = ratios(ours, peer);
        println!("{:<20} greenroom : peer  requests/s {rate:>7.2}  processor {cpu:>6.3}", ours.task().name());
    }
    println!("\nmint  greenroom {:.0} tokens/s, SDK {:.0}, on one thread", mint.ours, mint.peer);
    println!("\ntargets");
    for pair in loads.chunks_exact(2) {
        let [ours, peer] = pair else { continue };
        if ours.task() == Task::Enter {
            let (rate, cpu) = ratios(ours, peer);
            verdict("rtcsessions, requests/s", rate, "at least", MIN_RATE, rate >= MIN_RATE);
            verdict("rtcsessions, processor a request", cpu, "at most", MAX_CPU, cpu <= MAX_CPU);
        }
    }
    let ratio = mint.ours / mint.peer;
    verdict("mint, tokens/s", ratio, "at least", MIN_MINT, ratio >= MIN_MINT);
    Ok(())
}

fn figures(load: &Load) {
    println!(
        "{:<10} {:<20} {:>7.0} requests/s  p50 {:>10}  p99 {:>10}  processor {} a request",
        load.side(),
        load.task().name(),
        load.rate(),
        milliseconds(load.latency().median()),
        milliseconds(load.latency().percentile(99)),
        milliseconds(load.cpu()),
    );
}

fn ratios(ours: &Load, peer: &Load) -> (f64, f64) {
    (ours.rate() / peer.rate(), ours.cpu().as_secs_f64() / peer.cpu().as_secs_f64())
}

fn verdict(measure: &str, value: f64, bound: &str, target: f64, met: bool) {
    let met = if met { "met" } else { "NOT MET" };
    println!("  {measure:<34} {value:>7.3}  {bound} {target:>6.2} of the peer's  {met}");
}
