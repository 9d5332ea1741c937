//! An envelope in parts, without I/O: for async code and object stores. Most programs never need
//! this.
//!
//! An envelope is a header, which says who can open it, and a body. The methods of
//! [`EncapsulationKey`](crate::EncapsulationKey), [`Recipients`],
//! [`DecapsulationKey`](crate::DecapsulationKey) and [`Keyring`](crate::Keyring) seal and open whole
//! envelopes, in memory, as streams or as files. The parts are for programs that move the bytes
//! themselves:
//!
//! | to | use | made by |
//! |---|---|---|
//! | seal chunk by chunk | [`Sealer`] | [`EncapsulationKey::sealer`](crate::EncapsulationKey::sealer) |
//! | see who can open an envelope | [`Header`], [`Recipient`] | [`Header::parse`], [`Header::read`] |
//! | get the key to the body | [`BodyKey`] | [`DecapsulationKey::unlock`](crate::DecapsulationKey::unlock), or [`Header::unlock`] with a secret that was awaited |
//! | open chunk by chunk | [`Opener`] | [`BodyKey::opener`] |
//! | open any range | [`UnverifiedBody`], then [`Body`] and [`Plan`] | [`BodyKey::body`] |

mod body_key;
mod content_key;
mod header;
pub(crate) mod opening;
pub(crate) mod parsing;
pub(crate) mod recipients;
pub(crate) mod rewrap;
mod sealing;

pub use crate::stream::{
    body::{Body, Plan, PlannedChunk, UnverifiedBody},
    chunks::{Opener, Sealer},
};
pub use body_key::BodyKey;
pub use header::{Header, Recipient};
pub(crate) use recipients::Recipients;
#[cfg(feature = "object_store")]
pub(crate) use sealing::seal_reserved;
