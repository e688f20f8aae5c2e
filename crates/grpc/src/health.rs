//! The standard health service of gRPC (`grpc.health.v1`), for probes that have no certificate. It is served on connections
//! that the caller has accepted, never on the port of the workers.
//!
//! # What is promised
//! - The whole server (the empty name) is SERVING for as long as it runs: a probe that restarts what fails asks for that.
//! - The service of the workers is SERVING while so many of them are connected that a step can be decoded as proved, under a
//!   scheme that detects lies while anybody is; else NOT_SERVING, also once the run has ended.
//! - Nothing can be done through it, and at most a few connections are kept.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use super::generated::election_server::SERVICE_NAME;
use super::shared::Shared;

/// Connections of probes at the same time; more are closed.
const PROBES: usize = 16;
/// A probe that does not answer a ping for so long is gone.
const ALIVE: Duration = Duration::from_secs(10);

/// Where connections of probes are handed over.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    runtime: Handle,
    places: Arc<Semaphore>,
    accepted: mpsc::Sender<io::Result<Probe>>,
}

impl Health {
    /// Starts the service on a runtime.
    pub(crate) fn start(runtime: &Handle, shared: &Arc<Shared>) -> Self {
        let (reporter, service) = health_reporter();
        let (accepted, probes) = mpsc::channel(PROBES);
        runtime.spawn(report(Arc::clone(shared), reporter));
        let served = tonic::transport::Server::builder()
            .max_concurrent_streams(4)
            .http2_keepalive_interval(Some(ALIVE))
            .http2_keepalive_timeout(Some(ALIVE))
            .http2_max_header_list_size(Some(8 << 10))
            .add_service(service)
            .serve_with_incoming(ReceiverStream::new(probes));
        runtime.spawn(served);
        Self { runtime: runtime.clone(), places: Arc::new(Semaphore::new(PROBES)), accepted }
    }

    /// Answers the probe at the other end of a connection; closes it where there are too many.
    pub(crate) fn serve(&self, stream: std::net::TcpStream) -> io::Result<()> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return Ok(()) };
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(None)?;
        stream.set_nonblocking(true)?;
        let _inside = self.runtime.enter();
        let stream = TcpStream::from_std(stream)?;
        // A server that has ended answers nobody.
        let _ = self.accepted.try_send(Ok(Probe { stream, _place: place }));
        Ok(())
    }
}

/// Says how it stands, as often as that changes.
async fn report(shared: Arc<Shared>, reporter: HealthReporter) {
    let mut said = None;
    loop {
        let changed = shared.changed();
        let now = shared.is_quorate();
        if said.replace(now) != Some(now) {
            let status = if now { ServingStatus::Serving } else { ServingStatus::NotServing };
            reporter.set_service_status(SERVICE_NAME, status).await;
        }
        changed.await;
    }
}

/// A probe's connection, and its place among them.
struct Probe {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl Connected for Probe {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Probe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, into)
    }
}

impl AsyncWrite for Probe {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, from)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
