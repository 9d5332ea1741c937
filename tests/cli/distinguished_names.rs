//! Is a name in a certificate the name that a user wrote?

use proptest::prelude::*;
use x509_cert::{
    attr::AttributeTypeAndValue,
    der::{
        Any, Decode, Encode, Tag,
        asn1::{ObjectIdentifier, SetOfVec},
    },
    name::Name,
};

use crate::distinguished_name::DistinguishedName;

const CN: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const O: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// Relative distinguished names in the order of certificates.
fn der(names: &[&[(ObjectIdentifier, Tag, &[u8])]]) -> Vec<u8> {
    let mut content = Vec::new();
    for name in names {
        let attributes = name.iter().map(|(oid, tag, value)| AttributeTypeAndValue {
            oid: *oid,
            value: Any::new(*tag, *value).unwrap(),
        });
        let set = SetOfVec::try_from(attributes.collect::<Vec<_>>());
        content.extend(set.unwrap().to_der().unwrap());
    }
    Any::new(Tag::Sequence, content).unwrap().to_der().unwrap()
}

fn is(text: &str, der: &[u8]) -> bool {
    DistinguishedName::parse(text).unwrap().is(der)
}

#[test]
fn the_type_of_a_string_does_not_matter_but_all_else_does() {
    let (utf8, printable) = (Tag::Utf8String, Tag::PrintableString);
    let whole = der(&[&[(O, printable, b"Example, Inc.")], &[(CN, utf8, "Zoë".as_bytes())]]);
    for same in [
        r"CN=Zoë,O=Example\, Inc.",
        r"cn=Zo\C3\ab,organizationName=Example\2c Inc.",
        r" 2.5.4.3 = Zoë , O = Example\, Inc. ",
        r"CN=#0c045a6fc3ab,O=Example\, Inc.",
        r"CN = #1e06005a006f00eb , O=#130d4578616d706c652c20496e632e",
    ] {
        assert!(is(same, &whole), "{same}");
    }
    for other in [
        r"O=Example\, Inc.,CN=Zoë",
        r"CN=Zoë+O=Example\, Inc.",
        r"CN=zoë,O=Example\, Inc.",
        r"CN=Zoë",
        r"CN=Zoë,O=Example\, Inc.,C=DE",
        r"CN=Zoë\ ,O=Example\, Inc.",
        r"CN=Zoë,CN=Example\, Inc.",
    ] {
        assert!(!is(other, &whole), "{other}");
        // For advice, another order is told apart from other attributes.
        let is_reordered = DistinguishedName::parse(other).unwrap().is_reordered(&whole);
        assert_eq!(is_reordered, other == r"O=Example\, Inc.,CN=Zoë", "{other}");
    }
    let wide = der(&[&[(CN, Tag::BmpString, b"\0Z\0o\0\xeb")]]);
    assert!(is("CN=Zoë", &wide) && !is("CN=Zo", &wide));
    for unreadable in [
        der(&[&[(CN, Tag::BmpString, b"\0Z\0")]]),
        der(&[&[(CN, Tag::TeletexString, b"Zo\xeb")]]),
        der(&[&[(CN, utf8, b"\xff")]]),
        der(&[&[(CN, Tag::Integer, b"Z")]]),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"\0"].concat(),
    ] {
        assert!(!is("CN=Z", &unreadable) && !is("CN=Zoë", &unreadable), "{unreadable:02x?}");
    }
}

#[test]
fn attributes_of_one_relative_name_have_no_order() {
    let utf8 = Tag::Utf8String;
    let two = der(&[&[(CN, utf8, b"a"), (O, utf8, b"b")]]);
    assert!(is("CN=a+O=b", &two) && is("O=b+CN=a", &two));
    assert!(!is("CN=a,O=b", &two) && !is("CN=a", &two) && !is("CN=a+O=c", &two));
    let twice = der(&[&[(CN, utf8, b"a"), (CN, Tag::PrintableString, b"a")]]);
    assert!(is("CN=a+CN=a", &twice) && !is("CN=a", &twice) && !is("CN=a+CN=b", &twice));
}

/// Whatever name other software has for a type, it is that type.
#[test]
fn types_are_known_by_every_usual_name() {
    let of_mail = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
    let user_id = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1");
    let of_people =
        (0..120).map(|number| ObjectIdentifier::new(&format!("2.5.4.{number}")).unwrap());
    for oid in of_people.chain([of_mail, user_id]) {
        let whole = der(&[&[(oid, Tag::Utf8String, b"x")]]);
        let text = Name::from_der(&whole).unwrap().to_string();
        assert!(is(&text, &whole), "{text}");
        assert!(is(&format!("{oid}=x"), &whole), "{oid}");
        assert_eq!(is("CN=x", &whole), oid == CN, "{oid}");
    }
}

#[test]
fn what_is_not_a_name_is_refused() {
    for text in [
        "",
        " ",
        ",",
        "CN",
        "Alice",
        "CN=a,",
        "CN=a,,O=b",
        "CN=a+",
        "XYZ=a",
        "=a",
        "CN=a;O=b",
        "CN=\"a\"",
        "CN=<a>",
        "CN=a\\",
        "CN=a\\x",
        "CN=a\\4",
        "CN=\\ff",
        "CN=#",
        "CN=#0",
        "CN=#0c",
        "CN=#0c01é",
        "CN=#0c016161",
        "CN=#020101",
        "CN=#zz",
        "CN=Smith, Alice",
        "1=a",
        "CN=",
    ] {
        DistinguishedName::parse(text).expect_err(text);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_name_or_refused(text in "\\PC*|[CNO=,+\\\\# a-f0-9\"é]*") {
        let _ = DistinguishedName::parse(&text).map(|name| name.is(text.as_bytes()));
    }

    /// Other software's text of a name is that name, and that of no other.
    #[test]
    fn names_that_other_software_writes_are_read(
        values in proptest::collection::vec((any::<bool>(), "\\PC{1,12}|[ #,+\\\\=\";]{1,6}"), 2..5),
    ) {
        let values: Vec<_> = values
            .iter()
            .map(|(is_cn, value)| [(if *is_cn { CN } else { O }, Tag::Utf8String, value.as_bytes())])
            .collect();
        let names: Vec<_> = values.iter().map(|name| &name[..]).collect();
        let text = Name::from_der(&der(&names)).unwrap().to_string();
        prop_assert!(is(&text, &der(&names)), "{text}");
        prop_assert!(!is(&text, &der(&names[1..])), "{text}");
    }
}
