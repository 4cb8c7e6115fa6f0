//! Times of single messages.

use std::time::Duration;

/// All times taken, in nanoseconds.
#[derive(Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// The time that `percent` of the messages did not exceed, in microseconds; after [`sort`](Self::sort).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let place = self.0.len().saturating_mul(percent) / 100;
        self.0.get(place).or(self.0.last()).map_or(0.0, |&nanos| f64::from(nanos) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut all = Latencies::default();
        (1..=100).rev().for_each(|micros| all.add(Duration::from_micros(micros)));
        all.sort();
        assert_eq!((all.percentile(50), all.percentile(99), all.percentile(100)), (51.0, 100.0, 100.0));
    }
}
