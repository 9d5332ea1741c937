//! Sealing objects again, under the newest epoch.
