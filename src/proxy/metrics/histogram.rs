//! Durations, counted by size: eight steps to a doubling, so a quantile is at most
//! 12.5 % off. Recording is two relaxed additions.

use std::sync::atomic::{AtomicU64, Ordering};

/// Steps of one doubling, as a power of two.
const STEP_BITS: u32 = 3;
const STEPS: usize = 1 << STEP_BITS;
/// Up to 2^40 ns, 18 minutes; longer ones count there.
const BUCKETS: usize = (40 - 2) * STEPS;

#[derive(Debug)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), nanos: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn record(&self, nanos: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// Several histograms as one, at one moment.
#[derive(Debug)]
pub(super) struct Summary {
    buckets: Vec<u64>,
    nanos: u64,
}

impl Default for Summary {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], nanos: 0 }
    }
}

impl Summary {
    pub(super) fn add(&mut self, other: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum = sum.wrapping_add(bucket.load(Ordering::Relaxed));
        }
        self.nanos = self.nanos.wrapping_add(other.nanos.load(Ordering::Relaxed));
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn nanos(&self) -> u64 {
        self.nanos
    }

    /// The duration that `per_mille` of a thousand do not exceed; zero when there is none.
    pub(super) fn quantile(&self, per_mille: u64) -> u64 {
        let wanted = u128::from(self.count()) * u128::from(per_mille);
        let mut seen = 0_u128;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += u128::from(*count);
            if *count > 0 && seen * 1000 >= wanted {
                return middle_of(index);
            }
        }
        0
    }
}

/// Small durations have a bucket each; from eight on, the highest bit chooses a row of
/// eight buckets and the next three bits one of them.
fn bucket_of(nanos: u64) -> usize {
    let highest = u64::BITS - 1 - (nanos | 1).leading_zeros();
    let shift = highest.saturating_sub(STEP_BITS);
    let row = usize::try_from(shift).unwrap_or(0);
    let step = usize::try_from(nanos >> shift).unwrap_or(0);
    // `step` is 8..16 from the first full row on, and so already one row further.
    (row * STEPS + step).min(BUCKETS - 1)
}

fn middle_of(index: usize) -> u64 {
    let (row, step) = match index / STEPS {
        0 => (0, index),
        row => (row - 1, STEPS + index % STEPS),
    };
    let (row, step) = (u32::try_from(row).unwrap_or(0), u64::try_from(step).unwrap_or(0));
    let width = 1_u64 << row;
    (step << row) + width / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(values: &[u64]) -> Summary {
        let (histogram, mut summary) = (Histogram::default(), Summary::default());
        values.iter().for_each(|value| histogram.record(*value));
        summary.add(&histogram);
        summary
    }

    #[test]
    fn quantiles_of_a_known_distribution_are_near() {
        let values: Vec<u64> = (1..=1000).map(|number| number * 1000).collect();
        let summary = summary(&values);
        for (per_mille, exact) in [(10, 10_000), (50, 50_000), (500, 500_000), (990, 990_000), (999, 999_000)]
        {
            let found = summary.quantile(per_mille);
            assert!(found.abs_diff(exact) <= exact / 8, "{per_mille}: {found} for {exact}");
        }
        assert_eq!((summary.count(), summary.nanos()), (1000, 500_500_000));
    }

    #[test]
    fn without_durations_every_quantile_is_zero() {
        assert_eq!(summary(&[]).quantile(500), 0);
    }

    proptest! {
        #[test]
        fn a_duration_comes_back_within_an_eighth(nanos in 0..(1_u64 << 40)) {
            let found = summary(&[nanos]).quantile(500);
            prop_assert!(found.abs_diff(nanos) <= nanos / 8, "{} for {}", found, nanos);
        }

        #[test]
        fn longer_durations_never_land_in_earlier_buckets(a in any::<u64>(), b in any::<u64>()) {
            prop_assert!(bucket_of(a.min(b)) <= bucket_of(a.max(b)));
            prop_assert!(bucket_of(a) < BUCKETS);
        }
    }
}
