//! Which suite identifiers are known?

use twinseal::{KemSuite, SignatureSuite};

use crate::common::errors::{outcome, unknown};

#[test]
fn suite_identifiers() {
    for id in 0..=u16::MAX {
        let expected = match id {
            0x0001 | 0x0051 => "Ok".into(),
            _ => unknown("KEM suite", id),
        };
        assert_eq!(outcome(KemSuite::from_id(id)), expected);
        let expected = match id {
            0x0001 => "Ok".into(),
            0xf001 if cfg!(feature = "experimental-falcon") => "Ok".into(),
            _ => unknown("signature suite", id),
        };
        assert_eq!(outcome(SignatureSuite::from_id(id)), expected);
    }
    let text = |id| KemSuite::from_id(id).unwrap_err().to_string();
    assert_eq!(text(0x0002), "unknown KEM suite 0x0002");
    assert_eq!(text(0xf001), "unknown KEM suite 0xf001");
}
