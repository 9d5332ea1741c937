//! A model behind HTTP. Requests and answers are sealed and signed, so that nobody on the way can
//! read or change them.
//!
//! ```text
//! cargo run --release --example inference_service -- --help
//! ```
//!
//! Without a command it starts a service and clients in one process, shows which requests are
//! refused, and measures. `keys`, `serve` and `request` run it for real.

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

mod batch;
mod client;
mod demonstration;
mod gate;
mod keys;
mod listener;
mod pictures;
mod protocol;
mod sealed_http;
mod serve;
mod service;

use client::Client;
use common::{Target, printable};
use keys::ClientKeys;

/// Any error. The program only prints it.
type Failure = Box<dyn Error + Send + Sync>;

/// A model behind HTTP, with sealed and signed requests and answers.
#[derive(Debug, Parser)]
#[command(name = "inference_service", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    demonstration: demonstration::Settings,
    #[command(subcommand)]
    command: Option<Command>,
    /// How to log, on standard error
    #[arg(long, value_enum, default_value_t = Log::Text, global = true)]
    log: Log,
    /// What to log: error, warn, info, debug [default: info for `serve`, else error]
    #[arg(long, value_name = "LEVEL", global = true)]
    log_level: Option<LevelFilter>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// For people
    Text,
    /// A JSON object to a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make keys for a service and its first client in a new directory
    Keys {
        /// The directory to make
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Run the service
    Serve(serve::Settings),
    /// Ask a running service about a batch of pictures
    Request(Request),
}

#[derive(Clone, Debug, clap::Args)]
struct Request {
    /// The service
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The client's directory, as `keys` makes it
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// A safetensors file with "features", F32 of [rows, 64] [default: pictures drawn at random]
    #[arg(long, value_name = "FILE", conflicts_with = "rows")]
    input: Option<PathBuf>,
    /// How many pictures to draw
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
    /// Write the answer to this file, as safetensors with "probabilities", F32 of [rows, 10]
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    output: Option<PathBuf>,
    /// Ask for a line of text for each picture, and print each when it arrives
    #[arg(long)]
    generate: bool,
    /// Accept only results that are signed, with the key in service.sign.pem
    #[arg(long)]
    verify_answers: bool,
    /// Seconds to wait for the answer
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

fn main() -> ExitCode {
    let Arguments { demonstration, command, log, log_level } = common::arguments();
    let is_service = matches!(command, Some(Command::Serve(_)));
    start_log(
        log,
        log_level.unwrap_or(if is_service { LevelFilter::INFO } else { LevelFilter::ERROR }),
    );
    let result = match command {
        None => demonstration::run(&demonstration, &mut io::stdout().lock()),
        Some(Command::Keys { directory }) => keys::generate(&directory),
        Some(Command::Serve(settings)) => {
            runtime().and_then(|runtime| runtime.block_on(serve::run(settings)))
        }
        Some(Command::Request(settings)) => request(&settings),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // inference_service | head
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            common::complain("inference_service", error);
            ExitCode::FAILURE
        }
    }
}

fn start_log(log: Log, level: LevelFilter) {
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level);
    match log {
        Log::Text => builder.with_ansi(false).with_target(false).init(),
        Log::Json => builder.json().flatten_event(true).with_target(false).init(),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn request(settings: &Request) -> Result<(), Failure> {
    let keys = ClientKeys::read_dir(&settings.keys, settings.verify_answers)?;
    // Fail before the work, whose result would be lost.
    let target = settings.output.as_deref().map(Target::new).transpose()?;
    let client = Client::new(&settings.url, keys, Duration::from_secs(settings.timeout));
    let drawn = pictures::draw(settings.rows as usize);
    let input = match &settings.input {
        Some(path) => &fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => &drawn.file,
    };
    if settings.generate {
        return client.generate(input, |line| {
            let mut out = io::stdout().lock();
            writeln!(out, "{}", printable(line.trim_end()))?;
            Ok(out.flush()?)
        });
    }
    let result = client.predict(input)?;
    let said = match &settings.input {
        Some(_) => {
            let digits = pictures::recognise(&result)?;
            let shown: Vec<_> = digits.iter().take(32).map(usize::to_string).collect();
            let more = if digits.len() > shown.len() { " ..." } else { "" };
            format!("{} pictures: {}{more}", digits.len(), shown.join(" "))
        }
        None => format!("{} pictures, {} recognised", settings.rows, drawn.recognised(&result)?),
    };
    if let Some(target) = target {
        target.write(&result)?;
    }
    Ok(writeln!(io::stdout(), "{said}")?)
}

fn is_closed_pipe(error: &Failure) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
