//! Examples and exit codes for help and manual pages, in lines that fit a terminal.

use twinseal::{KemSuite, SignatureSuite};

pub(crate) const EXIT_CODES: &str = "  0    done
  1    refused or failed: a wrong key or context, changed data, a file that
       cannot be read or written
  2    the command line is wrong
  3    `inspect --in-use` found a file that uses the key or the suite
  130, 143, 129
       stopped by SIGINT (Ctrl-C), SIGTERM or SIGHUP
  141  the reader of standard output went away, as in `twinseal open .. | head`

A file named `-` is standard input, or standard output with -o. A stream can be
read only once, so it cannot be both a key and data.

A file named with -o appears complete or not at all. Until then it has no name,
or one that ends in .partial where the file system does not support that.";

const SESSION: &str = "  twinseal keygen --kem -o bob.pem
  twinseal public bob.pem -o bob.pub.pem
  twinseal seal -r bob.pub.pem -c example.com/notes -o note.sealed note.txt
  twinseal open -k bob.pem -c example.com/notes -o opened.txt note.sealed";

pub(super) fn short() -> String {
    format!("Examples:\n{SESSION}\n\n`twinseal COMMAND --help` describes each command.")
}

pub(super) fn long() -> String {
    format!("{}\n\nExit codes:\n{EXIT_CODES}", short())
}

pub(super) fn suite() -> String {
    let kem = KemSuite::ALL.first().map_or("", |suite| suite.name());
    let sign = SignatureSuite::ALL.first().map_or("", |suite| suite.name());
    format!("The suite of the key [default: {kem}, or {sign} with --sign]")
}

pub(super) const KEYGEN: &str = "\
Examples:
  twinseal keygen --kem -o bob.pem
  twinseal keygen --sign -o alice.pem
  twinseal keygen --sign --passphrase -o carol.pem";

pub(super) const SCRYPT: &str = "The cost of trying a passphrase [default: 131072,8,1, which takes 128 MiB of memory and about 0.4 \
    seconds, for you too]. OpenSSL decrypts only below 32 MiB, such as 16384,8,8";

pub(super) const PASSWD: &str = "\
Examples:
  twinseal passwd bob.pem
  twinseal passwd --no-passphrase -o plain.pem bob.pem";

pub(super) const PUBLIC: &str = "\
Examples:
  twinseal public bob.pem -o bob.pub.pem";

pub(super) const IMPORT: &str = "\
Examples:
  twinseal import -o dave.pem dave.der
  twinseal import --suite MLKEM1024-P384 -o erin.pem erin.raw
  twinseal import --expect dave.crt -o dave.pem encrypted.pem";

pub(super) const SEAL: &str = "\
Examples:
  twinseal seal -r bob.pub.pem -c example.com/models -o m.sealed model.bin
  twinseal seal -r erin.crt --ca root.crt --name email:erin@example.com \\
      -c example.com/models -o m.sealed model.bin
  tar c directory | twinseal seal -r bob.pub.pem -c example.com/tar > tar.sealed";

pub(super) const OPEN: &str = "\
Examples:
  twinseal open -k bob.pem -c example.com/models -o model.bin m.sealed
  twinseal open -k bob.pem -c example.com/tar tar.sealed | tar t";

pub(super) const SIGN: &str = "\
Examples:
  twinseal sign -k alice.pem -c example.com/models -o model.sig model.bin";

pub(super) const VERIFY: &str = "\
Examples:
  twinseal verify -p alice.pub.pem -c example.com/models -s model.sig model.bin
  twinseal verify -p alice.crt --ca root.crt --subject CN=Alice,O=Example \\
      -c example.com/models -s model.sig model.bin";

pub(super) const MODEL: &str = "\
Examples:
  twinseal model sign -k alice.pem -o llama/model.sig llama
  twinseal model verify -p alice.pub.pem -s llama/model.sig llama";

pub(super) const MODEL_SIGN: &str = "\
Examples:
  twinseal model sign -k alice.pem -o llama/model.sig llama
  twinseal model sign -k alice.pem -o llama.sig --ignore cache llama
  twinseal model sign -k alice.pem -o llama.sig --shard-size 100000000 llama";

pub(super) const MODEL_VERIFY: &str = "\
Examples:
  twinseal model verify -p alice.pub.pem -s llama/model.sig llama
  twinseal model verify -p alice.pub.pem -s llama.sig --ignore cache llama
  twinseal model verify -p keys -s llama.sig --json llama | jq .findings";

pub(super) const REWRAP: &str = "\
Examples:
  twinseal rewrap -k old.pem -r new.pub.pem -o moved.sealed m.sealed";

pub(super) const CERTIFICATE: &str = "\
Examples:
  twinseal certificate -k alice.pem --subject CN=Alice,O=Example -o alice.crt
  twinseal certificate -k alice.pem --subject CN=Alice \\
      --name email:alice@example.com --request -o alice.csr";

pub(super) const INSPECT: &str = "\
Examples:
  twinseal inspect m.sealed
  twinseal inspect --json m.sealed | jq .plaintext_length
  twinseal inspect --recursive /srv/models
  twinseal inspect --recursive --in-use MLKEM1024-P384 /srv/models";

pub(super) const COMPLETIONS: &str = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  twinseal completions bash > ~/.local/share/bash-completion/completions/twinseal";

pub(super) const MAN: &str = "\
Examples:
  mkdir -p ~/.local/share/man/man1
  twinseal man ~/.local/share/man/man1";
