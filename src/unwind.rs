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
);
