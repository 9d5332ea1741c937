//! Why keys, errors and what was opened cross `catch_unwind`.

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::{
    error::ExternalFailure,
    kem::{DecapsulationKey, EncapsulationKey},
    keyring::RingKey,
    numbered_key::NumberedKey,
    provider::Provider,
    request::WindowGuard,
    sign::{ExpandedSigningKey, SigningKey, VerifyingKey},
    split::{HalfKey, SplitDecapsulationKey, SplitSigningKey},
};

/// These hold trait objects, which do not cross by themselves. They may: the objects are `Sync`, their
/// methods take `&self`, and nothing of ours is changed in part when one of them panics. What an
/// implementation changes inside, it has to guard anyway, as it does against other threads. The rest of
/// the crate's types follow from these.
macro_rules! crosses {
    ($($holder:ty),+ $(,)?) => {$(
        impl UnwindSafe for $holder {}
        impl RefUnwindSafe for $holder {}
    )+};
}

crosses!(
    Provider,
    EncapsulationKey,
    DecapsulationKey,
    SigningKey,
    ExpandedSigningKey,
    VerifyingKey,
    RingKey,
    NumberedKey,
    WindowGuard,
    // It is only read.
    ExternalFailure,
    // Their halves are the callers' own, and caught when they panic.
    SplitDecapsulationKey,
    SplitSigningKey,
);

impl<Operation: ?Sized> UnwindSafe for HalfKey<Operation> {}
impl<Operation: ?Sized> RefUnwindSafe for HalfKey<Operation> {}
