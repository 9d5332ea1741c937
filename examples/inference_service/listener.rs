//! Accepts connections, limits their number, their age and their headers, and ends them.
//!
//! `axum::serve` takes only three lines, but has no timeout for headers: a client that sends one
//! byte a minute would keep its connection for ever.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use crate::gate::HEADERS_TIME;
use common::printable;

/// The most bytes of a request's headers. A signature takes at most 6308 of them: a proxy in front
/// must let them pass (nginx accepts 8 KiB for a line, Envoy 60 KiB for all, an AWS load balancer
/// 16 KiB for a line).
const MAX_HEADERS: usize = 16 * 1024;

/// The most bytes of a body in memory at a time.
const MAX_BUFFER: usize = 64 * 1024;

const MAX_CONNECTIONS: u32 = 1024;

/// A connection accepts no requests after this time, so that none stays open for ever.
const MAX_AGE: Duration = Duration::from_secs(300);

/// Serves until `shutdown` becomes true. Requests that have begun then have `grace` to finish.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    grace: Duration,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    loop {
        let slot = select! {
            () = must_end(&mut shutdown) => break,
            // While all slots are taken, connections wait in the system's queue.
            slot = Arc::clone(&slots).acquire_owned() => slot.map_err(io::Error::other)?,
        };
        let stream = select! {
            () = must_end(&mut shutdown) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // The error is of one connection, or a temporary lack of file descriptors.
                    tracing::warn!(error = printable(error), "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (routes, shutdown) = (routes.clone(), shutdown.clone());
        tokio::spawn(async move {
            connection(stream, routes, grace, shutdown).await;
            drop(slot);
        });
    }
    drop(listener); // refuses further connections
    match timeout(grace, slots.acquire_many(MAX_CONNECTIONS)).await {
        Ok(_) => tracing::info!("all requests are finished"),
        Err(_) => tracing::warn!("some requests were not finished in time"),
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    routes: Router,
    grace: Duration,
    mut shutdown: watch::Receiver<bool>,
) {
    // Answers are written in few pieces; waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME) // also when it is idle
        .max_header_size(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = pin!(connection);
    let result = select! {
        result = connection.as_mut() => result,
        () = async {
            select! {
                () = must_end(&mut shutdown) => (),
                () = sleep(MAX_AGE) => (),
            }
        } => {
            connection.as_mut().graceful_shutdown();
            timeout(grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        // The client disconnected, or did not speak HTTP: there is nothing to do.
        tracing::debug!(error = printable(error), "a connection ended early");
    }
}

async fn must_end(shutdown: &mut watch::Receiver<bool>) {
    // A sender that was dropped means the same.
    let _ = shutdown.wait_for(|down| *down).await;
}
