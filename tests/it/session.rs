//! Does what is sent in a session arrive, and is everything refused that was replayed, reordered,
//! dropped, cut, changed or taken from elsewhere?

mod accept_hello;
mod any_calls;
#[cfg(feature = "tokio")]
mod any_framed;
mod any_hello;
mod fixture;
mod framed;
#[cfg(feature = "tokio")]
mod framed_async;
mod hello;
mod messages;
mod orderings;
mod outside_keys;
mod prepared;
mod round_trips;
mod stolen_key;
mod to_the_letter;
