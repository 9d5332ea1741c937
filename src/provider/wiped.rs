//! Secret keys of `Copy` types, which do not wipe themselves.

use std::{hint, ops::Deref};

/// A secret key in a box, so that there is one place to wipe: it is overwritten when dropped.
pub(super) struct Wiped<T: Copy> {
    secret: Box<T>,
    zeros: fn() -> T,
}

impl<T: Copy> Wiped<T> {
    /// `zeros` makes the value that overwrites the secret.
    pub(super) fn new(secret: T, zeros: fn() -> T) -> Self {
        Self { secret: Box::new(secret), zeros }
    }
}

impl<T: Copy> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.secret
    }
}

impl<T: Copy> Drop for Wiped<T> {
    fn drop(&mut self) {
        *self.secret = (self.zeros)();
        hint::black_box(&mut self.secret); // the overwriting is not optimised away
    }
}
