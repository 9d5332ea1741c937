//! Signs a model checkpoint, seals it for two recipients, opens it as each of them, and shows what
//! happens when something is wrong.
//!
//! ```text
//! cargo run --release --example quickstart [FILE]
//! ```

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};
use twinseal::{DecapsulationKey, Recipients, SigningKey};

/// What the data is for: what is signed or sealed for one purpose is refused for another.
const CONTEXT: &[u8] = b"example.com/checkpoints/v1";

const HELP: &str = "\
Usage: quickstart [FILE]

Signs FILE, seals it for two recipients, opens it as each of them, and shows
what happens when something is wrong. FILE can be any file that fits into
memory three times; it is not changed. Without FILE, a model checkpoint is
made. Nothing is left behind.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS, // quickstart | head -1
        Err(error) => {
            // `eprintln!` panics if standard error is closed.
            let _ = writeln!(io::stderr(), "quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?; // removed with all its files when dropped
    let path = match arguments {
        [] => write_checkpoint(folder.path().join("model.safetensors"))?,
        [flag] if flag == "--help" || flag == "-h" => return Ok(out.write_all(HELP.as_bytes())?),
        [path] if !path.as_encoded_bytes().starts_with(b"-") => PathBuf::from(path),
        _ => return Err("expected one file or nothing, see --help".into()),
    };
    if !fs::metadata(&path).map_err(at(&path))?.is_file() {
        return Err(format!("{path:?}: it is not a regular file").into());
    }
    seal_and_open(&path, &folder.path().join("model.sealed"), out)
}

fn seal_and_open(
    path: &Path,
    sealed_path: &Path,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let checkpoint = fs::read(path).map_err(at(path))?;
    let size = checkpoint.len();
    let kind = match SafeTensors::deserialize(&checkpoint) {
        Ok(tensors) => format!("safetensors, {} tensors", tensors.len()),
        Err(_) => "not safetensors, but any file will do".into(),
    };
    writeln!(out, "{:?}: {kind}", path.file_name().unwrap_or_default())?;

    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    writeln!(out, "\nTime, {build} build")?;
    let (bob, time) = timed(DecapsulationKey::generate)?;
    step(out, "generate bob's key", time, 0)?;
    let (alice, time) = timed(SigningKey::generate)?;
    step(out, "generate alice's key", time, 0)?;
    let carol = DecapsulationKey::generate()?;

    let file = File::open(path).map_err(at(path))?;
    let (signature, time) = timed(|| alice.sign_reader(CONTEXT, file)).map_err(at(path))?;
    step(out, "sign as alice", time, size)?;

    let recipients = Recipients::new([bob.encapsulation_key(), carol.encapsulation_key()])?;
    let (sealed, time) = timed(|| recipients.seal(CONTEXT, &checkpoint))?;
    step(out, "seal for bob and carol", time, size)?;
    fs::write(sealed_path, sealed).map_err(at(sealed_path))?;

    let mut sealed = fs::read(sealed_path).map_err(at(sealed_path))?;
    for (name, key) in [("bob", &bob), ("carol", &carol)] {
        let (opened, time) = timed(|| key.open(CONTEXT, &sealed))?;
        step(out, &format!("open as {name}"), time, size)?;
        let (_, time) = timed(|| alice.verifying_key().verify(CONTEXT, &opened, &signature))?;
        step(out, "verify alice's signature", time, size)?;
    }

    writeln!(out, "\nBytes")?;
    let bob_public = bob.encapsulation_key().as_bytes();
    let alice_public = alice.verifying_key().as_bytes();
    let mut row = |what: &str, bytes: usize, note: &str| {
        let row = format!("  {what:<22} {bytes:>14}  {note}");
        writeln!(out, "{}", row.trim_end())
    };
    row("bob's private key", bob.seed().len(), "")?;
    row("bob's public key", bob_public.len(), bob.suite().name())?;
    row("alice's private key", alice.secret_bytes().len(), "")?;
    row("alice's public key", alice_public.len(), alice.suite().name())?;
    row("file", size, "")?;
    row("signature", signature.as_bytes().len(), "")?;
    row("sealed file", sealed.len(), "")?;
    if size > 0 {
        let added = sealed.len() + signature.as_bytes().len() - size;
        let percent = format!("{:.2} %", 100.0 * added as f64 / size as f64);
        let expected = "(the article: 20-35 % for checkpoints)";
        writeln!(out, "  growth, with signature {percent:>14}  {expected}")?;
    }

    let stranger = DecapsulationKey::generate()?.open(CONTEXT, &sealed);
    let elsewhere = bob.open(b"example.com/logs", &sealed);
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    let flipped = bob.open(CONTEXT, &sealed);
    let replaced = alice.verifying_key().verify(CONTEXT, &sealed, &signature);

    writeln!(out, "\nWhat must fail")?;
    for (what, result) in [
        ("open with another key", stranger.map(drop)),
        ("open in another context", elsewhere.map(drop)),
        ("open with one bit flipped", flipped.map(drop)),
        ("verify the signature of another file", replaced),
    ] {
        let error = result.err().ok_or("what must fail has succeeded")?;
        writeln!(out, "  {what}\n    {error}")?;
    }
    Ok(())
}

/// Writes a small language model in bfloat16, with weights between -0.02 and 0.02.
fn write_checkpoint(path: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    let mut shapes = vec![("model.embed_tokens.weight".to_owned(), vec![4096, 512])];
    for layer in 0..4 {
        for (name, shape) in [
            ("input_layernorm", vec![512]),
            ("self_attn.qkv_proj", vec![1536, 512]),
            ("self_attn.o_proj", vec![512, 512]),
            ("mlp.up_proj", vec![1408, 512]),
            ("mlp.down_proj", vec![512, 1408]),
        ] {
            shapes.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    let weight = |index: u32| {
        let fraction = index.wrapping_mul(0x9e37_79b9) as f32 / u32::MAX as f32;
        ((fraction - 0.5) * 0.04).to_bits().to_be_bytes() // bfloat16 is the upper half
    };
    let weights: Vec<u8> =
        (0..4096 * 512).map(weight).flat_map(|[high, low, ..]| [low, high]).collect();
    let tensors = shapes.into_iter().map(|(name, shape)| {
        let bytes = 2 * shape.iter().product::<usize>();
        Ok((name, TensorView::new(Dtype::BF16, shape, &weights[..bytes])?))
    });
    let tensors: Vec<_> = tensors.collect::<Result<_, SafeTensorError>>()?;
    safetensors::serialize_to_file(tensors, None, &path)?;
    Ok(path)
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let start = Instant::now();
    Ok((work()?, start.elapsed()))
}

/// Prints a step's time, and its speed unless there is too little data for one.
fn step(out: &mut impl Write, what: &str, time: Duration, bytes: usize) -> io::Result<()> {
    let (seconds, mib) = (time.as_secs_f64(), bytes as f64 / f64::from(1 << 20));
    write!(out, "  {what:<24} {:>9.2} ms", seconds * 1e3)?;
    if mib >= 1.0 {
        write!(out, "{:>8.0} MiB/s", mib / seconds)?;
    }
    writeln!(out)
}

/// Names the file that an error is about.
fn at(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{path:?}: {error}")
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
