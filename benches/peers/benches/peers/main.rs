//! twinseal beside other crates, the same task in the same run.
//!
//! `cargo bench --all-features` in benches/peers measures for publication, and writes docs/peers.md. With
//! `-- --quick` it takes about a minute, and writes to target/tmp/tables instead; with `-- --test` it runs every
//! measurement once, and writes nothing.
//!
//! Each row names what differs: X-Wing uses ML-KEM-768, `quantum-shield` signs with Ed25519, and `age` is
//! measured with only X25519, because it has no post-quantum key in software.

use std::process::ExitCode;

#[path = "../../../common/case.rs"]
mod case;
mod files;
mod kem;
#[path = "../../../common/libtest.rs"]
mod libtest;
#[path = "../../../tables/machine.rs"]
mod machine;
#[expect(dead_code, reason = "the tables have more kinds of figures")]
#[path = "../../../tables/markdown.rs"]
mod markdown;
#[expect(dead_code, reason = "the tables have more kinds of figures")]
#[path = "../../../tables/measure.rs"]
mod measure;
mod messages;
#[path = "../../../common/mode.rs"]
mod mode;
mod page;
#[path = "../../../../tests/common/providers.rs"]
mod providers;
#[path = "../../../tables/run.rs"]
mod run;
mod sign;

use measure::Effort;
use page::Results;

const CONTEXT: &[u8] = b"example.com/peers";

fn main() -> ExitCode {
    run::main("peers", |effort| {
        let cases = [kem::cases(), sign::cases(), messages::cases(), files::cases()];
        let results = Results::measure(effort, cases.into_iter().flatten().collect());
        let page = page::markdown(&results);
        if effort == Effort::Once {
            page::check(&results, &page);
        }
        vec![("docs/peers.md", page)]
    })
}
