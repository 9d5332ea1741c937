//! How criterion runs cases: a group for each operation.

use criterion::{BenchmarkId, Criterion, Throughput};

use super::case::Case;

pub(crate) fn run(c: &mut Criterion, cases: &[Case]) {
    let mut groups: Vec<&str> = Vec::new();
    for case in cases {
        if !groups.contains(&&*case.group) {
            groups.push(&case.group);
        }
    }
    for name in groups {
        let mut group = c.benchmark_group(name);
        for case in cases.iter().filter(|case| case.group == name) {
            if let Some(bytes) = case.bytes {
                group.throughput(Throughput::Bytes(bytes));
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
