//! Is no request answered twice: at once, after a restart, after a crash, and by clocks that differ?

use std::fs;

use tempfile::TempDir;
use twinseal::{Error, ReplayRefusal};

use support::process::{signal, wait_until};

use crate::http::{Service, batch, keys};

fn refusal(reason: ReplayRefusal) -> (u16, String) {
    (409, Error::Replay(reason).to_string())
}

/// Ends a service in order, and returns its directory.
fn stop(mut service: Service) -> TempDir {
    signal("TERM", service.process.id());
    assert_eq!(service.process.end(), Some(0), "{}", service.process.all());
    service.directory
}

fn kill(mut service: Service) -> TempDir {
    service.process.kill();
    assert_eq!(service.process.end(), None);
    service.directory
}

#[test]
fn a_request_is_answered_once() {
    let service = Service::start("");
    let client = service.client();
    // In memory and as it arrives.
    for count in [1, 1000] {
        let (request, _) = client.request("/predict", &batch(count));
        assert_eq!(service.send(&request).status, 200);
        for _ in 0..2 {
            assert_eq!(service.send(&request).refusal(), refusal(ReplayRefusal::Replayed));
        }
    }
    assert_eq!(service.status(&client), 200);
}

#[test]
fn clocks_that_differ_have_a_word() {
    for (clock_error, reason) in [(-30, ReplayRefusal::FromTheFuture), (100, ReplayRefusal::TooOld)]
    {
        let service = Service::start(&format!("--clock-error {clock_error}"));
        let (request, _) = service.client().request("/predict", &batch(1));
        assert_eq!(service.send(&request).refusal(), refusal(reason));
        // A stranger learns nothing of clocks.
        let (request, _) = service.client().another().request("/predict", &batch(1));
        assert_eq!(service.send(&request).status, 401);
    }
    for clock_error in [-1, 50] {
        let service = Service::start(&format!("--clock-error {clock_error}"));
        assert_eq!(service.status(&service.client()), 200);
    }
}

#[test]
fn a_full_room_refuses_its_own_signer() {
    let service = Service::start("--room 2");
    let (client, another) = (service.client(), service.client().another());
    assert_eq!([(); 3].map(|()| service.status(&client)), [200, 200, 429]);
    assert_eq!(service.status(&another), 401);
}

#[test]
fn after_a_restart_nothing_is_answered_again() {
    // The clock of the second process is right, behind, or ahead.
    for clock_error in [0, -1, 10] {
        let service = Service::start("");
        let client = service.client();
        let mark = service.path("mark");
        let (request, _) = client.request("/predict", &batch(1));
        assert!(!mark.exists(), "a mark is for one restart");
        assert_eq!(service.send(&request).status, 200);

        let directory = stop(service);
        assert_eq!(fs::read(&mark).unwrap().len(), 8);
        let service = Service::start_in(directory, &format!("--clock-error {clock_error}"));
        assert!(!mark.exists());
        assert_eq!(service.send(&request).refusal(), refusal(ReplayRefusal::Restarted));
        // Others are answered at once.
        assert_eq!(service.status(&client), 200);
    }
}

#[test]
fn after_a_crash_nothing_is_answered_again() {
    let service = Service::start("");
    let client = service.client();
    let (request, _) = client.request("/predict", &batch(1));
    assert_eq!(service.send(&request).status, 200);

    // Nor is anything else, for as long as the one before could have answered it by its clock.
    let service = Service::start_in(kill(service), "--clock-error 45");
    let restarted = refusal(ReplayRefusal::Restarted);
    assert_eq!(service.send(&request).refusal(), restarted);
    let (new, _) = client.request("/predict", &batch(1));
    assert_eq!(service.send(&new).refusal(), restarted);

    // Two seconds by the same clock.
    let service = Service::start_in(kill(service), "");
    wait_until("a request is answered", || service.status(&client) == 200);
    assert_eq!(service.send(&request).status, 409);
    assert_eq!(service.send(&new).status, 409);
}

#[test]
fn a_mark_that_cannot_be_used_is_not() {
    for mark in [&b""[..], &[0xff; 8], &[0; 8], &[0; 9]] {
        let directory = keys();
        fs::write(directory.path().join("mark"), mark).unwrap();
        let service = Service::start_in(directory, "");
        let client = service.client();
        assert!(!service.path("mark").exists());
        wait_until("a request is answered", || service.status(&client) == 200);
    }
    // Far ahead: it refuses, and says for how long.
    let directory = keys();
    fs::write(directory.path().join("mark"), (1_u64 << 52).to_be_bytes()).unwrap();
    let mut service = Service::start_in(directory, "");
    service.process.seen.clear();
    assert_eq!(service.status(&service.client()), 409);
    signal("TERM", service.process.id());
    assert_eq!(service.process.end(), Some(0));
    // The mark outlives the service.
    assert_eq!(fs::read(service.path("mark")).unwrap(), (1_u64 << 52).to_be_bytes());
}
