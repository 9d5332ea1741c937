//! Which keys of other software are imported, in which forms, and which contradictions are refused?

mod fixture;
mod private;
