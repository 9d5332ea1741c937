//! A Parquet file in a sealed store: `parquet` writes it and reads a part of it, and knows nothing of the seal.

mod counted;

use std::{error::Error, sync::Arc};

use arrow_array::{
    Array, BooleanArray, FixedSizeListArray, Float32Array, RecordBatch, UInt32Array, UInt64Array,
    cast::AsArray, types::UInt32Type,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, buffered::BufWriter, path::Path};
#[expect(deprecated, reason = "see `read`")]
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::{
    arrow::{
        AsyncArrowWriter, ParquetRecordBatchStreamBuilder, ProjectionMask,
        arrow_reader::{ArrowPredicateFn, ArrowReaderOptions, RowFilter},
    },
    file::{metadata::PageIndexPolicy, properties::WriterProperties},
};
use twinseal::{DecapsulationKey, Recipients, SigningKey, store::SealedStore};

use counted::Counted;

/// What the store is for. Who opens it with another context is refused.
const CTX: &[u8] = b"example.com/embeddings/v1";

/// A batch has the rows of one label.
const LABELS: u32 = 50;
const ROWS: u64 = 4000;

/// Numbers in an embedding.
const WIDTH: usize = 64;

/// The label of the rows that are read.
const WANTED: u32 = 7;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The owner makes a sealed store in a bucket, for one reader.
    let bucket = Arc::new(Counted::default());
    let (signer, reader) = (Arc::new(SigningKey::generate()?), DecapsulationKey::generate()?);
    let readers = Recipients::new([reader.encapsulation_key()])?;
    let made = SealedStore::create(bucket.clone(), CTX, reader, signer, &readers).await?;
    let sealed: Arc<dyn ObjectStore> = Arc::new(made.0.store().clone());

    // The same table goes into the sealed store, and as it is into another bucket, to compare.
    let plain = Arc::new(Counted::default());
    let path = Path::from("embeddings.parquet");
    write(sealed.clone(), &path).await?;
    write(plain.clone(), &path).await?;
    let size = sealed.head(&path).await?.size;
    println!(
        "a table of {} rows: {size} bytes, {} in the bucket",
        u64::from(LABELS) * ROWS,
        bucket.head(&path).await?.size
    );

    println!("select id, embedding where label = {WANTED}:");
    let mut found = Vec::new();
    let stores = [("sealed", sealed, &bucket), ("plain", plain.clone() as _, &plain)];
    for (name, store, counted) in stores {
        counted.take();
        let rows = read(store, &path).await?;
        let (requests, bytes) = counted.take();
        println!("{name:>8}: {} rows, {requests} requests, {bytes} bytes fetched", rows.num_rows());
        found.push(rows);
    }
    if found.iter().any(|rows| *rows != batch(&schema(), WANTED).project(&[0, 2]).unwrap()) {
        return Err("these are not the rows that were written".into());
    }
    println!("both are the rows that were written");
    Ok(())
}

fn schema() -> SchemaRef {
    let number = Arc::new(Field::new_list_field(DataType::Float32, false));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::UInt64, false),
        Field::new("label", DataType::UInt32, false),
        Field::new("embedding", DataType::FixedSizeList(number, WIDTH as i32), false),
    ]))
}

/// The rows of one label.
fn batch(schema: &SchemaRef, label: u32) -> RecordBatch {
    let first = u64::from(label) * ROWS;
    let ids = UInt64Array::from_iter_values(first..first + ROWS);
    let labels = UInt32Array::from_value(label, ids.len());
    let seeds = (first..first + ROWS).flat_map(|id| (0..WIDTH as u64).map(move |n| (id << 8) | n));
    // Numbers that look random, and are the same each time.
    let numbers = seeds.map(|seed| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32);
    let number = Arc::new(Field::new_list_field(DataType::Float32, false));
    let numbers = Arc::new(Float32Array::from_iter_values(numbers));
    let embeddings = FixedSizeListArray::new(number, WIDTH as i32, numbers, None);
    let columns: Vec<Arc<dyn Array>> = vec![Arc::new(ids), Arc::new(labels), Arc::new(embeddings)];
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

/// Writes the table: an upload in parts, which is sealed on its way.
async fn write(store: Arc<dyn ObjectStore>, path: &Path) -> Result<(), Box<dyn Error>> {
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled("label".into(), true)
        .set_max_row_group_row_count(Some(40_000))
        .build();
    let schema = schema();
    let upload = BufWriter::new(store, path.clone());
    let mut writer = AsyncArrowWriter::try_new(upload, schema.clone(), Some(properties))?;
    for label in 0..LABELS {
        writer.write(&batch(&schema, label)).await?;
    }
    writer.close().await?;
    Ok(())
}

/// Reads two of the three columns, of the rows that have the label.
#[expect(
    deprecated,
    reason = "parquet 60 wants `AsyncFileReader` implemented instead, with the same calls of the store"
)]
async fn read(store: Arc<dyn ObjectStore>, path: &Path) -> Result<RecordBatch, Box<dyn Error>> {
    let reader = ParquetObjectReader::new(store, path.clone());
    // With the index of pages, only those are fetched that have such rows.
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options).await?;
    let label = ProjectionMask::columns(builder.parquet_schema(), ["label"]);
    let wanted = ProjectionMask::columns(builder.parquet_schema(), ["id", "embedding"]);
    let is_wanted = ArrowPredicateFn::new(label, |rows| {
        let labels = rows.column(0).as_primitive::<UInt32Type>();
        Ok(BooleanArray::from_unary(labels, |label| label == WANTED))
    });
    let rows = builder
        .with_row_filter(RowFilter::new(vec![Box::new(is_wanted)]))
        .with_projection(wanted)
        .with_batch_size(ROWS as usize)
        .build()?;
    let mut batches: Vec<_> = rows.try_collect().await?;
    match batches.pop() {
        Some(batch) if batches.is_empty() => Ok(batch),
        _ => Err("the rows of a label are one batch".into()),
    }
}
