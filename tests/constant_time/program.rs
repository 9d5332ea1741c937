//! One case on one provider, for Memcheck, which reports every branch and every address that depends on a secret.
//! tests/constant_time/run starts it; without arguments it lists providers and cases.

mod cases;
mod providers;
mod taint;

use std::{env, hint::black_box, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for provider in providers::NAMES {
                let cases = cases::CASES.iter().filter(|case| case.is_on(provider));
                cases.for_each(|case| println!("{provider} {}", case.name));
            }
            ExitCode::SUCCESS
        }
        _ if !taint::is_watched() => {
            eprintln!("it shows something only under Valgrind, on x86-64");
            ExitCode::FAILURE
        }
        ["self-test", leak] => self_test(leak),
        [provider, name] => {
            let case = cases::CASES.iter().find(|case| case.name == name).expect("a case");
            let provider = providers::named(provider).expect("a provider that runs here");
            (case.run)(provider).expect("the case");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("it takes a provider and a case");
            ExitCode::FAILURE
        }
    }
}

/// What must be reported, and what must not.
fn self_test(leak: &str) -> ExitCode {
    let key = [3_u8, 200];
    taint::secret(&key);
    let key = black_box(&key);
    let result = match leak {
        "branch" => branches(key[0]),
        "index" => indexes(key[0]),
        "nothing" => computes(key),
        _ => return ExitCode::FAILURE,
    };
    if taint::is_secret(&[result]) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[inline(never)]
fn branches(secret: u8) -> u8 {
    // A call that is made or not cannot become a conditional move.
    if secret > 100 { black_box(computes)(&[secret, 1]) } else { secret }
}

#[inline(never)]
fn indexes(secret: u8) -> u8 {
    black_box([7; 256])[usize::from(secret)]
}

#[inline(never)]
fn computes(secret: &[u8; 2]) -> u8 {
    secret[0].wrapping_mul(secret[1])
}
