//! The buffer in which several chunks are sealed or opened, one behind the other.

use super::SEALED_CHUNK;
use crate::secret::PageBuffer;

/// How many chunks are read or written at once.
pub(super) const BATCH: usize = 8;

/// Where a batch starts in its page. Callers' buffers start on a page or 16 bytes behind one, and AMD Zen 4 copies at a
/// third of its speed to 16 bytes behind the place of the source in its page: where a chunk of a batch that starts on a
/// page would be, one way or the other. The system reads to here and writes from here as fast as at the start of a page.
const OFFSET: usize = 256;

/// Room for the chunks of a batch with their tags.
pub(super) fn zeroed() -> PageBuffer {
    PageBuffer::zeroed_at(OFFSET, BATCH * SEALED_CHUNK)
}
