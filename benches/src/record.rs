//! The raw data of a run, to check the summary. It is written to the target directory, outside version control.

use std::{fmt::Write, fs, path::PathBuf};

use crate::{Result, build::target_directory, samples::Samples};

/// Collects samples and writes them as CSV.
#[derive(Debug)]
pub(crate) struct Record(String);

impl Default for Record {
    fn default() -> Self {
        Self("subject,measure,nanoseconds\n".to_owned())
    }
}

impl Record {
    /// Adds the samples of one measure of one subject.
    pub(crate) fn add(&mut self, subject: &str, measure: &str, samples: &Samples) -> Result<()> {
        for sample in samples.iter() {
            writeln!(self.0, "{subject},{measure},{}", sample.as_nanos())?;
        }
        Ok(())
    }

    /// Writes `bench/<name>.csv` in the target directory.
    pub(crate) fn write(&self, name: &str) -> Result<PathBuf> {
        let directory = target_directory()?.join("bench");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{name}.csv"));
        fs::write(&path, &self.0)?;
        Ok(path)
    }
}
