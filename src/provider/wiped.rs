//! Secret keys of types that do not wipe themselves.

use std::{
    hint,
    ops::{Deref, DerefMut},
};

/// A secret key in a box, so that there is one place to wipe: it is overwritten when dropped. The type must
/// be flat: nothing of the secret is behind a pointer.
pub(super) struct Wiped<T> {
    secret: Box<T>,
    zeros: fn() -> T,
}

impl<T> Wiped<T> {
    /// Zeros, to be filled in place. `zeros` also makes the value that overwrites the secret.
    #[cfg(feature = "libcrux")]
    pub(super) fn zeros(zeros: fn() -> T) -> Self {
        Self { secret: Box::new(zeros()), zeros }
    }

    pub(super) fn wipe(&mut self) {
        *self.secret = (self.zeros)();
        hint::black_box(&mut self.secret); // the overwriting is not optimised away
    }
}

#[cfg(any(feature = "experimental-falcon", feature = "pqclean"))]
impl<T: Copy> Wiped<T> {
    /// A secret that was made elsewhere: the caller's copy is not wiped.
    pub(super) fn new(secret: T, zeros: fn() -> T) -> Self {
        Self { secret: Box::new(secret), zeros }
    }
}

impl<T> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.secret
    }
}

impl<T> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.secret
    }
}

impl<T> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.wipe();
    }
}
