//! Are keys taken out of certificates only where RFC 5280 and the caller allow it?

mod any_certificate;
mod as_it_is;
mod chains;
mod extensions;
mod fixture;
mod names;
mod refused;
mod text;
