//! `model sign` and `model verify`: signatures of directories.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use twinseal::{
    Error, ModelRefusal,
    model::{Bundle, Checking, Method, Progress, Signing},
};

use crate::{
    args::{ModelSign, ModelVerify},
    console::Console,
    failure::{self, Failure},
    input::Input,
    keys,
    kind::{self, FileKind},
    name::{self, Name},
    output::{Content, Output, Sources},
    readers,
};

mod claim;
mod report;

pub(crate) use claim::{claim_to_json, claim_to_text};
pub(crate) use report::files;

/// The longest bundle, in bytes: that of the library.
const MAX_BUNDLE: u64 = 512 * 1024 * 1024;

pub(crate) fn sign(args: &ModelSign, console: &Console) -> Result<(), Failure> {
    let keys = [&args.key].into_iter().chain(&args.passphrase.file);
    readers::check(keys.map(|path| Some(path.as_path())))?;
    let name = model_name(&args.model)?;
    let own_path = bundle_in_model(args.output.as_deref(), &args.model)?;
    let create = || {
        let sources = Sources::default().and_keys([&args.key]).and_keys(&args.passphrase.file);
        Output::create(args.output.as_deref(), Content::Text, &sources)
    };
    // It is made again at the end: until then it could have a name, and be in the model.
    drop(create()?);
    let key = keys::signing(&args.key, &args.passphrase, console)?;

    let progress = bar(console);
    let mut signing = Signing::new().progress(&progress);
    for path in &args.ignore {
        signing = signing.ignore(path);
    }
    if let Some(path) = own_path {
        signing = signing.signature(path);
    }
    if args.whole_files {
        signing = signing.method(Method::Files);
    }
    if let Some(size) = args.shard_size {
        signing = signing.method(Method::Shards(size));
    }
    let bundle = signing.sign(&key, &args.model).map_err(|error| about(&name, &error))?;
    console.finish();
    create()?.write_whole(bundle.as_bytes())
}

pub(crate) fn verify(args: &ModelVerify, console: &Console) -> Result<(), Failure> {
    let keys = args.keys.iter().chain(&args.trust.ca).chain([&args.signature]);
    readers::check(keys.map(|path| Some(path.as_path())))?;
    let name = model_name(&args.model)?;
    let trusted = keys::trusted(args, console)?;
    // Before the bundle is read: what takes its name afterwards is not left out. Standard input is not a file of the
    // model, also if one is called `-`.
    let is_file = !name::is_standard(&args.signature);
    let own_path = is_file.then(|| within(&args.signature, &args.model)).flatten();
    let (bundle, bundle_name) = read_bundle(&args.signature)?;
    let manifest = bundle.verify(&trusted).map_err(|error| refused(&bundle_name, &error))?;

    let progress = bar(console);
    let mut checking = Checking::new().progress(&progress);
    if args.ignore_unsigned {
        checking = checking.ignore_unsigned();
    }
    for path in &args.ignore {
        checking = checking.ignore(path);
    }
    if let Some(path) = own_path {
        checking = checking.signature(path);
    }
    let report = checking.check(&manifest, &args.model).map_err(|error| about(&name, &error))?;
    console.finish();
    let text = match args.json {
        true => report::to_json(&manifest, &report, &args.model),
        false => report::to_text(&manifest, &report, &name),
    };
    Output::create(None, Content::Text, &Sources::default())?.write_whole(text.as_bytes())?;
    report::outcome(&report, &name)
}

/// The model must be a directory or a file of its own: a stream has no name to sign.
fn model_name(model: &Path) -> Result<Name, Failure> {
    if name::is_standard(model) {
        return Err(Failure::usage("a model is a directory or a file, not standard input"));
    }
    let name = Name::of(model);
    model.symlink_metadata().map_err(|error| Failure::reading(&name, &error))?;
    Ok(name)
}

/// A bar that starts when the amount of work is known.
fn bar(console: &Console) -> impl Fn(Progress) + Sync {
    let console = console.clone();
    let started = OnceLock::new();
    move |progress: Progress| {
        let bar: &Console = started.get_or_init(|| {
            let mut console = console.clone();
            console.start(Some(progress.total));
            console
        });
        bar.reach(progress.done);
    }
}

/// Where in the model the bundle will be, if it will be in it.
///
/// What is there already is left out of the model, and replaced at the end: it must be a bundle, too.
fn bundle_in_model(output: Option<&Path>, model: &Path) -> Result<Option<PathBuf>, Failure> {
    let Some(output) = output.filter(|path| !name::is_standard(path)) else { return Ok(None) };
    let Some(path) = within(output, model) else { return Ok(None) };
    if !output.is_file() {
        return Ok(Some(path));
    }
    let mut input = Input::open(Some(output))?;
    let mut first = Vec::new();
    let read = input.by_ref().take(kind::ENOUGH as u64).read_to_end(&mut first);
    read.map_err(|error| Failure::from_io(error, input.name()))?;
    let is_model = path.as_os_str().is_empty();
    match kind::of(&first) {
        FileKind::Empty | FileKind::ModelBundle if !is_model => Ok(Some(path)),
        _ => Err(Failure::of(
            input.name(),
            "it is a file of the model and would be overwritten; name another file with -o",
        )),
    }
}

/// The path of a file relative to a directory that it is in, or will be in; empty if both are the same.
fn within(file: &Path, directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let file = file.canonicalize().ok().or_else(|| {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?))
    })?;
    Some(file.strip_prefix(directory).ok()?.into())
}

fn read_bundle(path: &Path) -> Result<(Bundle, Name), Failure> {
    let mut input = Input::open(Some(path))?;
    let name = input.name().clone();
    let bundle = bundle(&mut input, &name)?;
    Ok((bundle, name))
}

/// Reads a bundle to its end.
pub(crate) fn bundle(input: &mut impl Read, name: &Name) -> Result<Bundle, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_BUNDLE + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::from_io(error, name))?;
    match kind::of(&bytes) {
        FileKind::ModelBundle | FileKind::Other(_) | FileKind::Unknown => {
            Bundle::from_bytes(bytes).map_err(|error| refused(name, &error))
        }
        FileKind::Empty => Err(Failure::of(name, "it is empty; fetch it again")),
        kind => Err(Failure::of(
            name,
            format_args!(
                "it is {kind}, not the signature of a model; name with -s the file that `twinseal model \
                 sign` wrote"
            ),
        )),
    }
}

/// A bundle that is refused.
fn refused(name: &Name, error: &Error) -> Failure {
    let advice = match error {
        Error::Verify => {
            return Failure::of(
                name,
                "the signature does not verify: the bundle was changed; do not use the model",
            );
        }
        Error::Model(ModelRefusal::AnotherKey) => {
            "name the signer's public key with -p, if you trust it"
        }
        Error::Model(ModelRefusal::Certificate | ModelRefusal::AnotherAlgorithm) => {
            "verify it with the tool that made it"
        }
        Error::Model(ModelRefusal::OldRelease) => "do not use the model",
        Error::Model(_) => "ask the signer for a bundle of OpenSSF Model Signing 1.0",
        _ => "fetch it again",
    };
    Failure::of(name, format_args!("{error}; {advice}"))
}

/// An error about the model, or about a file in it, which the text names then.
fn about(name: &Name, error: &io::Error) -> Failure {
    match Error::inside(error) {
        Some(Error::Model(ModelRefusal::IgnoredPaths)) => {
            Failure::usage(format!("--ignore: {error}"))
        }
        Some(Error::External(_) | Error::Randomness) => Failure::of(name, error),
        Some(Error::Model(_)) | None => Failure::with_name_inside(failure::without_number(error)),
        Some(other) => Failure::of(name, other),
    }
}
