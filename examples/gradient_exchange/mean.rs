//! The mean of a round's gradients, in which no worker weighs more than another.
//!
//! A signature proves who sent an update, but not that its content is honest: a compromised worker
//! is registered like the others. So all workers have the same weight, whatever they claim, and no
//! gradient is longer than the median of the round. One worker of three still has a third of the
//! influence. Other measures limit that, such as a median instead of the mean, or pictures of the
//! aggregator's own to test each update with.

use std::collections::BTreeMap;

use crate::Failure;
use digits::{add_scaled, norm};

/// A gradient is reported if it is more than this many times as long as the median. One that is
/// only a little longer may come from unusual pictures, and is shortened without a report.
const SUSPICIOUS: f64 = 10.0;

#[derive(Debug)]
pub(crate) struct Mean {
    pub(crate) gradient: Vec<f32>,
    /// The workers whose gradients were far too long, and how many times as long as the median.
    pub(crate) shortened: Vec<(usize, f64)>,
}

/// `updates` are the gradients by worker, all of one length.
pub(crate) fn mean(updates: &BTreeMap<usize, &[f32]>) -> Result<Mean, Failure> {
    let norms: BTreeMap<usize, f64> =
        updates.iter().map(|(worker, gradient)| (*worker, norm(gradient))).collect();
    let bound = lower_median(norms.values().copied()).ok_or("there is no update")?;
    let length = updates.values().next().map_or(0, |gradient| gradient.len());

    let mut mean = Mean { gradient: vec![0.0; length], shortened: Vec::new() };
    let share = 1.0 / updates.len() as f64;
    for ((worker, gradient), norm) in updates.iter().zip(norms.values()) {
        let factor = if *norm > bound { bound / norm } else { 1.0 };
        add_scaled(&mut mean.gradient, gradient, (factor * share) as f32);
        if *norm > SUSPICIOUS * bound {
            mean.shortened.push((*worker, norm / bound));
        }
    }
    // A mean of vectors is no longer than the longest of them; rounding adds little.
    if norm(&mean.gradient) > 1.01 * bound {
        return Err("the mean of all gradients is longer than each of them".into());
    }
    Ok(mean)
}

/// The median. Of an even number it is the lower of the two in the middle, so that half of the
/// workers cannot raise it.
fn lower_median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(gradients: &[&[f32]]) -> Mean {
        mean(&(1..).zip(gradients.iter().copied()).collect()).unwrap()
    }

    #[test]
    fn equals_are_averaged() {
        let mean = mean_of(&[&[1.0, 0.0], &[0.0, 1.0], &[-1.0, 0.0], &[0.0, 1.0]]);
        assert_eq!(mean.gradient, [0.0, 0.5]);
        assert_eq!(mean.shortened, []);
        assert_eq!(mean_of(&[&[0.0; 3], &[0.0; 3]]).gradient, [0.0; 3]);
    }

    #[test]
    fn one_of_three_is_worth_a_third_whatever_it_sends() {
        for scale in [1.0, 1e3, 1e6, 1e30, f32::MAX] {
            let mean = mean_of(&[&[1.0, 0.0], &[1.0, 0.0], &[-scale, 0.0]]);
            assert!((mean.gradient[0] - 1.0 / 3.0).abs() < 1e-6, "{scale}: {mean:?}");
            assert_eq!(mean.shortened.len(), usize::from(scale > 10.0));
        }
        let mean = mean_of(&[&[1.0], &[1.0], &[0.0]]);
        assert!((mean.gradient[0] - 2.0 / 3.0).abs() < 1e-6);
    }
}
