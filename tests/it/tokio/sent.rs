//! Can the futures of the adapters be spawned: are they `Send`, with a ring and a guard that are shared?

use tokio::io::{DuplexStream, duplex};
use twinseal::{
    Keyring, Unlock, VerifyingKeyring,
    request::{Asked, Pending, ReplayGuard, UnlockedRequest, VerifiedHead},
    session::SessionReceiver,
    tokio::{
        FramedReceiver, FramedSender, PieceReader, PieceWriter, RequestReader, SealWriter,
        answer_reader, open_reader, read_head, read_header,
    },
};

use super::fixture::CTX;

fn sent<T: Send>(_: T) {}

fn connection() -> DuplexStream {
    duplex(64).0
}

/// It is enough that these compile.
#[expect(dead_code, reason = "calls that only the compiler looks at")]
fn functions(ring: &Keyring, key: &(impl Unlock + Sync), signers: &VerifyingKeyring) {
    sent(open_reader(ring, CTX, connection()));
    sent(open_reader(key, CTX, connection()));
    sent(read_header(connection()));
    sent(read_head(connection()));
    sent(async move {
        let head = read_head(connection()).await.unwrap();
        ring.accepting_any(signers).accept_head(CTX, head).unwrap().unlock().unwrap()
    });
}

#[expect(dead_code, reason = "calls that only the compiler looks at")]
fn requests(
    verified: VerifiedHead<'_>,
    unlocked: UnlockedRequest,
    reader: RequestReader<DuplexStream>,
    pending: Pending,
    guard: &dyn ReplayGuard,
) {
    sent(RequestReader::new(verified, connection(), guard));
    sent(RequestReader::begin(unlocked, connection()));
    sent(reader.finish());
    sent(answer_reader(pending, connection()));
}

#[expect(dead_code, reason = "calls that only the compiler looks at")]
fn writers(
    writer: SealWriter<DuplexStream>,
    mut pieces: PieceWriter<DuplexStream>,
    mut arriving: PieceReader<DuplexStream>,
    asked: Asked,
) {
    sent(writer.finish());
    sent(pieces.piece(b"a piece"));
    sent(pieces.finish());
    sent(arriving.piece());
    sent(asked);
}

#[expect(dead_code, reason = "calls that only the compiler looks at")]
fn sessions(
    mut sender: FramedSender<DuplexStream>,
    mut receiver: FramedReceiver<DuplexStream>,
    session: SessionReceiver,
) {
    sent(sender.send(b"a message"));
    sent(sender.accept_reply(connection()));
    sent(receiver.receive());
    sent(receiver.reply(connection()));
    sent(FramedReceiver::new(connection(), session));
}
