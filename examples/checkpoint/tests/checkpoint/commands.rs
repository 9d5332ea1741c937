//! Does `checkpoint` seal, read one tensor and rotate, and does it read as little as promised?

use std::{
    fs,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tempfile::TempDir;
use twinseal::{
    DecapsulationKey,
    envelope::{BodyKey, Header, Sealer},
};

use support::example::{example, names};

/// The default of the example.
pub(crate) const CONTEXT: &[u8] = b"example.com/checkpoints/v1";

/// A tensor that is larger than a chunk and starts in the middle of one.
pub(crate) const TENSOR: &str = "layer.200";

/// Keys in files, a checkpoint in a file, and a store.
pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
    pub(crate) keys: [DecapsulationKey; 3],
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let keys = [(); 3].map(|()| DecapsulationKey::generate().unwrap());
        for (index, key) in keys.iter().enumerate() {
            key.write_pem_file(directory.path().join(format!("{index}.pem"))).unwrap();
            let public = key.encapsulation_key().to_pem();
            fs::write(directory.path().join(format!("{index}.pub.pem")), public).unwrap();
        }
        fs::write(directory.path().join("model.safetensors"), model()).unwrap();
        Self { directory, keys }
    }

    /// With the checkpoint sealed for the keys 0 and 1.
    pub(crate) fn sealed() -> Self {
        let fixture = Self::new();
        let (file, place) = (fixture.path("model.safetensors"), fixture.place());
        let (aws, gcp) = (fixture.path("0.pub.pem"), fixture.path("1.pub.pem"));
        example("checkpoint", ["seal", &file, &place, "-r", &aws, "-r", &gcp]).prints();
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn place(&self) -> String {
        self.path("store/step-1000")
    }

    pub(crate) fn object(&self, name: &str) -> PathBuf {
        Path::new(&self.place()).join(name)
    }

    /// Where in the body the middle of [`TENSOR`] is.
    pub(crate) fn middle_of_tensor(&self) -> usize {
        let model = fs::read(self.path("model.safetensors")).unwrap();
        let (length, metadata) = SafeTensors::read_metadata(&model).unwrap();
        let (start, end) = metadata.info(TENSOR).unwrap().data_offsets;
        let position = 8 + length + (start + end) / 2;
        BodyKey::PREFIX_LEN + position + position / Sealer::CHUNK_LEN * Sealer::TAG_LEN
    }

    /// The two objects as one ordinary envelope.
    fn envelope(&self, header: &str) -> Vec<u8> {
        [fs::read(self.object(header)).unwrap(), fs::read(self.object("body")).unwrap()].concat()
    }
}

/// A safetensors file with more metadata than fits into a chunk.
fn model() -> Vec<u8> {
    let weights: Vec<u8> = (0..200_000_u32).map(|index| (index ^ (index >> 8)) as u8).collect();
    let tensors = (0..500).map(|layer| {
        let length = if layer == 200 { 100_000 } else { 1000 + layer };
        let view = TensorView::new(Dtype::U8, vec![length], &weights[layer..layer + length]);
        (format!("layer.{layer}"), view.unwrap())
    });
    safetensors::serialize(tensors, None).unwrap()
}

fn tensor(file: &[u8]) -> Vec<u8> {
    SafeTensors::deserialize(file).unwrap().tensor(TENSOR).unwrap().data().to_vec()
}

/// `read 123 bytes of 456 (27 %), in 5 requests`
fn traffic(printed: &str) -> [u64; 3] {
    let row = printed.lines().rfind(|line| line.trim_start().starts_with("read ")).unwrap();
    let numbers: Vec<_> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn the_demonstration() {
    let printed = example("checkpoint", ["--size", "9"]).prints();
    let [read, of, requests] = traffic(&printed);
    assert!(of > 9 << 20);
    assert!(read < 3 << 20, "{read}");
    assert_eq!(requests, 5);
    for expected in [
        "  the same as in the file\n",
        "  with the key of azure: the same\n",
        "azure's new key\n    opens\n",
        "azure's old key\n    not addressed to this key\n",
        "with header.previous\n    opens\n",
        "somebody else's key\n    not addressed to this key\n",
        "another context\n    opening failed",
        "the same place\n    ",
    ] {
        assert!(printed.contains(expected), "{expected:?} is not in {printed}");
    }
}

#[test]
fn the_demonstration_leaves_nothing_in_a_store() {
    let store = tempfile::tempdir().unwrap();
    fs::write(store.path().join("mine"), "").unwrap();
    for url in [store.path().display().to_string(), format!("file://{}/", store.path().display())] {
        let printed = example("checkpoint", ["--size", "9", "--store", &url]).prints();
        assert!(printed.contains(store.path().to_str().unwrap()));
        for left in names(store.path()) {
            // With a URL an empty directory stays: stores have no directories.
            assert!(left == "mine" || names(&store.path().join(left)).is_empty());
        }
    }
}

#[test]
fn seal_and_read() {
    let fixture = Fixture::sealed();
    assert_eq!(names(Path::new(&fixture.place())), ["body", "header"]);
    let model = fs::read(fixture.path("model.safetensors")).unwrap();
    let sealed = fixture.envelope("header");
    for key in &fixture.keys[..2] {
        assert!(key.open(CONTEXT, &sealed).unwrap()[..] == model);
    }

    // With several keys, the one that fits is used.
    let (place, key, other) = (fixture.place(), fixture.path("1.pem"), fixture.path("2.pem"));
    let listed = example("checkpoint", ["read", &place, "-k", &other, "-k", &key]).prints();
    assert_eq!(listed.lines().filter(|line| line.contains(" U8 [")).count(), 500);
    assert!(listed.contains("  layer.200  U8 [100000], 100000 bytes\n"));

    let output = fixture.path("one.safetensors");
    let arguments = ["read", &place, "-k", &key, "-t", TENSOR, "-o", &output];
    let printed = example("checkpoint", arguments).prints();
    let one = fs::read(&output).unwrap();
    #[cfg(unix)]
    {
        // Only a regular file is replaced: /dev/stdout is a link.
        let link = fixture.path("link");
        std::os::unix::fs::symlink(&output, &link).unwrap();
        let arguments = ["read", &place, "-k", &key, "-t", TENSOR, "-o", &link];
        let refused = example("checkpoint", arguments).refuses();
        assert!(refused.contains("not a regular file"), "{refused}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
    assert_eq!(SafeTensors::deserialize(&one).unwrap().names(), [TENSOR]);
    assert!(tensor(&one) == tensor(&model));

    let [read, of, requests] = traffic(&printed);
    assert_eq!(of, sealed.len() as u64);
    // The header; the body's prefix and last chunk; the metadata in two; the tensor.
    assert_eq!(requests, 6);
    let chunks = |bytes: u64| (bytes / 16384 + 2) * 16400;
    assert!(read < 100_000 + chunks(0) * 4 + chunks(40_000), "{read}");
    assert!(read < of / 2, "{read} of {of}");
}

#[test]
fn rewrap() {
    let fixture = Fixture::sealed();
    let (place, old, other) = (fixture.place(), fixture.path("1.pem"), fixture.path("0.pem"));
    let (new, to) = (fixture.path("2.pem"), fixture.path("2.pub.pem"));
    let before = fixture.envelope("header");
    let modified = || fs::metadata(fixture.object("body")).unwrap().modified().unwrap();
    let body_written = modified();

    let printed = example("checkpoint", ["rewrap", &place, "-k", &old, "-r", &to]).prints();
    let header = fs::read(fixture.object("header")).unwrap();
    assert!(printed.contains(&format!("{} bytes, replaced", header.len())));
    assert_eq!(Header::parse(&header).unwrap().recipients().count(), 1);
    assert_eq!(names(Path::new(&place)), ["body", "header", "header.previous"]);
    assert_eq!(modified(), body_written);

    // The lengths of the headers differ, the body is the same.
    let printed = example("checkpoint", ["read", &place, "-k", &new, "-t", TENSOR]).prints();
    assert!(printed.contains(TENSOR));
    for old in [&old, &other] {
        let refused = example("checkpoint", ["read", &place, "-k", old]).refuses();
        assert_eq!(refused, "checkpoint: not addressed to this key\n");
        let refused = example("checkpoint", ["rewrap", &place, "-k", old, "-r", &to]).refuses();
        assert_eq!(refused, "checkpoint: not addressed to this key\n");
    }
    assert!(fixture.envelope("header.previous") == before);
    fixture.keys[1].open(CONTEXT, &before).unwrap();
    let after = fixture.envelope("header");
    fixture.keys[2].open(CONTEXT, &after).unwrap();
}

#[test]
fn any_file_and_any_context() {
    let fixture = Fixture::new();
    let (key, to) = (fixture.path("0.pem"), fixture.path("0.pub.pem"));
    for length in [0, 1, 16_384, 40_000] {
        let (file, place) = (fixture.path("file"), fixture.path(&format!("store/{length}")));
        let content = vec![7; length];
        fs::write(&file, &content).unwrap();
        let context = ["-c", "example.com/other"];
        let arguments = ["seal", &file, &place, "-r", &to];
        example("checkpoint", arguments.into_iter().chain(context)).prints();
        let read = |name| fs::read(Path::new(&place).join(name)).unwrap();
        let sealed = [read("header"), read("body")].concat();
        assert!(fixture.keys[0].open(b"example.com/other", &sealed).unwrap()[..] == content);

        let arguments = ["read", &place, "-k", &key];
        let refused = example("checkpoint", arguments.into_iter().chain(context)).refuses();
        assert!(refused.contains("not a safetensors file"), "{refused}");
    }
}
