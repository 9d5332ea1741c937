//! Does random access work over any source, and are the errors of a source passed on?

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use twinseal::stream::ReadAt;

use super::fixture::{BOB, CHUNK, CTX, plaintext, seal};

/// A source that fails at one call, or says a wrong length.
struct FaultySource<'a> {
    bytes: &'a [u8],
    size: u64,
    calls: AtomicUsize,
    fail_at: usize,
}

impl FaultySource<'_> {
    fn call(&self) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.fail_at {
            return Err(io::Error::new(ErrorKind::ConnectionReset, "planned"));
        }
        Ok(())
    }
}

impl ReadAt for FaultySource<'_> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        // It may leave anything behind.
        buffer.fill(0xdd);
        self.call()?;
        self.bytes.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.call()?;
        Ok(self.size)
    }
}

#[test]
fn a_source_that_fails() {
    let plaintext = plaintext(20 * CHUNK + 5);
    let sealed = seal(&plaintext);
    let mut constructed = 0;
    for fail_at in 0.. {
        let calls = AtomicUsize::new(0);
        let source = FaultySource { bytes: &sealed, size: sealed.len() as u64, calls, fail_at };
        let opened = match BOB.open_at(CTX, source) {
            Ok(opened) => opened,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                continue;
            }
        };
        constructed += 1;
        let mut buffer = vec![0xee; plaintext.len()];
        match opened.read_exact_at(&mut buffer, 0) {
            Ok(()) => {
                assert!(buffer == plaintext);
                break;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                assert!(buffer.iter().all(|byte| *byte == 0));
                // Reading again is possible: every range is judged on its own.
                opened.read_exact_at(&mut buffer, 0).unwrap();
                assert!(buffer == plaintext);
            }
        }
    }
    assert!(constructed > 1);
}

#[test]
fn a_source_that_says_a_wrong_length() {
    let sealed = seal(&plaintext(2 * CHUNK + 5));
    let right = sealed.len() as u64;
    for size in (0..right).step_by(97).chain([right - 1, right + 1, right + 20, 1 << 53, u64::MAX])
    {
        let source =
            FaultySource { bytes: &sealed, size, calls: AtomicUsize::new(0), fail_at: usize::MAX };
        let error = BOB.open_at(CTX, source).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof));
    }
}

#[cfg(unix)]
#[test]
fn a_directory_is_no_source() {
    let directory = File::open(env!("CARGO_TARGET_TMPDIR")).unwrap();
    assert_eq!(BOB.open_at(CTX, directory).unwrap_err().kind(), ErrorKind::Unsupported);
}

/// A source that fails at every second call, once it is to.
struct Failing<'a> {
    bytes: &'a [u8],
    calls: AtomicUsize,
    kind: ErrorKind,
    fails: AtomicBool,
}

impl Failing<'_> {
    fn call(&self) -> io::Result<()> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(number < 1000, "it never ends");
        let fails = self.fails.load(Ordering::Relaxed) && number.is_multiple_of(2);
        if fails { Err(self.kind.into()) } else { Ok(()) }
    }
}

impl ReadAt for Failing<'_> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        buffer.fill(0xdd);
        self.call()?;
        self.bytes.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.call()?;
        self.bytes.size()
    }
}

/// An interrupted call is repeated; after any other error the next call continues to read.
#[test]
fn errors_of_the_source() {
    let plaintext = plaintext(3 * CHUNK + 5);
    let sealed = seal(&plaintext);
    let failing = |kind, fails: bool| Failing {
        bytes: &sealed,
        calls: AtomicUsize::new(0),
        kind,
        fails: fails.into(),
    };
    let opened = BOB.open_at(CTX, failing(ErrorKind::Interrupted, true)).unwrap();
    let mut buffer = vec![0; plaintext.len()];
    opened.read_exact_at(&mut buffer, 0).unwrap();
    assert!(buffer == plaintext);

    for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Other] {
        let source = failing(kind, false);
        let mut opened = BOB.open_at(CTX, &source).unwrap();
        source.fails.store(true, Ordering::Relaxed);
        let (mut released, mut piece, mut errors) = (Vec::new(), [0; 5000], 0);
        loop {
            match opened.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => released.extend_from_slice(&piece[..length]),
                Err(error) => {
                    assert_eq!(error.kind(), kind);
                    errors += 1;
                    assert!(errors < 10);
                }
            }
        }
        assert!(released == plaintext && errors > 0);
    }
}

#[test]
fn what_points_to_a_source_is_one() {
    fn opens(source: impl ReadAt) {
        assert_eq!(BOB.open_at(CTX, source).unwrap().len(), 100);
    }
    let mut sealed = seal(&plaintext(100));
    opens(&sealed[..]);
    opens(&sealed);
    opens(&mut sealed);
    opens(Box::new(sealed.clone()));
    opens(sealed.clone().into_boxed_slice());
    opens(Arc::new(sealed.clone()));
    opens(Arc::<[u8]>::from(&sealed[..]));
    opens(Rc::new(sealed.clone()));
    opens(Box::new(sealed.clone()) as Box<dyn ReadAt>);
    opens(Arc::new(sealed.clone()) as Arc<dyn ReadAt + Send + Sync>);
    opens(&sealed as &dyn ReadAt);
    // An opened envelope is a source of its plaintext: here of another envelope.
    let outer = seal(&sealed);
    opens(BOB.open_at(CTX, outer).unwrap());
}
