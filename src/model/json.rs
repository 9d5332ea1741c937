//! JSON that refuses a repeated member, more than 32 levels, and more than 512 MiB.
