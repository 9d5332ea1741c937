//! Is a request let in once, by whom it was made for, and answered only to its maker?

mod guard;
mod guard_clock;
mod guard_model;
mod guard_replicas;
mod guard_restarts;
