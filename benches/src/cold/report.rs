//! The table, the ratios with their targets, and the samples.

use std::{fmt::Write, fs, path::Path, time::Duration};

use crate::{
    Result, build,
    cold::{
        COMPARED, Options,
        peers::{NODE, PYTHON, STOCK},
        plot,
        subject::{Figures, Measure, Subject},
    },
    machine,
};

/// Megabytes as in a data sheet.
const MB: f64 = 1_000_000.0;
const MAX_ZIP_MB: f64 = 3.0;
/// The measured figures are written between these marks; the text around them stays.
const BEGIN: &str = "<!-- measured: written by `cargo run --release -p bench -- cold --write` -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// Prints the figures, and writes them with the samples and the plot.
pub(crate) fn publish(functions: &[Subject], peers: &[Subject], versions: &[String], options: &Options) -> Result<()> {
    let measured = markdown(functions, peers, versions, options)?;
    println!("\n{measured}");
    let ours = functions.iter().find(|subject| subject.name == COMPARED).ok_or("nothing to compare")?;
    let compared: Vec<_> = std::iter::once(ours).chain(peers).collect();
    let files = [("cold-start.csv", samples(functions, peers)?), ("cold-start.svg", plot::draw(&compared, functions)?)];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let directory = if options.write { docs } else { build::target_directory()?.join("bench") };
    for (name, content) in files {
        fs::write(directory.join(name), content)?;
    }
    if options.write {
        let path = directory.join("cold-start.md");
        let text = fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(BEGIN).ok_or("cold-start.md does not say where the figures go")?;
        let (_, after) = rest.split_once(END).ok_or("cold-start.md does not say where the figures end")?;
        fs::write(&path, format!("{before}{BEGIN}\n{measured}\n{END}{after}"))?;
    }
    println!("samples and plot: {}/cold-start.{{csv,svg}}", directory.display());
    Ok(())
}

fn markdown(functions: &[Subject], peers: &[Subject], versions: &[String], options: &Options) -> Result<String> {
    let ours = functions.iter().find(|subject| subject.name == COMPARED).ok_or("nothing to compare")?;
    let mut text = format!(
        "Medians of {} starts and of {} warm requests; times in milliseconds.\n\n### {COMPARED} beside the same work\n\n",
        options.starts, options.warm
    );
    compared(&mut text, ours, peers)?;
    targets(&mut text, ours, functions, peers)?;
    text.push_str("\n### Every function\n\n");
    every(&mut text, functions)?;
    text.push_str("\n### Measured with\n\n");
    for line in machine::description()?.iter().chain(versions) {
        writeln!(text, "- {line}")?;
    }
    Ok(text)
}

fn compared(text: &mut String, ours: &Subject, peers: &[Subject]) -> Result<()> {
    let subjects: Vec<_> = std::iter::once(ours).chain(peers).collect();
    let row = |text: &mut String, name: &str, value: &dyn Fn(&Subject) -> String| {
        let cells: Vec<_> = subjects.iter().map(|subject| value(subject)).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | "))
    };
    row(text, "", &|subject| subject.name.clone())?;
    row(text, "---", &|_| "---:".to_owned())?;
    row(text, "init", &|subject| ms(wall(&subject.figures.init)))?;
    row(text, "init, slowest tenth from", &|subject| ms(subject.figures.init.wall.percentile(90)))?;
    row(text, "init, CPU", &|subject| ms(cpu(&subject.figures.init)))?;
    row(text, "first request", &|subject| ms(wall(&subject.figures.first)))?;
    row(text, "first request, slowest tenth from", &|subject| ms(subject.figures.first.wall.percentile(90)))?;
    row(text, "first request, CPU", &|subject| ms(cpu(&subject.figures.first)))?;
    row(text, "init and first request", &|subject| ms(cold(&subject.figures)))?;
    row(text, "warm request, CPU (mean)", &|subject| ms(warm_cpu(&subject.figures)))?;
    row(text, "warm request, p50", &|subject| ms(wall(&subject.figures.warm)))?;
    row(text, "warm request, p99", &|subject| ms(subject.figures.warm.wall.percentile(99)))?;
    row(text, "resident, MB", &|subject| format!("{:.1}", megabytes(subject.figures.resident)))?;
    Ok(())
}

fn targets(text: &mut String, ours: &Subject, functions: &[Subject], peers: &[Subject]) -> Result<()> {
    let peer = |name: &str| {
        let peer = peers.iter().find(|peer| peer.name == name);
        peer.map(|peer| &peer.figures).ok_or_else(|| format!("{name} was not measured"))
    };
    let (node, python, stock) = (peer(NODE)?, peer(PYTHON)?, peer(STOCK)?);
    let slowest = functions.iter().map(|subject| wall(&subject.figures.init)).max().unwrap_or_default();
    text.push_str("\n| target | measured | at most | |\n|---|---:|---:|---|\n");
    let mut line = |what: &str, part: Duration, whole: Duration, most: f64| {
        let ratio = part.as_secs_f64() / whole.as_secs_f64();
        writeln!(text, "| {what} | {ratio:.3} | {most:.2} | {} |", verdict(ratio <= most))
    };
    line("init, of Node.js's", wall(&ours.figures.init), wall(&node.init), 0.2)?;
    line("init of the slowest function, of Node.js's", slowest, wall(&node.init), 0.2)?;
    line("init, of Python's", wall(&ours.figures.init), wall(&python.init), 0.25)?;
    line("init of the slowest function, of Python's", slowest, wall(&python.init), 0.25)?;
    line("first request, of AWS's set-up in Rust", wall(&ours.figures.first), wall(&stock.first), 0.2)?;
    line("CPU of a warm request, of Node.js's", warm_cpu(&ours.figures), warm_cpu(node), 0.2)?;
    let mut zips = functions.iter().map(|subject| Ok((zip(subject)?, &subject.name))).collect::<Result<Vec<_>>>()?;
    zips.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let (largest, name) = zips.first().ok_or("no functions")?;
    let met = verdict(*largest <= MAX_ZIP_MB);
    writeln!(text, "| largest zip, MB ({name}) | {largest:.2} | {MAX_ZIP_MB:.2} | {met} |")?;
    Ok(())
}

fn every(text: &mut String, functions: &[Subject]) -> Result<()> {
    text.push_str(
        "| function | memory, MB | init | init, CPU | first request | first, CPU | warm, CPU | warm, p50 | warm, p99 \
         | zip, MB | resident, MB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for subject in functions {
        let Figures { init, first, warm, resident } = &subject.figures;
        let times = [wall(init), cpu(init), wall(first), cpu(first), warm_cpu(&subject.figures), wall(warm)];
        let times: Vec<_> = times.into_iter().chain([warm.wall.percentile(99)]).map(ms).collect();
        let (zip, resident) = (zip(subject)?, megabytes(*resident));
        let (name, memory, times) = (&subject.name, subject.memory, times.join(" | "));
        writeln!(text, "| {name} | {memory} | {times} | {zip:.2} | {resident:.1} |")?;
    }
    Ok(())
}

/// Every sample, in microseconds.
fn samples(functions: &[Subject], peers: &[Subject]) -> Result<String> {
    let mut csv = "subject,measure,number,wall_us,cpu_us\n".to_owned();
    for subject in functions.iter().chain(peers) {
        let Figures { init, first, warm, .. } = &subject.figures;
        for (name, measure) in [("init", init), ("first", first), ("warm", warm)] {
            for (number, (wall, cpu)) in measure.wall.iter().zip(measure.cpu.iter()).enumerate() {
                let (subject, wall, cpu) = (subject.name.replace(',', ""), wall.as_micros(), cpu.as_micros());
                writeln!(csv, "{subject},{name},{},{wall},{cpu}", number + 1)?;
            }
        }
    }
    Ok(csv)
}

fn wall(measure: &Measure) -> Duration {
    measure.wall.median()
}

fn cpu(measure: &Measure) -> Duration {
    measure.cpu.median()
}

/// From the start to the first answer, in the median start.
fn cold(figures: &Figures) -> Duration {
    figures.init.wall.plus(&figures.first.wall).median()
}

/// The mean, so that occasional work counts too.
fn warm_cpu(figures: &Figures) -> Duration {
    figures.warm.cpu.mean()
}

fn zip(subject: &Subject) -> Result<f64> {
    Ok(megabytes(subject.zipped()? as u64))
}

#[expect(clippy::cast_precision_loss, reason = "no size comes near what a float holds exactly")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MB
}

fn ms(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.2}") } else { format!("{milliseconds:.1}") }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**NOT MET**" }
}
