//! The plot: every start as a dot, on a logarithmic scale, readable on light and on dark pages.

use std::{fmt::Write, time::Duration};

use crate::{
    Result,
    cold::subject::{Figures, Subject},
    samples::Samples,
};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 30.0;
const SMALL_ROW: f64 = 18.0;
/// The gap between a panel's last row and the next panel's title.
const GAP: f64 = 64.0;
/// The ends of the scale, in milliseconds.
const MIN_MS: f64 = 1.0;
const MAX_MS: f64 = 10_000.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}\
    .tick{font-size:11px;fill:#57606a}.grid{stroke:#d0d7de}.init{fill:#0969da}.first{fill:#bc4c00}\
    .median{stroke:#24292f;stroke-width:2}.page{fill:#fff}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.tick{fill:#9198a1}.grid{stroke:#3d444d}\
    .init{fill:#4493f8}.first{fill:#f0883e}.median{stroke:#e6edf3}.page{fill:#0d1117}}";

/// Draws the starts and the first answers of `compared`, and the medians of all `functions`.
pub(crate) fn draw(compared: &[&Subject], functions: &[Subject]) -> Result<String> {
    let mut plot = Plot { body: String::new(), y: 28.0 };
    plot.dots("Init on a whole processor: create-session beside the same work", compared, "init", |f| &f.init.wall)?;
    plot.dots("First request at the quota of 128 MB", compared, "first", |f| &f.first.wall)?;
    plot.medians("Every function: init (blue) and first request at its quota (orange), medians", functions)?;
    let (height, body) = (plot.y, plot.body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Cold starts in milliseconds, on a logarithmic scale\">\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n"
    ))
}

struct Plot {
    body: String,
    /// The position at which the next panel begins.
    y: f64,
}

impl Plot {
    /// A panel with a row for each subject: all of its samples, and a line at the median.
    fn dots(&mut self, title: &str, subjects: &[&Subject], class: &str, of: fn(&Figures) -> &Samples) -> Result<()> {
        let top = self.begin(title, subjects.len(), ROW)?;
        for (row, subject) in (0_u32..).zip(subjects) {
            let middle = top + (f64::from(row) + 0.5) * ROW;
            let samples = of(&subject.figures);
            self.label(&subject.name, middle)?;
            for (index, sample) in (0_u32..).zip(samples.iter()) {
                // Side by side, so that equal samples can be told apart.
                let y = middle + f64::from(index % 7) * 2.4 - 7.2;
                writeln!(
                    self.body,
                    "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"2\" opacity=\".55\"/>",
                    x(sample)
                )?;
            }
            let (x, from, to) = (x(samples.median()), middle - 11.0, middle + 11.0);
            writeln!(self.body, "<path class=\"median\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>")?;
        }
        Ok(())
    }

    /// A panel with a row for each function.
    fn medians(&mut self, title: &str, functions: &[Subject]) -> Result<()> {
        let top = self.begin(title, functions.len(), SMALL_ROW)?;
        for (row, subject) in (0_u32..).zip(functions) {
            let middle = top + (f64::from(row) + 0.5) * SMALL_ROW;
            self.label(&subject.name, middle)?;
            for (class, measure) in [("init", &subject.figures.init), ("first", &subject.figures.first)] {
                let x = x(measure.wall.median());
                writeln!(self.body, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{middle:.1}\" r=\"4\"/>")?;
            }
        }
        Ok(())
    }

    /// Draws a panel's title and scale; returns the position at which its rows begin.
    fn begin(&mut self, title: &str, rows: usize, height: f64) -> Result<f64> {
        let top = self.y + 14.0;
        let bottom = top + f64::from(u32::try_from(rows)?) * height;
        writeln!(self.body, "<text class=\"title\" x=\"12\" y=\"{:.1}\">{title}</text>", self.y)?;
        let mut decade = MIN_MS;
        while decade <= MAX_MS {
            for step in [1.0, 2.0, 5.0].iter().filter(|step| decade * **step <= MAX_MS) {
                let x = x(Duration::from_secs_f64(decade * step / 1000.0));
                writeln!(self.body, "<path class=\"grid\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>")?;
                let (y, value) = (bottom + 14.0, decade * step);
                writeln!(
                    self.body,
                    "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y:.1}\">{value}</text>"
                )?;
            }
            decade *= 10.0;
        }
        let (x, y) = (WIDTH - RIGHT, bottom + 30.0);
        writeln!(
            self.body,
            "<text class=\"tick\" text-anchor=\"end\" x=\"{x}\" y=\"{y:.1}\">milliseconds, logarithmic</text>"
        )?;
        self.y = bottom + GAP;
        Ok(top)
    }

    fn label(&mut self, name: &str, middle: f64) -> Result<()> {
        let (x, y) = (LEFT - 10.0, middle + 4.0);
        Ok(writeln!(self.body, "<text text-anchor=\"end\" x=\"{x}\" y=\"{y:.1}\">{name}</text>")?)
    }
}

/// The position of a duration on the scale.
fn x(duration: Duration) -> f64 {
    let milliseconds = (duration.as_secs_f64() * 1000.0).clamp(MIN_MS, MAX_MS);
    LEFT + (milliseconds / MIN_MS).log10() / (MAX_MS / MIN_MS).log10() * (WIDTH - LEFT - RIGHT)
}
