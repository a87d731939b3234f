//! Durations and their statistics.

use std::time::Duration;

/// Measured durations of one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one sample.
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// Adds the samples of another measurement of the same operation.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// The number of samples.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The samples in the order in which they were taken.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Duration> {
        self.0.iter().copied()
    }

    /// The smallest sample that `percent` of the samples do not exceed; zero without samples.
    #[must_use]
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The mean of the samples; zero without samples.
    #[must_use]
    pub(crate) fn mean(&self) -> Duration {
        let count = u32::try_from(self.0.len().max(1)).unwrap_or(u32::MAX);
        self.0.iter().sum::<Duration>() / count
    }

    /// The sums of the samples with the same number in both.
    #[must_use]
    pub(crate) fn plus(&self, others: &Self) -> Self {
        Self(self.0.iter().zip(&others.0).map(|(one, other)| *one + *other).collect())
    }

    /// The median of the ratios to the samples with the same number, which were taken in the same turn: what else the
    /// machine did in that turn slowed both.
    #[must_use]
    pub(crate) fn ratio_to(&self, others: &Self) -> f64 {
        let pairs = self.0.iter().zip(&others.0);
        let mut ratios: Vec<_> = pairs.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The median: half of the samples do not exceed it.
    #[must_use]
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// A duration as the reports print it.
#[must_use]
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let mut samples = Samples::default();
        for milliseconds in [30, 10, 20, 40] {
            samples.push(Duration::from_millis(milliseconds));
        }
        assert_eq!(samples.median(), Duration::from_millis(20));
        assert_eq!(samples.percentile(99), Duration::from_millis(40));
        assert_eq!(Samples::default().median(), Duration::ZERO);
    }
}
