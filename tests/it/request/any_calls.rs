//! Do requests and answers keep to a list of who asked what, whatever is accepted, answered, changed, repeated, given up
//! or handed to another, in whatever order, whole and in pieces, and whatever guards, readers and writers do?

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use proptest::{collection::vec, prelude::*, sample::Index};
use twinseal::{
    Error, KeyId,
    request::{Asked, Pending, ReplayGuard, RequestHead, RequestId, RequestTime},
    tokio,
};

use super::{
    any_reader::{AnswerReader, Pieces, RequestReader},
    any_writer::{Finish, WritePieces},
    fixture::{ALICE, BOB, CHUNK, CTX, Once, PREFIX, REPLAYED, SEALED_CHUNK, plaintext},
};
use crate::common::{
    any_calls::{Damage, ScriptedReader, ScriptedWriter, Step, cases, damage, steps},
    polling::run,
    waiting::{Dropped, Polled, Waiting},
};

/// Lets each id in once, and now and then nothing.
#[derive(Default)]
struct Guard {
    once: Once,
    refuses: AtomicBool,
}

impl ReplayGuard for Guard {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        if self.refuses.load(Relaxed) { Err(REPLAYED) } else { self.once.admit(id, signer, time) }
    }
}

/// How something is sealed or opened: at once, or with a writer or reader whose inner one has these faults. A seed is
/// of one that is asynchronous.
#[derive(Clone, Debug)]
enum Form {
    AtOnce,
    Piecewise(Vec<Step>, Option<u64>),
}

fn forms() -> impl Strategy<Value = Form> {
    let piecewise = (steps(), proptest::option::of(any::<u64>()));
    prop_oneof![
        2 => Just(Form::AtOnce),
        3 => piecewise.prop_map(|(steps, seed)| Form::Piecewise(steps, seed)),
    ]
}

#[derive(Clone, Debug)]
enum Call {
    Ask {
        is_signed: bool,
        length: usize,
        form: Form,
    },
    Accept {
        which: Index,
        damage: Damage,
        form: Form,
        /// Whether it must be Alice's.
        wants_signer: bool,
        refuses: bool,
        /// A reader is dropped, or asked for the end, after so many bytes.
        gives_up: Option<usize>,
    },
    Answer {
        which: Index,
        pieces: Vec<usize>,
        is_whole: bool,
        form: Form,
        gives_up: bool,
    },
    DropAsked(Index),
    Open {
        which: Index,
        /// Most often it gets its own answer.
        answer: Option<Index>,
        damage: Damage,
        form: Form,
    },
}

fn calls() -> impl Strategy<Value = Call> {
    let index = any::<Index>;
    let seldom = || prop::bool::weighted(0.1);
    let length = || prop_oneof![0..50_usize, 0..3 * CHUNK];
    let damage = || prop_oneof![3 => Just(Damage::None), 1 => damage()];
    let gives_up = proptest::option::weighted(0.3, prop_oneof![0..2_usize, 0..CHUNK]);
    let ask = (any::<bool>(), length(), forms()).prop_map(|(is_signed, length, form)| Call::Ask {
        is_signed,
        length,
        form,
    });
    let accept = (index(), damage(), forms(), any::<bool>(), seldom(), gives_up).prop_map(
        |(which, damage, form, wants_signer, refuses, gives_up)| Call::Accept {
            which,
            damage,
            form,
            wants_signer,
            refuses,
            gives_up,
        },
    );
    let answer = (index(), vec(length(), 1..5), any::<bool>(), forms(), seldom()).prop_map(
        |(which, pieces, is_whole, form, gives_up)| Call::Answer {
            which,
            pieces,
            is_whole,
            form,
            gives_up,
        },
    );
    let answers = proptest::option::weighted(0.3, index());
    let open = (index(), answers, damage(), forms())
        .prop_map(|(which, answer, damage, form)| Call::Open { which, answer, damage, form });
    prop_oneof![
        4 => ask,
        8 => accept,
        6 => answer,
        1 => index().prop_map(Call::DropAsked),
        8 => open,
    ]
}

struct Request {
    bytes: Vec<u8>,
    plaintext: Vec<u8>,
    is_signed: bool,
    id: RequestId,
    is_spent: bool,
    pending: Option<Pending>,
}

struct Answer {
    of: usize,
    bytes: Vec<u8>,
    /// A whole answer has one.
    pieces: Vec<Vec<u8>>,
    is_whole: bool,
    /// Whether its end was written.
    is_complete: bool,
}

#[derive(Default)]
struct World {
    guard: Guard,
    requests: Vec<Request>,
    asked: Vec<(usize, Asked)>,
    answers: Vec<Answer>,
}

/// A call whose panic counts as an error: what it was called on cannot be used again.
fn guarded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}

/// Writes all of it, again after each error; `false` if that is in vain.
fn persist(inner: &ScriptedWriter, mut call: impl FnMut() -> io::Result<bool>) -> bool {
    for _ in 0..1000 {
        let raised = inner.state().raised.len();
        match guarded(&mut call) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) => {
                let state = inner.state();
                if state.is_lost {
                    return false;
                }
                if Dropped::is(&error) {
                    continue;
                }
                assert_eq!(state.raised[raised..], [error.kind()], "{error:?}");
            }
        }
    }
    panic!("it never ends");
}

fn write_all(inner: &ScriptedWriter, writer: &mut impl Write, mut bytes: &[u8]) -> bool {
    bytes.is_empty()
        || persist(inner, || {
            let taken = writer.write(bytes)?;
            bytes = &bytes[taken..];
            Ok(bytes.is_empty())
        })
}

fn finish(inner: &ScriptedWriter, writer: &mut (impl Finish + ?Sized)) -> bool {
    persist(inner, || writer.try_finish().map(|()| true))
}

impl World {
    fn call(&mut self, call: &Call) {
        match call {
            Call::Ask { is_signed, length, form } => self.ask(*is_signed, *length, form),
            Call::Accept { which, .. } if !self.requests.is_empty() => {
                self.accept(which.index(self.requests.len()), call);
            }
            Call::Answer { which, pieces, is_whole, form, gives_up } if !self.asked.is_empty() => {
                let (of, asked) = self.asked.remove(which.index(self.asked.len()));
                let number = self.answers.len();
                let piece = |length: &usize| plaintext(number + length).split_off(number);
                let mut pieces: Vec<_> = pieces.iter().map(piece).collect();
                if *is_whole {
                    pieces.truncate(1);
                }
                let is_whole = *is_whole;
                let answered = answer(asked, &pieces, is_whole, form, *gives_up);
                if let Some((bytes, is_complete)) = answered {
                    self.answers.push(Answer { of, bytes, pieces, is_whole, is_complete });
                }
            }
            Call::DropAsked(which) if !self.asked.is_empty() => {
                drop(self.asked.remove(which.index(self.asked.len())));
            }
            Call::Open { which, answer, damage, form } if !self.answers.is_empty() => {
                let own = which.index(self.answers.len());
                let answer = answer.map_or(own, |other| other.index(self.answers.len()));
                let which = self.answers[own].of;
                if let Some(pending) = self.requests[which].pending.take() {
                    self.requests[which].pending =
                        open(pending, which, &self.answers[answer], damage, form);
                }
            }
            _ => {}
        }
    }

    fn ask(&mut self, is_signed: bool, length: usize, form: &Form) {
        let question = plaintext(length);
        let to = BOB.encapsulation_key();
        let signed = to.signed_by(&*ALICE);
        let (bytes, pending) = match form {
            Form::AtOnce if is_signed => signed.request(CTX, &question).unwrap(),
            Form::AtOnce => to.request(CTX, &question).unwrap(),
            Form::Piecewise(steps, Some(seed)) => {
                let inner = ScriptedWriter::new(steps.clone());
                let sealer =
                    if is_signed { signed.request_sealer(CTX) } else { to.request_sealer(CTX) };
                let waiting = Waiting::new(inner.clone(), *seed);
                let (writer, pending) = tokio::request_writer(sealer.unwrap(), waiting);
                let mut writer = Polled::new(writer, !seed);
                if !write_all(&inner, &mut writer, &question) || !finish(&inner, &mut writer) {
                    return;
                }
                let bytes = inner.state().taken.clone();
                (bytes, pending)
            }
            Form::Piecewise(steps, None) => {
                let inner = ScriptedWriter::new(steps.clone());
                let made = guarded(|| {
                    if is_signed {
                        signed.request_writer(CTX, inner.clone())
                    } else {
                        to.request_writer(CTX, inner.clone())
                    }
                });
                let Ok(mut writer) = made else { return };
                let done = write_all(&inner, &mut writer, &question)
                    && persist(&inner, || writer.try_finish().map(|()| true));
                match writer.finish() {
                    Ok((inner, pending)) => {
                        assert!(done);
                        let bytes = inner.state().taken.clone();
                        (bytes, pending)
                    }
                    Err(_) => return assert!(!done),
                }
            }
        };
        let id = pending.id();
        self.requests.push(Request {
            bytes,
            plaintext: question,
            is_signed,
            id,
            is_spent: false,
            pending: Some(pending),
        });
    }

    fn accept(&mut self, which: usize, call: &Call) {
        let Call::Accept { damage, form, wants_signer, refuses, gives_up, .. } = call else {
            return;
        };
        let request = &mut self.requests[which];
        let damaged = damage.apply(&request.bytes, 0, 1000);
        self.guard.refuses.store(*refuses, Relaxed);
        let is_welcome = !refuses && !request.is_spent && request.is_signed == *wants_signer;
        let start = RequestHead::parse(&request.bytes).unwrap().len() + PREFIX;
        let from_alice = BOB.accepting(ALICE.verifying_key());
        let guard = &self.guard;
        let asked = match form {
            Form::AtOnce => {
                let accepted = if *wants_signer {
                    from_alice.accept(CTX, &damaged, guard)
                } else {
                    BOB.accept(CTX, &damaged, guard)
                };
                assert_eq!(accepted.is_ok(), is_welcome && damaged == request.bytes);
                let Ok((opened, asked)) = accepted else { return };
                assert!(opened[..] == request.plaintext);
                Some(asked)
            }
            Form::Piecewise(steps, seed) => {
                let mut inner = ScriptedReader::new(&damaged, steps.clone())
                    .from(if steps.len().is_multiple_of(4) { 0 } else { start });
                let made = guarded(|| {
                    let Some(seed) = seed else {
                        let reader = if *wants_signer {
                            from_alice.accept_reader(CTX, &mut inner, guard)?
                        } else {
                            BOB.accept_reader(CTX, &mut inner, guard)?
                        };
                        return Ok(RequestReader::Blocking(reader));
                    };
                    let mut inner = Waiting::new(&mut inner, *seed);
                    let head = run(tokio::read_head(&mut inner))?;
                    let head = if *wants_signer {
                        from_alice.accept_head(CTX, head)?
                    } else {
                        BOB.accept_head(CTX, head)?
                    };
                    let reader = run(tokio::RequestReader::new(head, inner, guard))?;
                    Ok(RequestReader::Asynchronous(Polled::new(reader, !seed)))
                });
                // Its first chunk is the first that it shows, and lets it in.
                let first = |bytes: &[u8]| {
                    let chunk = (bytes.len() - start.min(bytes.len())).min(SEALED_CHUNK);
                    (chunk == SEALED_CHUNK || bytes == request.bytes)
                        && request.bytes.starts_with(&bytes[..start + chunk])
                };
                match made {
                    Ok(mut reader) => {
                        request.is_spent = true;
                        assert!(is_welcome && first(reader.inner().all()));
                        assert_eq!(reader.id(), request.id);
                        let mut opened = Vec::new();
                        let is_whole = read_all(&mut reader, *gives_up, &mut opened);
                        assert!(request.plaintext.starts_with(&opened));
                        let all = reader.inner().all();
                        assert!(!reader.inner().is_overrun);
                        assert!(is_whole != Some(true) || all == request.bytes);
                        assert!(is_whole != Some(false) || all != request.bytes);
                        match is_whole {
                            None if gives_up.is_some_and(|length| length % 2 == 0) => return,
                            None => {
                                let finished = guarded(|| reader.finish());
                                let is_whole = inner.given() == request.bytes;
                                let is_external = |error| Error::inside(error).is_none();
                                assert!(match &finished {
                                    Ok(_) => is_whole,
                                    Err(error) => {
                                        is_external(error) || inner.all() != request.bytes
                                    }
                                });
                                finished.ok()
                            }
                            Some(is_whole) => {
                                let finished = reader.finish();
                                assert_eq!(finished.is_ok(), is_whole);
                                assert!(!is_whole || opened == request.plaintext);
                                finished.ok()
                            }
                        }
                    }
                    Err(error) => {
                        let all = inner.all();
                        let is_external = Error::inside(&error).is_none();
                        assert!(is_external || !is_welcome || !first(all), "{error:?}");
                        return;
                    }
                }
            }
        };
        request.is_spent = true;
        if let Some(asked) = asked {
            assert_eq!(asked.id(), request.id);
            assert_eq!(asked.signer().is_some(), request.is_signed);
            self.asked.push((which, asked));
        }
    }
}

/// Reads to the end, or to a refusal: whether that was the end. `None` if it was given up before.
fn read_all(reader: &mut impl Read, gives_up: Option<usize>, opened: &mut Vec<u8>) -> Option<bool> {
    let mut buffer = vec![0; 7001];
    for _ in 0..1000 {
        if gives_up.is_some_and(|length| opened.len() >= length) {
            return None;
        }
        match guarded(|| reader.read(&mut buffer)) {
            Ok(0) => return Some(true),
            Ok(length) => opened.extend_from_slice(&buffer[..length]),
            Err(error) if Error::inside(&error).is_some() => {
                let again = reader.read(&mut buffer).unwrap_err();
                assert_eq!(Error::inside(&again), Error::inside(&error));
                return Some(false);
            }
            Err(_) => {}
        }
    }
    panic!("it never ends");
}

/// The bytes of an answer, and whether that is all of it, if it was begun.
fn answer(
    asked: Asked,
    pieces: &[Vec<u8>],
    is_whole: bool,
    form: &Form,
    gives_up: bool,
) -> Option<(Vec<u8>, bool)> {
    let (last, before) = pieces.split_last().unwrap();
    let Form::Piecewise(steps, seed) = form else {
        if is_whole {
            return Some((asked.answer(last).unwrap(), true));
        }
        let (mut bytes, mut sealer) = asked.piece_sealer().unwrap();
        for piece in before {
            bytes.extend(sealer.piece(piece).unwrap());
        }
        if !gives_up {
            bytes.extend(sealer.finish(last).unwrap());
        }
        return Some((bytes, !gives_up));
    };
    let inner = ScriptedWriter::new(steps.clone());
    let waiting = |seed| Waiting::new(inner.clone(), seed);
    // Whether it came to the end, and whether that was written.
    let (is_near, is_done) = if is_whole {
        let mut writer: Box<dyn Finish> = match *seed {
            None => Box::new(guarded(|| asked.answer_writer(inner.clone())).ok()?),
            Some(seed) => {
                let sealer = asked.answer_sealer().unwrap();
                Box::new(Polled::new(tokio::SealWriter::new(sealer, waiting(seed)), !seed))
            }
        };
        let is_near = write_all(&inner, &mut writer, last) && !gives_up;
        (is_near, is_near && finish(&inner, &mut *writer))
    } else {
        let mut writer: Box<dyn WritePieces> = match *seed {
            None => Box::new(guarded(|| asked.piece_writer(inner.clone())).ok()?),
            Some(seed) => {
                let sealer = asked.piece_sealer().unwrap();
                Box::new(Polled::new(tokio::PieceWriter::new(sealer, waiting(seed)), !seed))
            }
        };
        let mut before = before.iter();
        let is_near = before.all(|piece| persist(&inner, || writer.piece(piece).map(|()| true)))
            && !gives_up
            && write_all(&inner, &mut writer, last);
        (is_near, is_near && finish(&inner, &mut *writer))
    };
    let state = inner.state();
    assert!(is_done || gives_up || state.is_lost);
    assert!(!is_done || state.is_flushed);
    // Nobody knows whether the end came through if the inner writer was lost there.
    (is_done || !is_near).then(|| (state.taken.clone(), is_done))
}

/// Opens an answer; returns what still waits for one.
fn open(
    pending: Pending,
    of: usize,
    answer: &Answer,
    damage: &Damage,
    form: &Form,
) -> Option<Pending> {
    let damaged = damage.apply(&answer.bytes, 0, 1000);
    let may_open = |bytes: &[u8]| answer.of == of && answer.is_complete && bytes == answer.bytes;
    let expected = answer.pieces.concat();
    match form {
        Form::AtOnce if answer.is_whole => match pending.open(&damaged) {
            Ok(opened) => {
                assert!(may_open(&damaged) && opened[..] == expected);
                None
            }
            Err(failed) => {
                assert!(!may_open(&damaged), "{failed:?}");
                Some(failed.pending)
            }
        },
        Form::AtOnce => {
            match pending.open_pieces(&damaged) {
                Ok(opened) => {
                    assert!(may_open(&damaged));
                    assert!(opened.iter().map(|piece| &piece[..]).eq(answer.pieces.iter()));
                }
                Err(error) => assert!(!may_open(&damaged), "{error:?}"),
            }
            None
        }
        Form::Piecewise(steps, seed) if answer.is_whole => {
            let mut inner = ScriptedReader::new(&damaged, steps.clone());
            let made = guarded(|| match *seed {
                None => pending.open_reader(&mut inner).map(AnswerReader::Blocking),
                Some(seed) => {
                    let inner = Waiting::new(&mut inner, seed);
                    let reader = run(tokio::answer_reader(pending, inner))?;
                    Ok(AnswerReader::Asynchronous(Polled::new(reader, !seed)))
                }
            });
            let mut reader = match made {
                Ok(reader) => reader,
                Err(error) => {
                    let is_external = Error::inside(&error).is_none();
                    assert!(is_external || !may_open(inner.all()), "{error:?}");
                    return None;
                }
            };
            let mut opened = Vec::new();
            let is_whole = read_all(&mut reader, None, &mut opened);
            assert!(expected.starts_with(&opened));
            assert!(answer.of == of || opened.is_empty());
            assert_eq!(is_whole, Some(may_open(inner.all())));
            assert!(is_whole != Some(true) || opened == expected);
            None
        }
        Form::Piecewise(steps, seed) => {
            let inner = ScriptedReader::new(&damaged, steps.clone());
            let reader = match *seed {
                None => Pieces::Blocking(pending.piece_reader(inner)),
                Some(seed) => {
                    let inner = Waiting::new(inner, seed);
                    let reader = tokio::PieceReader::new(pending.piece_opener(), inner);
                    Pieces::Asynchronous(Polled::new(reader, !seed))
                }
            };
            read_pieces(reader, &expected, answer.of == of, may_open);
            None
        }
    }
}

/// Piece by piece, and now and then by bytes.
fn read_pieces(
    mut reader: Pieces<'_>,
    expected: &[u8],
    is_own: bool,
    may_open: impl Fn(&[u8]) -> bool,
) {
    let mut opened = Vec::new();
    let mut buffer = [0; 901];
    for turn in 0..1000 {
        let read = guarded(|| {
            if turn % 3 == 2
                && let Some(length) = reader.read(&mut buffer).transpose()?
            {
                return Ok((length > 0).then(|| buffer[..length].to_vec()));
            }
            reader.piece().map(|piece| piece.map(|piece| piece.to_vec()))
        });
        assert!(!reader.inner().is_overrun);
        match read {
            Ok(Some(piece)) => opened.extend(piece),
            Ok(None) => {
                assert!(reader.is_finished() && may_open(reader.inner().all()));
                return assert!(opened == expected);
            }
            Err(error) if Error::inside(&error).is_some() => {
                assert!(!may_open(reader.inner().all()), "{error:?}");
                let again = reader.piece().unwrap_err();
                assert_eq!(Error::inside(&again), Error::inside(&error));
                return assert!(reader.read(&mut buffer).is_none_or(|read| read.is_err()));
            }
            Err(_) => {}
        }
        assert!(expected.starts_with(&opened) && (is_own || opened.is_empty()));
    }
    panic!("it never ends");
}

proptest! {
    #![proptest_config(cases(400))]

    /// Each request is let in once, unchanged and if the guard agrees, and each answer opens for its request only.
    #[test]
    fn requests(calls in vec(calls(), 0..40)) {
        let mut world = World::default();
        world.call(&Call::Ask { is_signed: false, length: 5, form: Form::AtOnce });
        for call in &calls {
            world.call(call);
        }
    }
}
