//! Upper bounds of the histograms' buckets (observability.md 2). The last one, infinity, goes without saying.

pub(super) const STANDARD: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(super) const SPAWN: [f64; 12] = [0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0];

pub(super) const LOOP: [f64; 15] =
    [0.05, 0.055, 0.06, 0.065, 0.07, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Bounds as environment variables give them: numbers with commas between them.
pub(super) fn parse(text: &str) -> Result<Vec<f64>, String> {
    let bounds = text.split(',').map(|bound| {
        let number = bound.trim().parse::<f64>().ok().filter(|number| !number.is_nan());
        number.ok_or_else(|| format!("{:?} is no number", bound.trim()))
    });
    let bounds: Vec<f64> = bounds.collect::<Result<_, _>>()?;
    if bounds.is_sorted_by(|a, b| a < b) {
        Ok(bounds)
    } else {
        Err(format!("{text:?}: each number must be larger than the one before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obs_007_bounds_are_ascending_numbers_and_may_end_with_infinity() {
        assert_eq!(parse("1, 2.5,inf").unwrap(), [1.0, 2.5, f64::INFINITY]);
        for wrong in ["", "1,x", "2,1", "1,1", "nan", "1,,2"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
