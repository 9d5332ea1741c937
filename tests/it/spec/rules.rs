//! Does the crate refuse what SPEC.md says must be refused, beyond what the vectors show?

use std::{fs, io};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, Keyring, Recipients, VerifyingKeyring,
    envelope::Header,
};

use super::{
    blocks::{Block, fence},
    compute::{DEFAULT, P384, spec_kem_key, spec_keyring, spec_signing_key},
};

/// The rules of SPEC.md about PEM, beyond RFC 7468.
#[test]
fn pem_rules() {
    let pem = fence("pem", "kem-0001-public");
    let accepts = |pem: &str| EncapsulationKey::from_pem(pem).is_ok();
    assert!(accepts(&pem));
    assert!(accepts(&pem.replace('\n', "\r\n")));
    assert!(accepts(&format!("\u{feff}Alice's key\n{pem}\n \nmade yesterday")));

    let lines: Vec<_> = pem.lines().collect();
    let longer = pem.replacen(&format!("{}\n", lines[1]), lines[1], 1);
    let shorter =
        pem.replacen(lines[1], &format!("{}\n\t {}", &lines[1][..32], &lines[1][32..]), 1);
    assert!(accepts(&longer) && accepts(&shorter) && accepts(&pem.replace('\n', "\x0b\x0c\n ")));
    let base64 = "A".repeat(40);
    assert!(accepts(&format!("{}\n{pem}{} {base64}", &base64[1..], &base64)));
    let last = lines[lines.len() - 2];
    for refused in [
        pem.replacen(lines[1], &lines[1].replacen('A', "*", 1), 1),
        pem.replacen(lines[1], &format!("Comment: mine\n\n{}", lines[1]), 1),
        pem.replacen(last, &format!("{last}="), 1),
        pem.replacen(last, &format!("{last}AA=="), 1),
        pem.replacen("PUBLIC KEY", "PRIVATE KEY", 1),
        pem.replace("PUBLIC KEY", "PRIVATE KEY"),
        format!("{base64}\n{pem}"),
        format!("{pem}{base64}=="),
        format!("{pem}-----"),
        format!("my key -----\n{pem}"),
        format!("{pem}\0"),
        format!("{pem}{pem}"),
    ] {
        assert_ne!(refused, pem);
        assert!(!accepts(&refused), "{refused}");
    }
    let private = fence("pem", "kem-0001-private");
    let padded = private.lines().nth(1).unwrap();
    assert!(padded.ends_with('='), "{padded}");
    let (bits, equals) = padded.split_at(padded.find('=').unwrap());
    let (head, last) = bits.split_at(bits.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    let refused = private.replacen(padded, &format!("{head}{next}{equals}"), 1);
    assert!(DecapsulationKey::from_pem(&private).is_ok());
    assert!(DecapsulationKey::from_pem(&refused).is_err(), "{refused}");
}

/// "Keyring files": bundles.
#[test]
fn bundle_rules() {
    let bundle = fence("pem", "keyring");
    let read = Keyring::from_pem(&bundle).unwrap();
    assert!(read.keys().eq(spec_keyring().keys()));
    assert_eq!(read.primary().suite(), P384);

    let first = fence("pem", "kem-0051-private");
    let second = fence("pem", "kem-0001-private");
    assert_eq!(bundle, format!("{first}{second}"));
    let accepts = |bundle: &str| Keyring::from_pem(bundle).is_ok();
    assert!(accepts(&bundle.replace('\n', "\r\n")));
    assert!(accepts(&format!(" \n{first}\n\t\x0c\r\n{second}  ")));
    assert!(accepts(first.trim_end()));
    assert!(accepts(&format!("my keys\n{first}my older key:\n{second}the end")));
    let unfinished = first.lines().take(2).fold(String::new(), |text, line| text + line + "\n");
    let public = fence("pem", "kem-0001-public");
    for refused in [
        String::new(),
        " \n".into(),
        format!("{first}{}\n{second}", "A".repeat(40)),
        format!("{first}{first}"),
        format!("{unfinished}{second}"),
        format!("{second}{unfinished}"),
        format!("{first}{public}"),
        format!("{first}{second}").replacen("-----\n-----BEGIN", "----------BEGIN", 1),
    ] {
        assert!(!accepts(&refused), "{refused}");
    }

    let signer = spec_signing_key();
    let public = signer.verifying_key().to_pem();
    assert!(VerifyingKeyring::from_pem(&public).is_ok());
    assert!(VerifyingKeyring::from_pem(&format!("{public}{second}")).is_err());
    assert!(VerifyingKeyring::from_pem("").is_err());
}

/// "Keyring files": directories.
#[test]
fn directory_rules() -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text);
    let (new, old) = (fence("pem", "kem-0051-private"), fence("pem", "kem-0001-private"));
    write("a-2024.pem", &old)?;
    write("README", "not a key")?;
    write(".hidden.pem", "not a key")?;
    assert!(Keyring::read_dir(&directory).is_err(), "there is no primary.pem");
    write("primary.pem", &new)?;
    assert!(Keyring::read_dir(&directory)?.keys().eq(spec_keyring().keys()));
    write("b.pem", "not a key")?;
    assert!(Keyring::read_dir(&directory).is_err());
    write("b.pem", &old)?;
    write("c.pem", &new)?;
    let twice = Keyring::read_dir(&directory)?;
    assert!(twice.keys().eq(spec_keyring().keys()), "a key that is there twice counts once");
    Ok(())
}

/// "Keyring files": what counts is behind `..data`, and changes with it.
#[cfg(unix)]
#[test]
fn mounted_directory_rules() -> io::Result<()> {
    use std::os::unix::fs::symlink;
    use twinseal::keyring::Shared;

    let mount = tempfile::tempdir()?;
    let path = mount.path();
    let (new, old) = (fence("pem", "kem-0051-private"), fence("pem", "kem-0001-private"));
    fs::create_dir(path.join("..1"))?;
    fs::write(path.join("..1/primary.pem"), &old)?;
    fs::create_dir(path.join("..2"))?;
    fs::write(path.join("..2/primary.pem"), &new)?;
    fs::write(path.join("..2/a.pem"), &old)?;
    symlink("..1", path.join("..data"))?;
    symlink("..data/primary.pem", path.join("primary.pem"))?;
    fs::write(path.join("b.pem"), "not behind the link")?;
    let ring = Shared::<Keyring>::read_dir(path)?;
    assert_eq!(ring.load().primary().suite(), DEFAULT);

    symlink("..2", path.join("..data_tmp"))?;
    fs::rename(path.join("..data_tmp"), path.join("..data"))?;
    assert!(ring.reload()?);
    assert!(ring.load().keys().eq(spec_keyring().keys()));

    fs::remove_dir_all(path.join("..2"))?;
    fs::remove_file(path.join("primary.pem"))?;
    fs::remove_file(path.join("b.pem"))?;
    fs::write(path.join("primary.pem"), &old)?;
    assert!(ring.reload().is_err(), "the link leads nowhere");
    assert!(ring.load().keys().eq(spec_keyring().keys()));
    Ok(())
}

/// "Accepting a hello".
#[test]
fn hello_rules() {
    let block = Block::read("session-0001");
    let (context, hello) = (block.get("context"), block.get("hello"));
    let signed_block = Block::read("session-signed");
    let signed = signed_block.get("hello");
    assert_eq!(signed_block.get("context"), context);
    let key = spec_kem_key(DEFAULT);
    let signer = spec_signing_key();
    let accepting = key.accepting(signer.verifying_key());
    assert!(key.receiver(context, hello).is_ok());
    assert!(accepting.receiver(context, signed).is_ok());

    assert!(key.receiver(context, signed).is_err());
    assert!(accepting.receiver(context, hello).is_err());
    for length in 0..hello.len() {
        assert!(key.receiver(context, &hello[..length]).is_err(), "{length}");
    }
    for length in (0..60).chain(1640..signed.len()) {
        assert!(accepting.receiver(context, &signed[..length]).is_err(), "{length}");
    }
    for hello in [hello, signed] {
        let longer = [hello, &[0]].concat();
        assert!(key.receiver(context, &longer).is_err());
        assert!(accepting.receiver(context, &longer).is_err());
    }
    // Up to the ciphertext nothing can be changed; every flag but the two is refused.
    for index in 0..32 {
        for bit in 0..8 {
            let mut changed = hello.to_vec();
            changed[index] ^= 1 << bit;
            assert!(key.receiver(context, &changed).is_err(), "byte {index}, bit {bit}");
        }
    }
    // In a signed hello, nothing at all.
    for index in (0..60).chain((60..signed.len()).step_by(37)) {
        let mut changed = signed.to_vec();
        changed[index] ^= 1;
        assert!(accepting.receiver(context, &changed).is_err(), "byte {index}");
    }
    let other = accepting.receiver(b"example.com/other", signed);
    assert!(matches!(other, Err(Error::Verify)));
    let stranger = spec_kem_key(P384);
    assert!(matches!(stranger.receiver(context, hello), Err(Error::NotARecipient)));

    // A signature taken off, flags and length put right: other keys.
    let mut stripped = signed[..50 + 1600].to_vec();
    stripped[15] = 0x00;
    stripped.drain(32..50);
    let mut receiver = key.receiver(context, &stripped).unwrap();
    let opened = receiver.open_with_aad(signed_block.get("aad_0"), signed_block.get("message_0"));
    assert!(matches!(opened, Err(Error::Open)));
}

/// "Messages": a refused message leaves the receiver as it was.
#[test]
fn message_rules() {
    let block = Block::read("session-0051");
    let key = spec_kem_key(P384);
    let mut receiver = key.receiver(block.get("context"), block.get("hello")).unwrap();
    for name in ["message_0", "message_1", "message_2"] {
        let number = name.strip_prefix("message_").unwrap();
        let (message, aad) = (
            block.get(name),
            if number == "2" { b"" } else { block.get(&format!("aad_{number}")) },
        );
        for other in ["message_0", "message_1", "message_2", "reply_message"] {
            if other != name {
                assert!(receiver.open_with_aad(aad, block.get(other)).is_err(), "{other}");
            }
        }
        for length in 0..message.len() {
            assert!(receiver.open_with_aad(aad, &message[..length]).is_err());
        }
        assert!(receiver.open_with_aad(aad, &[message, &[0]].concat()).is_err());
        for index in 0..message.len() {
            let mut changed = message.to_vec();
            changed[index] ^= 1;
            assert!(receiver.open_with_aad(aad, &changed).is_err(), "byte {index}");
        }
        assert!(receiver.open_with_aad(b"other", message).is_err());
        assert!(!receiver.is_finished());
        receiver.open_with_aad(aad, message).unwrap();
    }
    assert!(receiver.is_finished());
    assert!(matches!(receiver.open(block.get("message_2")), Err(Error::Finished)));
}

/// "Rewrap": the old header must be whole, and none of its recipients stays.
#[test]
fn rewrap_rules() {
    let block = Block::read("envelope-one");
    let sealed = block.get("sealed");
    let (old, new) = (spec_kem_key(DEFAULT), spec_kem_key(P384));
    let to = Recipients::new([new.encapsulation_key()]).unwrap();
    let mut moved = Vec::new();
    let length = old.rewrap(&to, sealed, &mut moved).unwrap();
    assert_eq!(length, moved.len() as u64);
    let opened = new.open(block.get("context"), &moved).unwrap();
    assert_eq!(opened[..], *block.get("plaintext"));
    assert!(matches!(old.open(block.get("context"), &moved), Err(Error::NotARecipient)));

    let header = Header::parse(sealed).unwrap().len();
    let mut changed = sealed.to_vec();
    changed[header - 1] ^= 1;
    let mut nothing = Vec::new();
    assert!(old.rewrap(&to, &changed[..], &mut nothing).is_err());
    assert!(new.rewrap(&to, sealed, &mut nothing).is_err());
    assert!(nothing.is_empty());
}
