//! Are certificates taken where a public key is, trusted as they are or verified?

use std::time::SystemTime;

use twinseal::{SigningKey, key_files::PemDocument};
use x509_cert::{
    der::asn1::Ia5String,
    ext::pkix::{ExtendedKeyUsage, KeyUsages, SubjectAltName, name::GeneralName},
    spki::ObjectIdentifier,
};

use crate::{
    common::{
        certificates::{DAY, Draft},
        der::pem,
        keys::{P384, kem_key, signing_key},
        process::ended,
    },
    desk::Desk,
};

const ROOT: &str = "CN=Root,O=Example";
const BETWEEN: &str = "CN=Between,O=Example";

/// A desk with `root.crt`, and what signs for it and for an authority between.
struct Authority {
    desk: Desk,
    root: SigningKey,
    between: SigningKey,
    between_pem: String,
}

impl Authority {
    fn new() -> Self {
        let desk = Desk::new();
        let (root, between) = (signing_key(50), signing_key(51));
        let signed = |draft: Draft, key: &SigningKey| {
            let der = draft.signed_by(&root, &key.verifying_key().to_spki_der().unwrap());
            pem("CERTIFICATE", &der)
        };
        desk.write("root.crt", signed(Draft::authority(ROOT, ROOT), &root));
        let between_pem = signed(Draft::authority(ROOT, BETWEEN), &between);
        let other = signing_key(52);
        let spki = other.verifying_key().to_spki_der().unwrap();
        let der = Draft::authority("CN=Other", "CN=Other").signed_by(&other, &spki);
        desk.write("other.crt", pem("CERTIFICATE", &der));
        desk.write("in", "hello");
        Self { desk, root, between, between_pem }
    }

    /// Writes a recipient's certificate, whose key is `erin.pem`, and the authority's between.
    fn recipient(&self, file: &str, draft: Draft) {
        let key = kem_key(P384, 60);
        if !self.desk.path("erin.pem").exists() {
            key.write_pem_file(self.desk.path("erin.pem")).unwrap();
        }
        let der = draft.signed_by(&self.between, &key.encapsulation_key().to_spki_der().unwrap());
        self.desk.write(file, pem("CERTIFICATE", &der) + &self.between_pem);
    }

    /// Writes a certificate of Alice's key, and her signature of `in` as `sig`.
    fn signer(&self, file: &str, draft: Draft) {
        let alice = signing_key(3);
        let der = draft.signed_by(&self.root, &alice.verifying_key().to_spki_der().unwrap());
        self.desk.write(file, pem("CERTIFICATE", &der));
        self.desk.write("sig", alice.sign(b"x", b"hello").unwrap().as_bytes());
    }

    fn says(&self, line: &str) -> String {
        let output = ended(self.desk.command(line));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        said
    }
}

fn erin() -> Draft {
    let names = vec![
        dns("Erin.example"),
        GeneralName::UniformResourceIdentifier(Ia5String::new("spiffe://example/erin").unwrap()),
        GeneralName::Rfc822Name(Ia5String::new("erin@example.com").unwrap()),
        GeneralName::from(std::net::IpAddr::from([192, 0, 2, 7])),
    ];
    let draft = Draft::new(BETWEEN, "CN=Erin,O=Example\\, Inc.");
    draft.used_for(KeyUsages::KeyEncipherment).with(&SubjectAltName(names))
}

fn dns(host: &str) -> GeneralName {
    GeneralName::DnsName(Ia5String::new(host).unwrap())
}

/// Yesterday, and days after it.
fn day(number: u32) -> SystemTime {
    SystemTime::now() - DAY + DAY * number
}

fn alice() -> Draft {
    Draft::new(ROOT, "CN=Alice").used_for(KeyUsages::DigitalSignature)
}

#[test]
fn files_are_sealed_to_certificates() {
    let authority = Authority::new();
    let desk = &authority.desk;
    authority.recipient("erin.crt", erin());
    for name in [
        "--name dns:erin.EXAMPLE",
        "--name uri:spiffe://example/erin",
        "--name email:erin@example.com",
        "--name ip:192.0.2.7",
        "--subject CN=Erin,O=Example\\2c\\20Inc.",
    ] {
        desk.prints(&format!("seal -r erin.crt --ca root.crt {name} -c x -o sealed in"));
        assert_eq!(desk.prints("open -k erin.pem -c x sealed"), b"hello");
    }
    for name in [
        "--name dns:example",
        "--name dns:frank.example",
        "--name uri:spiffe://example/Erin",
        "--name email:Erin@example.com",
        "--name ip:192.0.2.8",
    ] {
        let error = desk.fails(&format!("seal -r erin.crt --ca root.crt {name} -c x -o out in"));
        assert!(error.contains("erin.crt: ") && error.contains("another name"), "{error}");
        assert!(error.contains("dns:Erin.example"), "{error}");
    }
    for (subject, shown, advice) in [
        ("CN=Erin", "CN=Erin", "check --subject"),
        ("CN=erin,O=Example\\2c\\20Inc.", "CN=erin,O=Example\\, Inc.", "check --subject"),
        ("O=Example\\2c\\20Inc.,CN=Erin", "O=Example\\, Inc.,CN=Erin", "in another order"),
    ] {
        let line = format!("seal -r erin.crt --ca root.crt --subject {subject} -c x -o out in");
        let error = desk.fails(&line);
        let reason = format!("is for CN=Erin,O=Example\\, Inc., not {shown}; ");
        assert!(error.contains(&reason) && error.contains(advice), "{error}");
    }

    // Trusted as it is, with a note.
    let said = authority.says("seal -r erin.crt -c x -o sealed in");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("erin.crt") && said.contains("CN=Erin") && said.contains("--ca"),
        "{said}"
    );
    assert_eq!(desk.prints("open -k erin.pem -c x sealed"), b"hello");
    desk.prints("-q seal -r erin.crt -c x -o sealed in");
    let said = authority.says("seal -r erin.crt -r bob.pub -c x -o sealed in");
    assert!(said.contains("erin.crt") && !said.contains("more"), "{said}");
    let error = desk.fails_with(2, "-q seal -r erin.crt -r erin.crt -c x -o sealed in");
    assert!(error.contains("the same recipient"), "{error}");

    desk.prints("seal -r bob.pub -c x -o bobs in");
    desk.prints(
        "rewrap -k bob.pem -r erin.crt --ca root.crt --name dns:erin.example -o moved bobs",
    );
    assert_eq!(desk.prints("open -k erin.pem -c x moved"), b"hello");
    assert!(authority.says("rewrap -k bob.pem -r erin.crt -o moved bobs").contains("CN=Erin"));
}

#[test]
fn signatures_are_verified_with_certificates() {
    let authority = Authority::new();
    let desk = &authority.desk;
    authority.signer("alice.crt", alice());
    let id = signing_key(3).verifying_key().key_id();
    let said = format!("in: signed by {id}\n").into_bytes();
    let line = "-q verify -p alice.crt --ca root.crt --subject CN=Alice -c x -s sig in";
    assert_eq!(desk.prints(line), said);
    assert_eq!(desk.prints("-q verify -p alice.crt -c x -s sig in"), said);
    assert!(authority.says("verify -p alice.crt -c x -s sig in").contains("CN=Alice"));
    // Beside a key, and in DER.
    desk.write("mallory.pub", signing_key(4).verifying_key().to_pem());
    assert_eq!(desk.prints("-q verify -p mallory.pub -p alice.crt -c x -s sig in"), said);
    let text = String::from_utf8(desk.read("alice.crt")).unwrap();
    let der = PemDocument::split(&text).unwrap()[0].decode().unwrap();
    desk.write("alice.der", &der);
    assert_eq!(desk.prints(&line.replace("alice.crt", "alice.der")), said);
    assert!(authority.says("verify -p alice.der -c x -s sig in").contains("CN=Alice"));

    // The verified name is said.
    authority.signer("named.crt", alice().named(dns("alice.example")));
    for (name, shown) in [
        ("--subject CN=Alice", "CN=Alice is"),
        ("--name dns:alice.example", "(dns:alice.example) is"),
    ] {
        let line = format!("verify -p named.crt --ca root.crt {name} -c x -s sig in");
        let note = authority.says(&line);
        assert!(note.contains("CN=Alice") && note.contains(shown), "{note}");
        assert_eq!(note.lines().count(), 1, "{note}");
    }

    let error =
        desk.fails("-q verify -p alice.crt --ca root.crt --subject CN=Alice -c y -s sig in");
    assert!(error.contains("does not verify"), "{error}");

    // What `twinseal certificate` makes is trusted as it is, and is no authority.
    desk.write(
        "self.crt",
        desk.prints("certificate -k alice.pem --subject CN=Alice --name dns:a.example"),
    );
    assert!(authority.says("verify -p self.crt -c x -s sig in").contains("CN=Alice"));
    let error = desk.fails("verify -p self.crt --ca self.crt --name dns:a.example -c x -s sig in");
    assert!(error.contains("not a certification authority"), "{error}");
}

#[test]
fn a_certificate_that_does_not_fit_is_refused_with_the_reason() {
    let authority = Authority::new();
    let desk = &authority.desk;
    let expired = alice().valid(day(0), day(0));
    let tomorrow = alice().valid(day(2), day(3));
    let mail = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");
    let for_mail = alice().with(&ExtendedKeyUsage(vec![mail]));
    let ca = Draft::authority(ROOT, "CN=Alice");
    let for_keys = Draft::new(ROOT, "CN=Alice").used_for(KeyUsages::KeyEncipherment);
    let drafts = [
        (expired, "it expired on 20"),
        (tomorrow, "check the clock"),
        (for_keys, "key usage"),
        (for_mail.clone(), "1.3.6.1.5.5.7.3.4 (emailProtection); "),
        (ca, "that of a certification authority, but a signer's public key is needed"),
    ];
    for (draft, reason) in drafts {
        authority.signer("alice.crt", draft);
        for trust in ["", "--ca root.crt --subject CN=Alice"] {
            let error = desk.fails(&format!("-q verify -p alice.crt {trust} -c x -s sig in"));
            assert!(error.contains("alice.crt: the certificate of CN=Alice is refused"), "{error}");
            assert!(error.contains(reason), "{trust}: {error}");
        }
    }
    authority.signer("alice.crt", for_mail);
    let line = "-q verify -p alice.crt --ca root.crt --subject CN=Alice -c x -s sig in --eku";
    desk.prints(&format!("{line} 1.3.6.1.5.5.7.3.4"));
    let error = desk.fails(&format!("{line} 1.3.6.1.5.5.7.3.5"));
    assert!(error.contains("(emailProtection); 1.3.6.1.5.5.7.3.5 is none of them"), "{error}");
    assert!(desk.fails_with(2, &format!("{line} mail")).contains("--eku"));

    authority.signer("alice.crt", alice());
    let error = desk.fails("verify -p alice.crt --ca other.crt --subject CN=Alice -c x -s sig in");
    assert!(error.contains("its issuer, CN=Root,O=Example, is missing; "), "{error}");
    desk.write("self.crt", desk.prints("certificate -k alice.pem --subject CN=Alice"));
    let error = desk.fails("verify -p self.crt --ca root.crt --subject CN=Alice -c x -s sig in");
    assert!(error.contains("it issued itself"), "{error}");
    let error = desk.fails("seal -r alice.crt -c x -o out in");
    assert!(error.contains("alice.crt: ") && error.contains("a recipient's public key"), "{error}");
    // Without the certificate of the authority between.
    authority.recipient("erin.crt", erin());
    let error = desk.fails("verify -p erin.crt -c x -s sig in");
    assert!(error.contains("a signer's public key is needed"), "{error}");
    let both = String::from_utf8(desk.read("erin.crt")).unwrap();
    let (first, _) = both.split_at(both.find("-----END").unwrap());
    desk.write("alone.crt", format!("{first}-----END CERTIFICATE-----\n"));
    let error =
        desk.fails("seal -r alone.crt --ca root.crt --name dns:erin.example -c x -o out in");
    assert!(error.contains("CN=Between,O=Example, is missing; put it into alone.crt"), "{error}");
    // The authority's is first.
    desk.write("order.crt", [authority.between_pem.as_bytes(), &desk.read("alone.crt")].concat());
    for trust in ["", "--ca root.crt --name dns:a", "--ca root.crt --subject CN=Erin"] {
        let error = desk.fails(&format!("seal -r order.crt {trust} -c x -o out in"));
        assert!(error.contains("put the certificate with that first"), "{trust}: {error}");
    }
    // The authority's has expired.
    let old = Draft::authority(ROOT, ROOT).valid(day(0), day(0));
    let spki = authority.root.verifying_key().to_spki_der().unwrap();
    desk.write("old.crt", pem("CERTIFICATE", &old.signed_by(&authority.root, &spki)));
    let error = desk.fails("verify -p alice.crt --ca old.crt --subject CN=Alice -c x -s sig in");
    assert!(
        error.contains("that of its issuer CN=Root,O=Example in old.crt expired on"),
        "{error}"
    );

    // One changed bit of the signed part.
    let text = String::from_utf8(desk.read("alice.crt")).unwrap();
    let der = PemDocument::split(&text).unwrap()[0].decode().unwrap();
    let place = der.windows(5).position(|bytes| bytes == b"Alice").unwrap();
    let mut changed = der.to_vec();
    changed[place] ^= 1;
    desk.write("changed.crt", pem("CERTIFICATE", &changed));
    desk.fails("verify -p changed.crt --ca root.crt --subject CN=@lice -c x -s sig in");
    desk.write("cut.der", &der[..der.len() - 1]);
    desk.write("long.der", [&der[..], b"\n"].concat());
    let cut = text.lines().take(9).map(|line| format!("{line}\n")).collect::<String>();
    desk.write("cut.pem", cut);
    for (file, reason) in
        [("cut.der", "cut off: only"), ("long.der", "1 more byte"), ("cut.pem", "line ")]
    {
        for line in [
            format!("verify -p {file} -c x -s sig in"),
            format!("verify -p {file} --ca root.crt --name dns:a -c x -s sig in"),
            format!("verify -p alice.crt --ca {file} --name dns:a -c x -s sig in"),
            format!("import {file}"),
        ] {
            let error = desk.fails(&line);
            assert!(error.contains(&format!("{file}: damaged")), "{line}: {error}");
            assert!(error.contains(reason) && !error.contains("--suite"), "{line}: {error}");
            assert!(!error.contains("new key"), "{line}: {error}");
        }
    }
    desk.write("cut.crt", pem("CERTIFICATE", &der[..der.len() - 1]));
    let error = desk.fails("verify -p cut.crt -c x -s sig in");
    assert!(error.contains("cut.crt: ") && error.contains("damaged"), "{error}");
}

#[test]
fn the_options_go_with_one_certificate() {
    let authority = Authority::new();
    let desk = &authority.desk;
    authority.signer("alice.crt", alice());
    authority.recipient("erin.crt", erin());
    for (code, line, reason) in [
        (2, "seal -r erin.crt -r bob.pub --ca root.crt --name dns:a -c x in", "only one"),
        (
            2,
            "verify -p alice.crt -p alice.crt --ca root.crt --name dns:a -c x -s sig in",
            "only one",
        ),
        (1, "seal -r bob.pub --ca root.crt --name dns:a -c x in", "bob.pub: it is a public key"),
        (1, "verify -p alice.pub --ca root.crt --name dns:a -c x -s sig in", "leave out --ca"),
        (
            1,
            "verify -p in --ca root.crt --name dns:a -c x -s sig in",
            "or damaged, but --ca verifies",
        ),
        (1, "verify -p keys --ca root.crt --name dns:a -c x -s sig in", "it is a directory"),
        (1, "seal -r erin.crt --ca bob.pub --name dns:a -c x in", "bob.pub: it is a public key"),
        (1, "seal -r erin.crt --ca in --name dns:a -c x in", "certification authority is needed"),
        (1, "seal -r erin.crt --ca missing --name dns:a -c x in", "missing: no such file"),
        (1, "seal -r mixed.pem -c x in", "in a file of its own"),
        (1, "open -k erin.crt -c x in", "certificate"),
    ] {
        std::fs::create_dir_all(desk.path("keys")).unwrap();
        desk.write("mixed.pem", [desk.read("bob.pub"), desk.read("erin.crt")].concat());
        let error = desk.fails_with(code, line);
        assert!(error.contains(reason), "{line}: {error}");
    }
    for options in [
        "--ca root.crt",
        "--name dns:a",
        "--subject CN=a",
        "--eku 1.2.3",
        "--ca root.crt --eku 1.2.3",
        "--ca root.crt --name dns:a --subject CN=a",
        "--ca root.crt --name a",
        "--ca root.crt --name DNS:a",
        "--ca root.crt --name dns:192.0.2.7",
        "--ca root.crt --subject a",
    ] {
        let output = ended(desk.command(&format!("verify -p alice.crt {options} -c x -s sig in")));
        assert_eq!(output.status.code(), Some(2), "{options}");
    }
    let error = desk.fails_with(2, "seal -r - --ca - --name dns:a -c x in");
    assert!(error.contains("read twice"), "{error}");
    desk.write("copy.crt", desk.read("root.crt"));
    let error =
        desk.fails("seal -r erin.crt --ca copy.crt --name dns:erin.example -c x -o copy.crt in");
    assert!(error.contains("both read and written"), "{error}");
}

#[test]
fn an_expired_certificate_is_marked_where_it_is_inspected() {
    let authority = Authority::new();
    let until = |end: SystemTime| {
        authority.signer("alice.crt", alice().valid(end - DAY, end));
        let text = String::from_utf8(authority.desk.prints("inspect alice.crt")).unwrap();
        let line = text.lines().find(|line| line.contains("not after: ")).unwrap().to_owned();
        line.ends_with("Z (expired)")
    };
    assert!(until(SystemTime::now() - DAY / 24));
    assert!(!until(SystemTime::now() + DAY / 24));
}

/// A name in a certificate comes from others.
#[test]
fn names_are_printed_without_control_characters() {
    let authority = Authority::new();
    let desk = &authority.desk;
    let draft = Draft::new(ROOT, r"CN=\1b[31m\e2\80\aeecilA").used_for(KeyUsages::DigitalSignature);
    authority.signer("evil.crt", draft.named(dns("\x1b[2J")));
    let said = authority.says("verify -p evil.crt -c x -s sig in");
    assert!(said.contains("ecilA") && said.lines().count() == 1, "{said}");
    let error = desk.fails("verify -p evil.crt --ca root.crt --name dns:a -c x -s sig in");
    for text in [said, error] {
        assert!(
            text.chars().all(|character| character == '\n' || !character.is_control()),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    let shown = "CN=\\1b[31m\\e2\\80\\aeecilA";
    desk.prints(&format!("-q verify -p evil.crt --ca root.crt --subject {shown} -c x -s sig in"));
}
