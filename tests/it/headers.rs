//! How much of a header is read, and in how many steps, before it is known for whom it is?

use std::{
    cell::Cell,
    io::{self, Read},
};

use twinseal::{DecapsulationKey, Error, Recipients, envelope::Header, stream::ReadAt};

use crate::common::errors::outcome;

const CTX: &[u8] = b"example.com/headers";
const MIB: usize = 1 << 20;

/// A header of recipients of the unknown suite 0x7fff, each with a ciphertext of its own length.
fn unknown(ciphertexts: impl ExactSizeIterator<Item = usize>) -> Vec<u8> {
    let count = u16::try_from(ciphertexts.len()).unwrap();
    let mut bytes = [b"twinseal\x01\x01", &count.to_be_bytes()[..]].concat();
    for (number, length) in ciphertexts.enumerate() {
        let key_id = (number as u128).to_be_bytes();
        let length = u16::try_from(length).unwrap();
        bytes.extend([&[0x7f, 0xff][..], &key_id, &length.to_be_bytes()].concat());
        bytes.resize(bytes.len() + usize::from(length) + 48, 0);
    }
    bytes.resize(bytes.len() + 32, 0);
    bytes
}

fn same(recipients: usize, ciphertext: usize) -> Vec<u8> {
    unknown((0..recipients).map(|_| ciphertext))
}

/// Counts the requests.
#[derive(Default)]
struct Counted {
    data: Vec<u8>,
    position: usize,
    reads: Cell<usize>,
    sizes: Cell<usize>,
}

impl Counted {
    fn new(data: Vec<u8>) -> Self {
        Self { data, ..Self::default() }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        let length = (&self.data[self.position..]).read(buffer)?;
        self.position += length;
        Ok(length)
    }
}

impl ReadAt for Counted {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.reads.set(self.reads.get() + 1);
        self.data[..].read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.sizes.set(self.sizes.get() + 1);
        Ok(self.data.len() as u64)
    }
}

fn refused<T>(result: Result<T, Error>) -> &'static str {
    match result.map(drop).expect_err("it is refused") {
        Error::Invalid { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_ciphertext_of_an_unknown_suite_has_a_bound() {
    let too_long = "it is longer than 8192 bytes";
    for length in [0, 1, 8191, 8192] {
        assert_eq!(Header::parse(&same(1, length)).unwrap().len(), 12 + 68 + length + 32);
    }
    for length in [8193, 65535] {
        assert_eq!(refused(Header::parse(&same(1, length))), too_long);
        // It is refused where its length is, not where it ends.
        assert_eq!(refused(Header::parse(&same(1, length)[..12 + 20])), too_long);
    }
    let second = unknown([8192, 8193].into_iter());
    assert_eq!(refused(Header::parse(&second)), too_long);
}

/// A header's first 12 bytes say how long it can be, before any of its recipients is there.
#[test]
fn a_header_says_how_long_it_can_be() {
    for header in [same(1, 0), same(1, 8192), same(3, 5), same(500, 8000), same(1000, 0)] {
        let range = Header::len_range(&header[..12]).unwrap();
        assert_eq!(Header::len_range(&header).unwrap(), range);
        assert!(range.contains(&Header::parse(&header).unwrap().len()), "{range:?}");
    }
    // The bounds are reached.
    for count in [1, 2, 500] {
        let len = |ciphertext| same(count, ciphertext).len();
        assert_eq!(Header::len_range(&same(count, 7)).unwrap(), len(0)..=len(8192));
    }
    let most = *Header::len_range(&same(1000, 7)).unwrap().end();
    assert_eq!((most, Header::MAX_LEN), (4 * MIB, 4 * MIB));

    // The parser refuses everything that is not the start of a header with the same error.
    let header = same(1, 0);
    for length in 0..12 {
        let start = &header[..length];
        assert_eq!(outcome(Header::len_range(start)), outcome(Header::parse(start)));
    }
    for index in 0..11 {
        let mut start = header[..12].to_vec();
        start[index] ^= 0x55;
        assert_eq!(outcome(Header::len_range(&start)), outcome(Header::parse(&start)));
    }
}

#[test]
fn a_header_has_a_bound() {
    // 1000 recipients with 4126 bytes each leave 260 bytes of 4 MiB for the last.
    let exactly = |more: usize| {
        let lengths = (0..1000).map(|number| if number == 999 { 4126 + 260 + more } else { 4126 });
        unknown(lengths.collect::<Vec<_>>().into_iter())
    };
    assert_eq!(exactly(0).len(), 4 * MIB);
    assert_eq!(Header::parse(&exactly(0)).unwrap().len(), 4 * MIB);
    assert_eq!(refused(Header::parse(&exactly(1))), "it is longer than 4 MiB");
    assert_eq!(refused(Header::parse(&same(1000, 8192))), "it is longer than 4 MiB");

    let key = DecapsulationKey::generate().unwrap();
    for sealed in [same(1000, 8192), exactly(1)] {
        let mut inner = Counted::new(sealed);
        let error = key.open_reader(CTX, &mut inner).unwrap_err();
        assert!(matches!(Error::inside(&error), Some(Error::Invalid { .. })), "{error}");
        assert!(inner.position <= 4 * MIB, "{} bytes were read", inner.position);
        assert!(key.open_at(CTX, &inner).is_err());
    }
}

/// Nothing behind the header is taken from the reader: it may be somebody else's.
#[test]
fn not_a_byte_more_is_read_of_a_stream() {
    let key = DecapsulationKey::generate().unwrap();
    for header in [same(1, 0), same(1, 8192), same(3, 5), same(1000, 0), same(700, 1700)] {
        let length = header.len();
        let mut inner = Counted::new([header, vec![7; 10_000]].concat());
        let error = key.open_reader(CTX, &mut inner).unwrap_err();
        assert!(matches!(Error::inside(&error), Some(Error::NotARecipient)), "{error}");
        assert_eq!(inner.position, length);
        inner.position = 0;
        assert_eq!(Header::read(&mut inner).unwrap().len(), length);
        assert_eq!(inner.position, length);
    }
}

#[test]
fn streams_are_read_in_large_pieces() {
    let key = DecapsulationKey::generate().unwrap();
    for (header, most) in [(same(1000, 0), 20), (same(1000, 1600), 400), (same(1, 8192), 10)] {
        let mut inner = Counted::new(header);
        key.open_reader(CTX, &mut inner).unwrap_err();
        assert!(inner.reads.get() <= most, "{} reads", inner.reads.get());
    }
}

#[test]
fn an_object_store_is_asked_seldom() {
    let key = DecapsulationKey::generate().unwrap();
    let one = key.encapsulation_key().seal(CTX, b"hello").unwrap();
    let mut to = vec![key.encapsulation_key().clone()];
    to.extend((1..300).map(|_| DecapsulationKey::generate().unwrap().encapsulation_key().clone()));
    let many = Recipients::new(&to).unwrap().seal(CTX, b"hello").unwrap();
    // The header with the prefix, then the last chunk; a header of 500 KB in blocks of up to 256 KiB.
    for (sealed, most) in [(one, 2), (many, 12)] {
        let source = Counted::new(sealed);
        let mut text = [0; 5];
        key.open_at(CTX, &source).unwrap().read_exact_at(&mut text, 0).unwrap();
        assert_eq!(&text, b"hello");
        let (reads, sizes) = (source.reads.get() - 1, source.sizes.get());
        assert!(reads <= most && sizes == 1, "{reads} reads, {sizes} questions for the size");
    }
}

/// Each attempt to parse the bytes that have arrived gets further by more than a field.
#[test]
fn a_parser_that_is_called_again() {
    let header = same(1000, 0);
    let mut attempts = 0;
    let mut known = 0;
    let parsed = loop {
        attempts += 1;
        match Header::parse(&header[..known]) {
            Err(Error::Truncated { needed, actual, .. }) => {
                assert!(actual == known && needed > known && needed <= header.len());
                known = needed;
            }
            parsed => break parsed.unwrap(),
        }
    };
    assert_eq!(parsed.recipients().count(), 1000);
    assert!(attempts <= 8, "{attempts}");
}
