//! Do all providers compute, accept and refuse the same?

mod agreement;
mod encodings;
mod keys;
mod pairs;
#[cfg(all(feature = "graviola", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod processors;
mod requests;
mod threads;

use std::fmt;

use twinseal::provider::Provider;

use crate::common::providers::PROVIDERS;

/// Every ordered pair, each provider with itself included.
fn pairs() -> impl Iterator<Item = (&'static Provider, &'static Provider)> {
    PROVIDERS.into_iter().flat_map(|a| PROVIDERS.map(|b| (a, b)))
}

/// The result of a computation, which must be the same on all.
fn same_on_all<T: PartialEq + fmt::Debug>(
    what: &str,
    compute: impl Fn(&'static Provider) -> T,
) -> T {
    let results = PROVIDERS.map(&compute);
    for (provider, result) in PROVIDERS.iter().zip(&results) {
        assert_eq!(*result, results[0], "{what} on {}", provider.name);
    }
    results.into_iter().next().expect("there is a provider")
}
