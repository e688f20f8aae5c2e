//! Connections that have proved who they are: TLS 1.3, a certificate of the run's authority, and a row of the list, all
//! before the first byte of HTTP is read.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, rustls};
use tonic::transport::server::Connected;

use super::keys::{Keys, Pins, certificate};

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes at the same time; more wait in the system's queue.
const HANDSHAKES: usize = 16;
/// Connections a row may have at the same time: the new one while the old one is closed.
const PER_ROW: usize = 2;
/// After an error of the system, such as too many open files, nobody is let in for so long.
const PAUSE: Duration = Duration::from_millis(100);

/// The row that a connection speaks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row(pub(crate) usize);

/// A connection of a row.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    row: Row,
    place: Place,
}

/// The connections of each row, oldest first.
type Places = Arc<Mutex<HashMap<usize, VecDeque<(u64, oneshot::Sender<()>)>>>>;

/// A place among the connections of a row. The newest ones win: the oldest ends where there are too many, so that a
/// machine that is gone without a word keeps nobody out.
struct Place {
    places: Places,
    row: usize,
    number: u64,
    /// Ends when a newer connection takes the place.
    taken: oneshot::Receiver<()>,
}

impl Place {
    fn take(places: &Places, row: usize, number: u64) -> Self {
        let (sender, taken) = oneshot::channel();
        let mut all = places.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = all.entry(row).or_default();
        if mine.len() >= PER_ROW {
            mine.pop_front();
        }
        mine.push_back((number, sender));
        Self { places: Arc::clone(places), row, number, taken }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = all.get_mut(&self.row) {
            mine.retain(|(number, _)| *number != self.number);
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Row;

    fn connect_info(&self) -> Row {
        self.row
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if Pin::new(&mut this.place.taken).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut this.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
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

/// The server's side of TLS.
pub(crate) fn acceptor(keys: &Keys) -> Result<TlsAcceptor, String> {
    let text = |error: rustls::Error| error.to_string();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&keys.authority)?).map_err(text)?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = verifier.build().map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(&keys.key).map_err(|error| error.to_string())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(text)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate(&keys.own)?], key)
        .map_err(text)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Nobody resumes a session: every connection shows its certificate.
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Lets connections in, for as long as somebody takes them.
pub(crate) async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pins: Arc<Pins>,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let places = Places::default();
    for number in 0.. {
        // Before accepting: whoever does not shake hands holds the next ones back, not our memory.
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else { return };
        let tcp = tokio::select! {
            tcp = listener.accept() => tcp,
            () = accepted.closed() => return,
        };
        let Ok((tcp, _)) = tcp else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, pins, accepted) = (acceptor.clone(), Arc::clone(&pins), accepted.clone());
        let places = Arc::clone(&places);
        tokio::spawn(async move {
            let _permit = permit;
            let _ = tcp.set_nodelay(true);
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await else { return };
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let Some(row) = shown.and_then(|certificate| pins.row_of(certificate)) else { return };
            let place = Place::take(&places, row, number);
            let _ = accepted.send(Ok(Connection { stream, row: Row(row), place })).await;
        });
    }
}
