//! Sealed stores, against whoever has the bucket.

mod changes;
mod conformance;
mod fixture;
mod lists;
mod reads;
mod scripted;
mod upkeep;
mod watched;
mod writes;
