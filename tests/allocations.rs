//! How much memory do streams, sessions, requests and answers take, and do the forms that work in place take none?

#![allow(unsafe_code, reason = "an allocator that counts has no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::{self, Read},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use twinseal::{
    DecapsulationKey, Error, SigningKey,
    envelope::{Header, Sealer},
    request::{AllowReplays, Asked, Pending, PieceSealer, RequestHead, RequestSealer},
    session::{FramedReceiver, FramedSender, MessageTag, SessionReceiver, SessionSender},
};

const CTX: &[u8] = b"example.com/memory";
const CHUNK: usize = Sealer::CHUNK_LEN;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Counts what lives in all threads, and the allocations of each thread.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn taken(bytes: usize) {
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

fn given_back(bytes: usize) {
    LIVE.fetch_sub(bytes, Relaxed);
}

// SAFETY: everything is handed on to the system's allocator as it came; the counters allocate
// nothing, and a `Cell` that is initialised at compile time has no destructor that could.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given_back(layout.size());
        // SAFETY: as above; the pointer came from `System`, because all of them do.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        given_back(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One measurement at a time: the peak is that of the whole process.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs, and returns how much memory it took at most, beyond the memory in use before.
fn peak<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = run();
    (PEAK.load(Relaxed) - before, result)
}

/// Runs, and returns how often this thread allocated.
fn allocations<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = run();
    (ALLOCATIONS.get() - before, result)
}

fn session() -> (SessionSender, SessionReceiver) {
    let bob = DecapsulationKey::generate().unwrap();
    let (hello, tx) = bob.encapsulation_key().sender(CTX).unwrap();
    (tx, bob.receiver(CTX, &hello).unwrap())
}

#[test]
fn the_counter_counts() {
    let _guard = one_at_a_time();
    assert_eq!(allocations(|| Box::new(7)).0, 1);
    assert_eq!(allocations(|| 7).0, 0);
    let (most, _) = peak(|| vec![0_u8; 10 * MIB]);
    // Threads of tests that have just ended may give something back meanwhile.
    assert!((9 * MIB..11 * MIB).contains(&most));
}

#[test]
fn chunks_in_place_allocate_nothing() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let (header, prefix, mut sealer) = bob.encapsulation_key().sealer(CTX).unwrap();
    let mut chunks = vec![([7; CHUNK], [0; 16]); 50];
    let mut last = [7; 100];
    let (count, tag) = allocations(|| {
        for (chunk, tag) in &mut chunks {
            *tag = sealer.seal_chunk(chunk).unwrap();
        }
        sealer.seal_last(&mut last).unwrap()
    });
    assert_eq!(count, 0);

    let header = Header::parse(&header).unwrap();
    let mut opener = bob.unlock(&header).unwrap().opener(CTX, &prefix).unwrap();
    let (count, ()) = allocations(|| {
        for (chunk, tag) in &mut chunks {
            opener.open_chunk(chunk, tag).unwrap();
        }
        opener.open_last(&mut last, &tag).unwrap();
    });
    assert_eq!(count, 0);
    assert_eq!((chunks[49].0, last), ([7; CHUNK], [7; 100]));
}

/// No chunk of 16 KiB is set up for a shorter message.
#[test]
fn a_short_envelope_takes_little_memory() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let (most, sealed) = peak(|| bob.encapsulation_key().seal(CTX, &[7; 100]).unwrap());
    assert!(most < 12 * KIB, "{most}");
    let (most, plaintext) = peak(|| bob.open(CTX, &sealed).unwrap());
    assert!(most < 12 * KIB, "{most}");
    assert_eq!(plaintext[..], [7; 100]);
}

#[test]
fn messages_in_place_allocate_nothing_after_the_first() {
    let _guard = one_at_a_time();
    let (mut tx, mut rx) = session();
    let mut gradient = vec![7; MIB];
    let mut exchange = |aad: &[u8]| {
        allocations(|| {
            let detached = tx.seal_in_place(aad, &mut gradient).unwrap();
            rx.open_in_place(aad, &mut gradient, &detached).unwrap();
        })
    };
    // The first one makes room for the associated data, on each side.
    assert!((1..=4).contains(&exchange(b"layer 00, step 000").0));
    for step in 0..50 {
        let mut aad = *b"layer 00, step 000";
        aad[17] = step;
        assert_eq!(exchange(&aad).0, 0);
        assert_eq!(exchange(b"").0, 0);
    }
    assert_eq!(gradient, vec![7; MIB]);
}

/// A message that is refused for its length is not copied first.
#[test]
fn a_message_that_is_too_long_is_not_copied() {
    let _guard = one_at_a_time();
    let (mut tx, mut rx) = session();
    let mut long = vec![0; (1 << 30) + 1 + MessageTag::LEN];
    let (count, ()) = allocations(|| {
        assert!(matches!(tx.seal(&long), Err(Error::Misuse { .. })));
        assert!(matches!(tx.seal_in_place(b"", &mut long), Err(Error::Misuse { .. })));
        assert!(matches!(rx.open(&long), Err(Error::Invalid { .. })));
    });
    assert_eq!(count, 0);
}

/// Numbers in a header are claims: nothing is allocated for bytes that are not there.
#[test]
fn a_header_that_promises_much() {
    let _guard = one_at_a_time();
    let mut promise = b"twinseal\x01\x01\x03\xe8".to_vec(); // 1000 recipients
    let bob = DecapsulationKey::generate().unwrap();
    let (most, refused) = peak(|| Header::parse(&promise));
    assert!(matches!(refused, Err(Error::Truncated { .. })));
    assert!(most < 16 * KIB, "{most}");
    promise.extend([&[0xff; 2][..], &[0; 16], &[0xff; 2]].concat()); // one of 65535 bytes
    let (most, refused) = peak(|| bob.open_reader(CTX, &promise[..]));
    assert!(refused.is_err());
    assert!(most < 150 * KIB, "{most}");
}

/// So are those in a request and in the pieces of its answer.
#[test]
fn requests_and_answers_that_promise_much() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let to_bob = bob.encapsulation_key();
    let alice = SigningKey::generate().unwrap();
    let (mut request, _) = to_bob.signed_by(&alice).request(CTX, b"hello").unwrap();
    let signature = RequestHead::parse(&request).unwrap().signature().unwrap().as_bytes().len();
    let end = RequestHead::parse(&request).unwrap().len();
    request.truncate(end - signature - 2);
    request.extend([0xff; 2]); // a signature of 65535 bytes
    let (most, refused) = peak(|| RequestHead::read(request.as_slice().chain(io::repeat(7))));
    assert!(refused.is_err());
    assert!(most < 32 * KIB, "{most}");

    let (request, pending) = to_bob.request(CTX, b"hello").unwrap();
    let (_, asked) = bob.accept(CTX, &request, &AllowReplays).unwrap();
    let (mut answer, _) = asked.piece_sealer().unwrap();
    answer.extend([0xff; 4]); // a piece of 4 GiB
    let (most, refused) = peak(|| {
        let mut pieces = pending.piece_reader(answer.as_slice().chain(io::repeat(7)));
        pieces.next()
    });
    assert!(refused.is_some_and(|piece| piece.is_err()));
    assert!(most < 150 * KIB, "{most}");
}

/// The length in front of a message is a claim too.
#[test]
fn a_frame_that_promises_much() {
    let _guard = one_at_a_time();
    let over = [(17 + MIB as u32 + 1).to_be_bytes(), u32::MAX.to_be_bytes()];
    for length in over {
        let mut rx = FramedReceiver::new(&length[..], session().1);
        let (most, refused) = peak(|| rx.receive());
        assert!(refused.is_err());
        // Far less than the MiB. The test harness may start a thread in the meantime.
        assert!(most < 16 * KIB, "{most}");
        let (most, refused) =
            peak(|| FramedReceiver::accept(&length[..], |_| Ok::<_, Error>(session().1)));
        assert!(refused.is_err());
        // Far less than the MiB. The test harness may start a thread in the meantime.
        assert!(most < 16 * KIB, "{most}");
    }
    // Within the bound, memory comes with the bytes.
    let length = (1_u32 << 30).to_be_bytes();
    for arrived in [0, 3 * MIB] {
        let bytes = [&length[..], &vec![0; arrived]].concat();
        let rx = FramedReceiver::new(&bytes[..], session().1);
        let mut rx = rx.with_bound(1 << 30);
        let (most, refused) = peak(|| rx.receive());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        // It doubles, with the old half beside it.
        assert!(most < MIB + KIB + 4 * arrived, "{most}");
    }
}

/// One buffer is kept for all messages; each plaintext has its own.
#[test]
fn a_framed_message_allocates_its_plaintext() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let session = bob.encapsulation_key().sender(CTX).unwrap();
    let mut connection = vec![0; 20 * MIB];
    let mut tx = FramedSender::start(&mut connection[..], session).unwrap();
    let mut gradient = vec![7; MIB];
    tx.send(&gradient).unwrap();
    let (count, ()) = allocations(|| {
        for _ in 0..5 {
            tx.send(&gradient).unwrap();
            tx.send_in_place(b"", &mut gradient).unwrap();
        }
        tx.finish(&gradient).unwrap();
    });
    assert_eq!(count, 0);
    let accept = |hello: &[u8]| bob.receiver(CTX, hello);
    let mut rx = FramedReceiver::accept(&connection[..], accept).unwrap();
    rx.receive().unwrap();
    let (count, received) = allocations(|| rx.by_ref().map(|message| message.unwrap().len()).sum());
    assert_eq!((count, received), (11, 11 * MIB));
}

/// The pieces of an answer have at most a MiB; what of it has not arrived takes no memory.
#[test]
fn a_piece_that_promises_much() {
    let _guard = one_at_a_time();
    for (length, is_refused) in
        [(MIB as u32 + 17, false), (MIB as u32 + 18, true), (u32::MAX, true)]
    {
        let bob = DecapsulationKey::generate().unwrap();
        let (pending, asked) = asked(&bob);
        let (mut answer, _) = asked.piece_sealer().unwrap();
        answer.extend(length.to_be_bytes());
        let mut opener = pending.piece_opener();
        let (most, opened) = peak(|| {
            opener.update(&answer);
            opener.next()
        });
        assert_eq!(opened.is_err(), is_refused);
        // Far less than the MiB. The test harness may start a thread in the meantime.
        assert!(most < 16 * KIB, "{most}");
    }
}

/// A piece that is too long for its writer is not copied first.
#[test]
fn a_piece_that_is_too_long_is_not_copied() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let (_, mut sealer) = asked(&bob).1.piece_sealer().unwrap();
    let long = vec![0; MIB + 1];
    let (count, refused) = allocations(|| sealer.piece(&long));
    assert!(matches!(refused, Err(Error::Misuse { .. })));
    assert_eq!(count, 0);
}

/// Both sides of a request that was accepted.
fn asked(bob: &DecapsulationKey) -> (Pending, Asked) {
    let (request, pending) = bob.encapsulation_key().request(CTX, b"?").unwrap();
    let (_, asked) = bob.accept(CTX, &request, &AllowReplays).unwrap();
    (pending, asked)
}

#[test]
fn a_large_request_and_answer() {
    let _guard = one_at_a_time();
    let length = 64 * MIB as u64;
    let bob = DecapsulationKey::generate().unwrap();
    let to_bob = bob.encapsulation_key();
    let (asking, ()) = peak(|| {
        let mut writer = to_bob.request_writer(CTX, io::sink()).unwrap();
        io::copy(&mut zeros(length), &mut writer).unwrap();
        writer.finish().unwrap();
    });
    let RequestSealer { head, prefix, sealer, pending, .. } = to_bob.request_sealer(CTX).unwrap();
    let source = SealedZeros::of([head.as_bytes(), &prefix].concat(), sealer, length);
    let (accepting, asked) = peak(|| {
        let mut reader = bob.accept_reader(CTX, source, &AllowReplays).unwrap();
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), length);
        reader.finish().unwrap()
    });
    let (start, prefix, sealer) = asked.answer_sealer().unwrap();
    let source = SealedZeros::of([&start[..], &prefix].concat(), sealer, length);
    let (opening, opened) =
        peak(|| io::copy(&mut pending.open_reader(source).unwrap(), &mut io::sink()).unwrap());
    assert_eq!(opened, length);
    for most in [asking, accepting, opening] {
        assert!(most < 200 * KIB, "{most}");
    }
}

/// A bundle whose signature is worthless takes three times its length, although it claims many files.
#[cfg(feature = "model-signing")]
#[test]
fn a_bundle_that_was_changed() {
    use twinseal::model::{Bundle, FileHasher, ManifestBuilder, Method, TrustedKey};

    let _guard = one_at_a_time();
    let alice = SigningKey::generate().unwrap();
    let digest = FileHasher::new(Method::Files).finish().unwrap();
    let mut model = ManifestBuilder::new("model").unwrap();
    for number in 0..40_000 {
        model.add(&number.to_string(), digest.clone()).unwrap();
    }
    let mut bundle = model.sign(&alice).unwrap().as_bytes().to_vec();
    let middle = bundle.len() / 2;
    bundle[middle] = if bundle[middle] == b'A' { b'B' } else { b'A' };
    let length = bundle.len();
    assert!(length > 4 * MIB);
    let trusted = [TrustedKey::from(alice.verifying_key())];
    let (most, verified) = peak(|| Bundle::from_bytes(&bundle[..])?.verify(&trusted));
    assert_eq!(verified.err(), Some(Error::Verify));
    assert!(most < 3 * length + MIB, "{most} for {length}");
}

/// An answer in pieces takes a few times the bound of a piece, however long it is.
#[test]
fn many_pieces() {
    let _guard = one_at_a_time();
    let (length, bound) = (64 * MIB as u64, 64 * KIB);
    let bob = DecapsulationKey::generate().unwrap();
    let (_, asked_first) = asked(&bob);
    let (writing, ()) = peak(|| {
        let mut writer = asked_first.piece_writer(io::sink()).unwrap().with_bound(bound);
        io::copy(&mut zeros(length), &mut writer).unwrap();
        writer.finish().unwrap();
    });
    let (pending, asked) = asked(&bob);
    let (start, sealer) = asked.piece_sealer().unwrap();
    let source = SealedPieces { ready: start, given: 0, left: length, bound, sealer: Some(sealer) };
    let (reading, opened) = peak(|| {
        let mut reader = pending.piece_reader(source).with_bound(bound);
        io::copy(&mut reader, &mut io::sink()).unwrap()
    });
    assert_eq!(opened, length);
    assert!(writing < 8 * bound && reading < 8 * bound, "{writing}, {reading}");
}

/// Pieces of zeros that are sealed while they are read.
struct SealedPieces {
    ready: Vec<u8>,
    given: usize,
    left: u64,
    bound: usize,
    sealer: Option<PieceSealer>,
}

impl Read for SealedPieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len()
            && let Some(mut sealer) = self.sealer.take()
        {
            self.given = 0;
            let length = self.left.min(self.bound as u64);
            self.left -= length;
            let zeros = vec![0; length as usize];
            if self.left > 0 {
                self.ready = sealer.piece(&zeros)?;
                self.sealer = Some(sealer);
            } else {
                self.ready = sealer.finish(&zeros)?;
            }
        }
        let length = (&self.ready[self.given..]).read(buffer)?;
        self.given += length;
        Ok(length)
    }
}

/// An envelope of zeros that is sealed while it is read.
struct SealedZeros {
    ready: Vec<u8>,
    given: usize,
    left: u64,
    sealer: Option<Sealer>,
}

impl SealedZeros {
    fn new(bob: &DecapsulationKey, length: u64) -> Self {
        let (header, prefix, sealer) = bob.encapsulation_key().sealer(CTX).unwrap();
        Self::of([&header[..], &prefix].concat(), sealer, length)
    }

    /// With another start: that of a request, or of an answer.
    fn of(mut ready: Vec<u8>, sealer: Sealer, length: u64) -> Self {
        ready.reserve(CHUNK);
        Self { ready, given: 0, left: length, sealer: Some(sealer) }
    }
}

impl Read for SealedZeros {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            let length = self.left.min(CHUNK as u64);
            self.left -= length;
            if let Some(sealer) = &mut self.sealer {
                sealer.update(&[0; CHUNK][..length as usize], &mut self.ready)?;
            }
            if self.ready.is_empty()
                && let Some(sealer) = self.sealer.take()
            {
                sealer.finish(&mut self.ready)?;
            }
        }
        let length = (&self.ready[self.given..]).read(buffer)?;
        self.given += length;
        Ok(length)
    }
}

fn zeros(length: u64) -> impl Read {
    io::repeat(0).take(length)
}

/// Peaks of sealing and of opening, one after the other.
fn serial_peaks(length: u64) -> [usize; 2] {
    let bob = DecapsulationKey::generate().unwrap();
    let (sealing, ()) = peak(|| {
        let mut writer = bob.encapsulation_key().seal_writer(CTX, io::sink()).unwrap();
        io::copy(&mut zeros(length), &mut writer).unwrap();
        writer.finish().unwrap();
    });
    let source = SealedZeros::new(&bob, length);
    let (opening, opened) =
        peak(|| io::copy(&mut bob.open_reader(CTX, source).unwrap(), &mut io::sink()).unwrap());
    assert_eq!(opened, length);
    [sealing, opening]
}

#[cfg(feature = "rayon")]
fn parallel_peaks(length: u64, threads: usize) -> [usize; 2] {
    let bob = DecapsulationKey::generate().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let (sealing, ()) = peak(|| {
            let writer = bob.encapsulation_key().seal_writer(CTX, io::sink()).unwrap();
            let mut writer = writer.parallel();
            io::copy(&mut zeros(length), &mut writer).unwrap();
            writer.finish().unwrap();
        });
        let source = SealedZeros::new(&bob, length);
        let (opening, opened) = peak(|| {
            let mut reader = bob.open_reader(CTX, source).unwrap().parallel();
            io::copy(&mut reader, &mut io::sink()).unwrap()
        });
        assert_eq!(opened, length);
        [sealing, opening]
    })
}

fn assert_serial(length: u64) {
    let [sealing, opening] = serial_peaks(length);
    println!("serial: {} KiB to seal, {} KiB to open", sealing / KIB, opening / KIB);
    assert!(sealing < 200 * KIB && opening < 200 * KIB);
}

#[cfg(feature = "rayon")]
fn assert_parallel(length: u64, threads: usize) {
    let [sealing, opening] = parallel_peaks(length, threads);
    println!("{threads} threads: {} KiB to seal, {} KiB to open", sealing / KIB, opening / KIB);
    let most = threads * 528 * KIB + 200 * KIB; // four buffers, each with a page more
    assert!(sealing < most && opening < most);
}

#[test]
fn a_large_stream() {
    let _guard = one_at_a_time();
    assert_serial(256 * MIB as u64);
}

#[cfg(feature = "rayon")]
#[test]
fn a_large_stream_on_all_cores() {
    let _guard = one_at_a_time();
    for threads in [1, 2, 4] {
        assert_parallel(64 * MIB as u64, threads);
    }
}

#[test]
#[ignore = "takes a minute"]
fn four_gib() {
    let _guard = one_at_a_time();
    assert_serial(4096 * MIB as u64);
    #[cfg(feature = "rayon")]
    assert_parallel(4096 * MIB as u64, 2);
}

#[test]
fn a_large_range() {
    let _guard = one_at_a_time();
    let bob = DecapsulationKey::generate().unwrap();
    let sealed = bob.encapsulation_key().seal(CTX, &vec![7; 64 * MIB]).unwrap();
    let mut range = vec![0; 60 * MIB];
    let (most, ()) = peak(|| {
        let opened = bob.open_at(CTX, &sealed).unwrap();
        opened.read_exact_at(&mut range, 1_000_001).unwrap();
    });
    assert!(range.iter().all(|byte| *byte == 7));
    assert!(most < 200 * KIB, "{most}");
}
