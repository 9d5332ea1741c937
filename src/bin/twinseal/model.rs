//! `model sign` and `model verify`: signatures of directories.

use std::{io, num::NonZeroU64, path::Path, sync::OnceLock};

use twinseal::{
    Error, ModelRefusal,
    model::{Checking, Method, Progress, Signing},
};

use crate::{
    args::{ModelSign, ModelVerify},
    console::Console,
    failure::{self, Failure},
    keys,
    name::{self, Name},
    output::{Content, Output, Sources},
    readers,
};

mod bundle;
mod claim;
mod ignored;
mod inside;
mod left_out;
mod own_path;
mod report;

pub(crate) use bundle::read_claim;
pub(crate) use claim::{claim_to_json, claim_to_text, files_to_json, files_to_text};
use ignored::Ignored;
use left_out::LeftOut;
pub(crate) use report::files;

pub(crate) fn sign(args: &ModelSign, console: &Console) -> Result<(), Failure> {
    let keys = [&args.key].into_iter().chain(&args.passphrase.file);
    readers::check(keys.clone().map(|path| Some(path.as_path())))?;
    let name = model_name(&args.model, true)?;
    let ignored = Ignored::new(&args.ignore, &args.model)?;
    ignored.check_can_be_listed()?;
    if let Some(size) = args.shard_size.filter(|size| size.get() > 1 << 53) {
        return Err(Failure::usage(format!("--shard-size {size}: it is larger than 2^53")));
    }
    for path in keys {
        refuse_secret(path, &args.model, &ignored)?;
    }
    let create = || {
        let sources = Sources::default().and_keys([&args.key]).and_keys(&args.passphrase.file);
        Output::create(args.output.as_deref(), Content::Text, &sources)
    };
    let output = create()?;
    let own_path = match output.stream() {
        Some(file) => own_path::of_stream(file, output.name(), &args.model, &ignored)?,
        None => own_path::of_file(args.output.as_deref(), &args.model)?,
    };
    // A file is made again at the end: until then it could have a name, and be in the model. A stream stays open: the
    // reader of a FIFO would take the end of this for the end of the bundle.
    let stream = Some(output).filter(|output| output.stream().is_some());
    ignored.note_missing(&args.model, console);
    let key = keys::signing(&args.key, &args.passphrase, console)?;

    let progress = bar(console);
    let mut signing = Signing::new().progress(&progress);
    for path in ignored.paths() {
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
    let signed = signing.sign(&key, &args.model);
    let bundle = signed.map_err(|error| match Error::inside(&error) {
        Some(Error::Model(ModelRefusal::TooLarge)) => too_large(args.shard_size, &name),
        _ => about(&name, &error),
    })?;
    console.finish();
    stream.map_or_else(create, Ok)?.write_whole(bundle.as_bytes())
}

pub(crate) fn verify(args: &ModelVerify, console: &Console) -> Result<(), Failure> {
    let keys = args.keys.iter().chain(&args.trust.ca).chain([&args.signature]);
    readers::check(keys.map(|path| Some(path.as_path())))?;
    let name = model_name(&args.model, false)?;
    let ignored = Ignored::new(&args.ignore, &args.model)?;
    let output = Output::create(None, Content::Text, &Sources::default())?;
    let trusted = keys::trusted(args, console)?;
    // Before the bundle is read: what takes its name afterwards is not left out. Standard input is not a file of the
    // model, also if one is called `-`.
    let is_file = !name::is_standard(&args.signature);
    let own_path = is_file.then(|| inside::within(&args.signature, &args.model)).flatten();
    if own_path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        let reason = "it is named as the model and as its signature (-s); name the bundle with -s";
        return Err(Failure::of(&name, reason));
    }
    let (bundle, bundle_name) = bundle::open(&args.signature)?;
    let verified = bundle.verify(&trusted);
    let manifest = verified.map_err(|error| bundle::refused(&bundle_name, &error))?;
    ignored.check_unsigned(&manifest)?;
    ignored.note_missing(&args.model, console);

    let progress = bar(console);
    let mut checking = Checking::new().progress(&progress);
    if args.ignore_unsigned {
        checking = checking.ignore_unsigned();
    }
    for path in ignored.paths() {
        checking = checking.ignore(path);
    }
    let report_paths = own_path::of_report(&output, &args.model, &manifest)?;
    for path in &report_paths {
        checking = checking.ignore(path);
    }
    if let Some(path) = &own_path {
        checking = checking.signature(path);
    }
    let report = checking.check(&manifest, &args.model).map_err(|error| about(&name, &error))?;
    console.finish();
    let left_out = LeftOut { report: report_paths, is_strict: args.refuse_ignored };
    let text = match args.json {
        true => report::to_json(&report, &manifest, &left_out, &args.model),
        false => report::to_text(&report, &manifest, &left_out, &name),
    };
    output.write_whole(text.as_bytes())?;
    report::outcome(&report, &left_out, &name)
}

/// The model must be a directory or a file of its own: a stream has no name to sign.
fn model_name(model: &Path, for_signing: bool) -> Result<Name, Failure> {
    if name::is_standard(model) {
        return Err(Failure::usage("a model is a directory or a file, not standard input"));
    }
    let name = Name::quoted(model);
    let metadata = model.metadata().map_err(|error| Failure::reading(&name, &error))?;
    let path = model.canonicalize().map_err(|error| Failure::reading(&name, &error))?;
    let reason = match path.file_name().map(|name| name.to_str()) {
        None if for_signing => {
            "it is the root of a file system, which has no name; sign a directory in it"
        }
        Some(None) if for_signing || !metadata.is_dir() => {
            "its name is not UTF-8, so it cannot be signed; rename it"
        }
        _ => return Ok(name),
    };
    Err(Failure::of(&name, reason))
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

/// A private key or a passphrase that is in the model would be published with it.
fn refuse_secret(path: &Path, model: &Path, ignored: &Ignored) -> Result<(), Failure> {
    let name = match name::is_standard(path) {
        true => Name::standard_input(),
        false => Name::of(path),
    };
    for inside in inside::paths_of(path, model) {
        if inside.as_os_str().is_empty() {
            let reason = "it is named as the key and as the model; name the model last";
            return Err(Failure::of(&name, reason));
        }
        if !ignored.cover(&inside) {
            return Err(Failure::of(
                &name,
                format_args!(
                    "it is secret, but in the model, and would be signed and published with it; move it elsewhere, \
                     or leave it out with --ignore {}",
                    Name::quoted(&inside)
                ),
            ));
        }
    }
    Ok(())
}

/// More than a bundle can list.
fn too_large(shard_size: Option<NonZeroU64>, name: &Name) -> Failure {
    match shard_size {
        Some(size) => Failure::usage(format!(
            "--shard-size {size}: {name} has more than 1048576 shards of this size, of which each file has at least \
             one, or its names are too long for one signature; choose a larger size, or sign its directories one by one"
        )),
        None => Failure::of(
            name,
            "it has more than 1048576 files, or their names are too long for one signature; sign its directories one \
             by one",
        ),
    }
}

/// An error about the model, or about a file in it, which the text names then.
fn about(name: &Name, error: &io::Error) -> Failure {
    match Error::inside(error) {
        Some(Error::Model(ModelRefusal::IgnoredPaths)) => {
            Failure::usage(format!("--ignore: {error}"))
        }
        Some(Error::External(_) | Error::Randomness) => Failure::of(name, error),
        Some(Error::Model(ModelRefusal::NameOfFile)) => {
            Failure::with_name_inside(format!("{error}; rename it, or ignore a directory above it"))
        }
        Some(Error::Model(ModelRefusal::ChangedWhileRead)) => Failure::with_name_inside(format!(
            "{error}; run the command again when nothing writes to it"
        )),
        Some(Error::Model(ModelRefusal::Empty)) => {
            Failure::with_name_inside(format!("{error}; name the directory that has them"))
        }
        Some(Error::Model(_)) | None => Failure::with_name_inside(failure::without_number(error)),
        Some(other) => Failure::of(name, other),
    }
}
