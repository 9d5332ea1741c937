//! Which files, links and special files a directory has.
