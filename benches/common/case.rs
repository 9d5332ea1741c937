//! A case: one operation of one algorithm on one provider, for criterion and for the tables.

/// A call to be timed, with everything that it needs.
pub(crate) type Run = Box<dyn FnMut()>;

/// One measurement.
pub(crate) struct Case {
    /// The operation: "kem/encapsulate".
    pub(crate) group: String,
    /// The algorithm: "ML-KEM-1024".
    pub(crate) name: String,
    /// The provider's name.
    pub(crate) provider: &'static str,
    /// The bytes that one call processes, if throughput is measured.
    pub(crate) bytes: Option<u64>,
    prepare: Box<dyn Fn() -> Run>,
}

impl Case {
    pub(crate) fn new<F: FnMut() + 'static>(
        group: impl Into<String>,
        name: impl Into<String>,
        provider: &'static str,
        prepare: impl Fn() -> F + 'static,
    ) -> Self {
        let prepare = Box::new(move || Box::new(prepare()) as Run);
        Self { group: group.into(), name: name.into(), provider, bytes: None, prepare }
    }

    /// Makes keys and buffers. This is not timed, and happens only for cases that are measured.
    pub(crate) fn prepare(&self) -> Run {
        (self.prepare)()
    }
}
