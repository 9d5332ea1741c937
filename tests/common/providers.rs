//! The providers that every shared test runs on.

use twinseal::provider::{PORTABLE, Provider};

/// All must accept and refuse the same. What needs fixed randomness runs on [`PORTABLE`] alone.
pub(crate) static PROVIDERS: [&Provider; 1] = [&PORTABLE];
