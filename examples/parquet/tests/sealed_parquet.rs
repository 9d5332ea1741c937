//! Does the example read a part of a sealed Parquet file, and does it fetch only that?

use support::example::example;

/// The numbers in a line.
fn numbers(line: &str) -> Vec<u64> {
    line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn a_part_is_read_and_only_that_is_fetched() {
    let output = example("sealed_parquet", [""; 0]).prints();
    let lines: Vec<_> = output.lines().collect();
    let [table, _, sealed, plain, last] = lines[..] else { panic!("{output}") };
    assert_eq!(last, "both are the rows that were written");

    let [rows, size, in_the_bucket] = numbers(table)[..] else { panic!("{table}") };
    assert_eq!(rows, 200_000);
    // 69 bytes, and 16 for each chunk, of which the last one is shorter than 16 KiB.
    assert_eq!(in_the_bucket, size + 69 + 16 * (size / 16384 + 1));

    let [rows, sealed_requests, sealed_bytes] = numbers(sealed)[..] else { panic!("{sealed}") };
    assert_eq!(rows, 4000);
    let [rows, plain_requests, plain_bytes] = numbers(plain)[..] else { panic!("{plain}") };
    assert_eq!(rows, 4000);
    assert!(plain_bytes * 10 < size, "most of the table is not fetched: {output}");
    assert!(sealed_bytes * 100 < plain_bytes * 110, "{output}");
    assert!(sealed_requests <= plain_requests + 3, "{output}");
}
