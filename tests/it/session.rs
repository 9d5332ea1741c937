//! Sessions: what is sent arrives, and nothing that was replayed, reordered, dropped, cut, changed
//! or taken from elsewhere is accepted.

mod fixture;
mod hello;
mod messages;
mod outside_keys;
mod round_trips;
mod to_the_letter;
