//! Runs cases: with criterion, in a group for each operation, or as tests, each once.

use std::env;

use criterion::{BenchmarkId, Criterion, Throughput};

use super::{case::Case, libtest::Options, mode};

pub(crate) fn main(cases: &[Case]) {
    if mode::testing() {
        let options = Options::new(env::args().skip(1));
        cases.iter().for_each(|case| run_once(case, &options));
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, cases);
    criterion.final_summary();
}

/// Runs a case as a test, if it is asked for.
fn run_once(case: &Case, options: &Options) {
    let name = format!("{}/{}/{}", case.group, case.name, case.provider);
    if options.runs(&name) {
        println!("{name}");
        case.prepare()();
    }
}

fn measure(criterion: &mut Criterion, cases: &[Case]) {
    let mut groups: Vec<&str> = Vec::new();
    for case in cases {
        if !groups.contains(&&*case.group) {
            groups.push(&case.group);
        }
    }
    for name in groups {
        let mut group = criterion.benchmark_group(name);
        for case in cases.iter().filter(|case| case.group == name) {
            if let Some(bytes) = case.bytes {
                group.throughput(Throughput::Bytes(bytes));
                // A call takes tens of milliseconds.
                group.sample_size(if bytes < 64 << 20 { 100 } else { 10 });
            }
            let mut prepared = None;
            group.bench_function(BenchmarkId::new(&case.name, case.provider), |b| {
                let run = prepared.get_or_insert_with(|| case.prepare());
                b.iter(run);
            });
        }
        group.finish();
    }
}
