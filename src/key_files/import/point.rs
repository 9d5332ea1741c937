//! P-384 points, which other software may compress (SEC 1 §2.3.3).

use p384::elliptic_curve::sec1::ToSec1Point;

use crate::{check, error::Error, wire};

/// Length of a compressed point, in bytes: its sign, then X.
pub(super) const COMPRESSED: usize = 49;

/// The 97 bytes `0x04 || X || Y` of a point in either form.
pub(crate) fn uncompressed(point: &[u8]) -> Result<[u8; 97], Error> {
    if !matches!(point, [0x02 | 0x03, x @ ..] if x.len() + 1 == COMPRESSED) {
        check::p384_point(point)?;
        return wire::array("P-384 point", point);
    }
    let key = p384::PublicKey::from_sec1_bytes(point)
        .map_err(|_| Error::Invalid { what: "P-384 point", reason: "it is not on the curve" })?;
    wire::array("P-384 point", key.to_sec1_point(false).as_bytes())
}
