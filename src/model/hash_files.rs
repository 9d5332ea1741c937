//! Hashes many files on all cores, each byte once, in constant memory.
